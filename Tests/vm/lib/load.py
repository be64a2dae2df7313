# SPDX-License-Identifier: MIT
"""Clients that keep going: each stores and fetches, checks what it gets, and comes back when it is thrown out."""

import json
import socket
import subprocess
import sys
import threading
import time

ROUND = 8  # keys of one pipelined round; enough to keep requests in flight, little enough to notice an end soon
WINDOW = 32


class Load:
    """Clients in a process of their own, so that they keep going whatever the test does. A context manager.

    `endpoints` are (host, port) or unix paths; each gets `clients` connections, which rest `pause` seconds after a
    round.
    """

    def __init__(self, *endpoints, clients=4, pause=0):
        self._process = subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self._process.stdin.write(json.dumps([list(endpoints), clients, pause]) + "\n")
        self._process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def counts(self):
        """What they have done until now: rounds, ends (connections that ended), wrong (a list of sentences)."""
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def wait_for_rounds(self, more, seconds=300):
        """Return when so many more rounds are done; False when time is over."""
        limit = time.monotonic() + seconds
        target = self.counts()["rounds"] + more
        while self.counts()["rounds"] < target:
            if time.monotonic() > limit:
                return False
            time.sleep(0.01)
        return True


class _Client(threading.Thread):
    def __init__(self, number, endpoint, pause):
        super().__init__(daemon=True)
        self.pause = pause
        self.number, self.endpoint = number, endpoint if isinstance(endpoint, str) else tuple(endpoint)
        self.rounds = self.ends = 0
        self.wrong = []

    def run(self):
        while True:
            try:
                self._stay()
            except OSError:
                self.ends += 1
                time.sleep(0.01)

    def _stay(self):
        family = socket.AF_UNIX if isinstance(self.endpoint, str) else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(60)
            connection.connect(self.endpoint)
            stream = connection.makefile("rb")
            while True:
                self._round(connection, stream)
                self.rounds += 1
                if self.pause:
                    time.sleep(self.pause)

    def _round(self, connection, stream):
        names = [b"load-%d-%d" % (self.number, (self.rounds * ROUND + step) % WINDOW) for step in range(ROUND)]
        values = {name: b"%s=%d " % (name, self.rounds) * (1 + self.rounds % 60) for name in names}
        connection.sendall(b"".join(b"set %s 0 0 %d\r\n%s\r\n" % (name, len(value), value)
                                    for name, value in values.items()) + b"get " + b" ".join(names) + b"\r\n")
        for name in names:
            answer = _line(stream)
            if answer != b"STORED":
                self._complain(f"{answer!r} to a set of {name!r}")
        while (head := _line(stream)) != b"END":
            name, size = head.split(b" ")[1], int(head.split(b" ")[3]) + 2
            data = stream.read(size)
            if len(data) < size:
                raise ConnectionResetError  # an end in the middle of a value
            if data[:-2] != values.get(name):
                self._complain(f"{name!r} is {data[:60]!r}, not {values.get(name, b'')[:60]!r}")

    def _complain(self, text):
        if len(self.wrong) < 5:
            self.wrong.append(text)


def _line(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError
    return line[:-2]


def _main():
    endpoints, count, pause = json.loads(sys.stdin.readline())
    clients = [_Client(number, endpoint, pause) for number, endpoint in enumerate(endpoints * count)]
    for client in clients:
        client.start()
    for _ in sys.stdin:
        print(json.dumps({"rounds": sum(client.rounds for client in clients),
                          "ends": sum(client.ends for client in clients),
                          "wrong": [text for client in clients for text in client.wrong]}), flush=True)


if __name__ == "__main__":
    _main()
