# SPDX-License-Identifier: MIT
r"""Conversations written down in text files, played against a server and compared byte by byte.

    # a comment
    == title [1.6.45]    begins a conversation, on a connection of its own and with nothing stored; the version, if
                         there is one, is the first memcached that talks so
    > get a              sent, with CR LF behind
    >> set a 0 0 1\n     sent as it is, after resolving \r \n \t \\ \xNN
    < END                must come, with CR LF behind
    <* VERSION           a line that begins so must come
    {250*k}              in any of these: 250 times k
    <EOF                 the server must close

A conversation is played in each of several ways: all requests in one piece, turn by turn, byte by byte. What the
server says may never depend on that.
"""

import re

from lib.tap import check, equal

_REPEAT = re.compile(rb"\{(\d+)\*(.)\}")
_ESCAPES = {b"\\r": b"\r", b"\\n": b"\n", b"\\t": b"\t", b"\\\\": b"\\"}


class Conversation:
    """Turns of (bytes to send, [expected replies])."""

    def __init__(self, title):
        found = re.fullmatch(r"(.*?)(?: \[([\d.]+)\])?", title)
        self.title, self.since = found.group(1), found.group(2) or "0"
        self.turns = []

    def add_request(self, data):
        if not self.turns or self.turns[-1][1]:
            self.turns.append((bytearray(), []))
        self.turns[-1][0].extend(data)

    def add_reply(self, reply):
        check(self.turns, f"{self.title}: a reply before any request")
        self.turns[-1][1].append(reply)


def _plain(text):
    """Repetitions resolved."""
    return _REPEAT.sub(lambda found: found.group(2) * int(found.group(1)), text)


def _raw(text):
    text = re.sub(rb"\\x([0-9a-f]{2})", lambda found: b"\\x" + found.group(1), _plain(text))
    return re.sub(rb"\\x[0-9a-f]{2}|\\[rnt\\]",
                  lambda found: _ESCAPES.get(found.group()) or bytes([int(found.group()[2:], 16)]), text)


def read(path):
    """The conversations of a file."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.startswith(b"== "):
            found.append(Conversation(line[3:].decode()))
        elif line.startswith(b">> "):
            found[-1].add_request(_raw(line[3:]))
        elif line.startswith(b"> ") or line == b">":
            found[-1].add_request(_plain(line[2:]) + b"\r\n")
        elif line == b"<EOF":
            found[-1].add_reply(("end", b""))
        elif line.startswith(b"<* "):
            found[-1].add_reply(("prefix", _plain(line[3:])))
        elif line.startswith(b"< "):
            found[-1].add_reply(("line", _plain(line[2:])))
        elif line == b"<":
            found[-1].add_reply(("line", b""))
        elif line and not line.startswith(b"#"):
            raise ValueError(f"{path.name}:{number}: cannot read {line!r}")
    return found


def _listen(wire, replies, title):
    for kind, text in replies:
        if kind == "end":
            equal(wire.closed(), b"", f"{title}: bytes before the end")
        elif kind == "line":
            wire.expect(text + b"\r\n", f"{title}: reply")
        else:
            line = wire.line()
            check(line.startswith(text), f"{title}: expected a line that begins with {text!r}, found {line!r}")


def play(conversation, wire, way):
    """Hold a conversation on a fresh connection; `way` is "turns", "pipelined" or "bytes"."""
    if way == "pipelined":
        # Nothing after a turn that ends in a close can be sent before it.
        wire.send(b"".join(bytes(request) for request, _ in conversation.turns))
    for request, replies in conversation.turns:
        if way == "turns":
            wire.send(request)
        elif way == "bytes":
            wire.drip(request)
        _listen(wire, replies, f"{conversation.title} ({way})")
    if not any(kind == "end" for _, replies in conversation.turns for kind, _ in replies):
        wire.ask(b"mark\r\n", b"ERROR\r\n")
