# SPDX-License-Identifier: MIT
"""Clients that say anything: random operations of all protocols, over all transports, whose answers nobody judges.

They are a process of their own, and come back whenever they are thrown out.
"""

import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lib.frames import Frames
from lib.operations import UNIQUE, Traffic

BUNDLE = 30
PATIENCE = 2  # seconds for an answer that may never come


class Noise:
    """`streams` are (host, port) or unix paths, `datagrams` (host, port) of UDP. A context manager."""

    def __init__(self, seed, streams, datagrams):
        self._process = subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process.stdin.write(json.dumps([seed, list(streams), list(datagrams)]) + "\n")
        self._process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def wait_to_be_heard(self, seconds):
        """Return when there were further answers by streams and by UDP; False when time is over."""
        limit, before = time.monotonic() + seconds, self.counts()
        while any((now := self.counts())[way] <= before[way] for way in ("streams", "datagrams")):
            if time.monotonic() > limit:
                return False
            time.sleep(0.02)
        return True

    def counts(self):
        """What was sent, in operations, and how many bytes of answers came: over streams, over UDP."""
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class _Voice(threading.Thread):
    """One client. Each connection is of one protocol, as a server would have it."""

    def __init__(self, seed, endpoint, datagrams):
        super().__init__(daemon=True)
        self.sources = [Traffic(seed), Frames(seed)]
        self.endpoint = endpoint if isinstance(endpoint, str) else tuple(endpoint)
        self.datagrams, self.turn, self.operations, self.bytes = datagrams, 0, 0, 0

    def run(self):
        while True:
            self.turn += 1
            try:
                self._datagrams() if self.datagrams else self._stream()
            except OSError:
                time.sleep(0.02)

    def _some(self):
        source = self.sources[self.turn % 2]
        self.operations += BUNDLE
        return [source.next().data.replace(UNIQUE, b"1") for _ in range(BUNDLE)]

    def _stream(self):
        family = socket.AF_UNIX if isinstance(self.endpoint, str) else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.endpoint)
            for _ in range(self.turn % 20 + 1):
                connection.sendall(b"".join(self._some()))
                self.bytes += len(connection.recv(1 << 16))

    def _datagrams(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.endpoint)
            # One at least that has an answer.
            for number, data in enumerate([*self._some(), b"version\r\n"]):
                connection.send(number.to_bytes(2, "big") + b"\0\0\0\1\0\0" + data[:1392])
            self.bytes += len(connection.recv(1 << 16))


def _main():
    seed, streams, datagrams = json.loads(sys.stdin.readline())
    voices = [_Voice(f"{seed} {number}", endpoint, number >= len(streams))
              for number, endpoint in enumerate([*streams, *datagrams])]
    for voice in voices:
        voice.start()
    for _ in sys.stdin:
        print(json.dumps({"operations": sum(voice.operations for voice in voices),
                          "streams": sum(voice.bytes for voice in voices if not voice.datagrams),
                          "datagrams": sum(voice.bytes for voice in voices if voice.datagrams)}), flush=True)


if __name__ == "__main__":
    _main()
