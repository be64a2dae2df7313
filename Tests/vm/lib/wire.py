# SPDX-License-Identifier: MIT
"""A connection that says bytes and checks the bytes that come back. Knows nothing of any client library."""

import socket
import struct
import time

from lib.tap import check, equal, patient


class Wire:
    """One connection to an endpoint: (host, port) or a unix path.

    `timeout` is seconds for each receive; `window` the bytes that may wait to be read (0: as ever).
    """

    def __init__(self, endpoint, timeout=60, window=0):
        family = socket.AF_UNIX if isinstance(endpoint, str) else \
            socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(timeout)
        self._connect(endpoint, time.monotonic() + timeout)
        self._pending = bytearray()

    def _connect(self, endpoint, limit):
        while True:
            try:
                return self.socket.connect(endpoint)
            except BlockingIOError:
                # A unix socket with a time limit does not wait for room in the backlog.
                if time.monotonic() > limit:
                    raise
                time.sleep(0.005)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Close so that the peer gets a reset, not an end (TCP)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def drip(self, data):
        """Send byte by byte, each in a segment of its own as far as a socket can say that."""
        if self.socket.family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for position in range(len(data)):
            self.socket.sendall(data[position:position + 1])

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _receive(self):
        """More bytes into the buffer; False at the end."""
        data = self.socket.recv(1 << 18)
        self._pending += data
        return bool(data)

    def exactly(self, count):
        while len(self._pending) < count:
            check(self._receive(), f"closed after {len(self._pending)} of {count} bytes: {bytes(self._pending[:200])!r}")
        data = bytes(self._pending[:count])
        del self._pending[:count]
        return data

    def line(self):
        """The next line, without its end, which must be CR LF."""
        text = self.raw_line()
        check(text.endswith(b"\r\n"), f"line without CR LF: {text!r}")
        return text[:-2]

    def raw_line(self):
        """The next line with its end, which may be LF alone."""
        start = 0
        while (end := self._pending.find(b"\n", start)) < 0:
            start = len(self._pending)
            check(self._receive(), f"closed in the middle of a line: {bytes(self._pending[:200])!r}")
        return self.exactly(end + 1)

    def waiting(self):
        """Whether bytes have been received that nobody has asked for yet."""
        return bool(self._pending)

    def ask(self, request, reply):
        """Send `request`; exactly the bytes of `reply` must come."""
        self.send(request)
        self.expect(reply, request[:60])

    def expect(self, reply, what="reply"):
        """Exactly the bytes of `reply` must come next. A wrong, shorter reply is shown, not waited for."""
        while len(self._pending) < len(reply) and reply.startswith(bytes(self._pending)):
            try:
                if not self._receive():
                    break
            except TimeoutError:
                break
        found = bytes(self._pending[:len(reply)])
        equal(found, reply, f"reply to {what!r}" if isinstance(what, bytes) else what)
        del self._pending[:len(reply)]

    def command(self, request):
        """Send one command of one line of reply; returns that line."""
        self.send(request + b"\r\n")
        return self.line()

    def values(self):
        """Read VALUE blocks up to END; returns {key: (flags, data, cas or None)}."""
        found = {}
        while (head := self.line()) != b"END":
            words = head.split(b" ")
            check(words[0] == b"VALUE" and len(words) in (4, 5), f"expected VALUE or END, found {head!r}")
            data = self.exactly(int(words[3]) + 2)
            check(data.endswith(b"\r\n"), f"value of {words[1]!r} does not end in CR LF")
            found[words[1]] = (int(words[2]), data[:-2], int(words[4]) if len(words) == 5 else None)
        return found

    def get(self, *keys, verb=b"get"):
        self.send(verb + b" " + b" ".join(keys) + b"\r\n")
        return self.values()

    def set(self, key, value, flags=0, expiry=0):
        """Store, and check that it was."""
        self.ask(b"set %s %d %d %d\r\n%s\r\n" % (key, flags, expiry, len(value), value), b"STORED\r\n")

    def stats(self, group=b""):
        """The rows of "stats", as text to text."""
        self.send(b"stats" + (b" " + group if group else b"") + b"\r\n")
        rows = {}
        while (line := self.line()) != b"END":
            words = line.decode().split(" ", 2)
            check(words[0] == "STAT" and len(words) == 3, f"expected STAT or END, found {line!r}")
            rows[words[1]] = words[2]
        return rows

    def until(self, name, wanted, group=b"", within=100):
        """Waits until a row of "stats" is a number."""
        limit = time.monotonic() + within
        while (found := int(self.stats(group)[name])) != wanted:
            check(time.monotonic() < limit, f"{name} is {found}, and not {wanted} after {within} s")
            time.sleep(0.05)

    def closed(self, within=20):
        """Everything until the peer closes, which takes an idle machine no longer than so many seconds."""
        within = patient(within)
        limit = time.monotonic() + within
        self.socket.settimeout(within)
        try:
            while self._receive():
                check(time.monotonic() < limit, f"not closed after {within} s, data keeps coming")
        except ConnectionError:
            pass
        except TimeoutError:
            check(False, f"not closed after {within} s; came: {bytes(self._pending[:200])!r}")
        data, self._pending = bytes(self._pending), bytearray()
        return data

    def silent(self, seconds=0.3):
        """Nothing may come, and the peer may not close."""
        check(not self._pending, f"unexpected bytes {bytes(self._pending[:200])!r}")
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(200)
        except TimeoutError:
            return
        finally:
            self.socket.settimeout(before)
        check(False, f"expected silence, found {data!r}" if data else "expected silence, was closed")

    def alive(self):
        """The server still answers on this connection."""
        check(self.command(b"version").startswith(b"VERSION "), "no VERSION")
