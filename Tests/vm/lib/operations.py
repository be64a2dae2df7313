# SPDX-License-Identifier: MIT
"""Random operations of the text and the meta protocol: valid, nearly valid and garbage.

An operation is bytes that a client may send, the key that it names, and whether it may close the connection. A unique
that has to be one of the server's own is written as UNIQUE, and the side that sends it puts its own there.
"""

import base64
import random

UNIQUE = b"@UNIQUE@"
# Distinct also as parts of a line.
KEYS = [b"a~1", b"bb~2", b"k\xc3\xa4se", b"t\tab", b"x" * 250, b"YWJjZA==", b"key-7", b"key-8", b"key-9"]
NUMBERS = [b"num-1", b"num-2", b"num-3", b"num-4"]
TOO_LONG = b"l" * 251


class Operation:
    """What is sent; `key` is the one it may have changed, `closes` that it may end the connection."""

    __slots__ = ("data", "key", "closes", "kind")

    def __init__(self, kind, data, key=b"", closes=False):
        self.kind, self.data, self.key, self.closes = kind, data, key, closes


class Traffic:
    """An endless source of operations that a seed decides."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def next(self):
        chance = self.random.random()
        if chance < 0.46:
            return self._text()
        if chance < 0.82:
            return self._meta()
        if chance < 0.95:
            return self._nearly()
        return self._garbage()

    def _key(self, numeric=False):
        return self.random.choice(NUMBERS if numeric else KEYS)

    def _flags(self):
        return self.random.choice([b"0", b"0", b"1", b"65535", b"4294967295"])

    def _expiry(self):
        return self.random.choice([b"0", b"0", b"0", b"0", b"100", b"1000", b"2592000", b"-1"])

    def _value(self, numeric):
        if numeric:
            return b"%d" % self.random.choice([0, 7, 99, 1000, 123456789, 922337203685477000])
        size = self.random.choice([0, 1, 5, 20, 100, 100, 1000, 5000]) if self.random.random() < 0.99 else 600_000
        return (b"v" + self.random.randbytes(self.random.randrange(size + 1)).replace(b"MN\r\n", b"....")) if size else b""

    # Text

    def _text(self):
        numeric = self.random.random() < 0.25
        key = self._key(numeric)
        kind = self.random.choice(["get", "get", "get", "gets", "gat", "set", "set", "set", "add", "replace", "append",
                                   "prepend", "cas", "delete", "incr", "decr", "touch", "flush", "verbosity"])
        name = kind.encode()
        quiet = b" noreply" if self.random.random() < 0.1 else b""
        if kind in ("get", "gets"):
            keys = [key] + [self._key(self.random.random() < 0.3) for _ in range(self.random.choice([0, 0, 0, 1, 3, 30]))]
            return Operation(kind, b"%s %s\r\n" % (name, b" ".join(keys)))
        if kind == "gat":
            return Operation(kind, b"%s %s %s\r\n" % (self.random.choice([b"gat", b"gats"]), self._expiry(), key), key)
        if kind == "delete":
            return Operation(kind, b"delete %s%s\r\n" % (key, quiet), key)
        if kind in ("incr", "decr"):
            key = self._key(self.random.random() < 0.9)
            step = self.random.choice([b"0", b"1", b"5", b"999", b"100000"])
            return Operation(kind, b"%s %s %s%s\r\n" % (name, key, step, quiet), key)
        if kind == "touch":
            return Operation(kind, b"touch %s %s%s\r\n" % (key, self._expiry(), quiet), key)
        if kind == "verbosity":
            return Operation(kind, b"verbosity 0%s\r\n" % quiet)
        if kind == "flush":
            return Operation(kind, b"flush_all%s\r\n" % quiet if self.random.random() < 0.02 else b"version\r\n")
        return self._store(kind, key, numeric, quiet)

    def _store(self, kind, key, numeric, quiet):
        if kind in ("append", "prepend"):
            key, numeric = self._key(), False
        value = self._value(numeric)
        unique = b" %s" % self.random.choice([UNIQUE, UNIQUE, b"0", b"18446744073709551614"]) if kind == "cas" else b""
        line = b"%s %s %s %s %d%s%s\r\n" % (kind.encode(), key, self._flags(), self._expiry(), len(value), unique, quiet)
        return Operation(kind, line + value + b"\r\n", key)

    # Meta

    LETTERS = {b"mg": "cfhkOqstuvvvNRTPL", b"ms": "cCFIkOqTMMPL", b"md": "CIkOqTPL", b"ma": "CNJDMOqtcvvk", b"me": ""}

    def _argument(self, name, letter, numeric):
        choose = self.random.choice
        if letter in "TN":
            return choose([b"0", b"0", b"100", b"1000", b"-1"])
        if letter == "M":
            return choose([b"E", b"R", b"S"] if numeric else [b"E", b"A", b"P", b"R", b"S"]) if name == b"ms" else choose([b"I", b"+", b"D", b"-"])
        table = {"R": [b"0", b"40", b"500", b"50000", b"-1"], "J": [b"0", b"7", b"1000000"], "D": [b"0", b"1", b"100", b"100000"],
                 "F": [b"0", b"1", b"4294967295"], "C": [UNIQUE, UNIQUE, b"0", b"18446744073709551614"], "O": [b"", b"opaque", b"y" * 31]}
        return choose(table[letter]) if letter in table else b""

    def _meta(self):
        name = self.random.choice([b"mg", b"mg", b"mg", b"ms", b"ms", b"md", b"ma", b"me"])
        numeric = self.random.random() < (0.9 if name == b"ma" else 0.1)
        key = self._key(numeric)
        letters = self.LETTERS[name]
        chosen = self.random.sample(letters, min(len(letters), self.random.randrange(8)))
        words = [letter.encode() + self._argument(name, letter, numeric) for letter in dict.fromkeys(chosen)]
        shown = key
        if len(key) < 180 and self.random.random() < 0.15:
            shown = base64.b64encode(key)
            words.insert(self.random.randrange(len(words) + 1) if name != b"me" else 0, b"b")
        value = self._value(numeric) if name == b"ms" else None
        size = [b"%d" % len(value)] if name == b"ms" else []
        line = b" ".join([name, shown, *size, *words]) + b"\r\n"
        return Operation(name.decode(), line + (value + b"\r\n" if name == b"ms" else b""), key)

    # What is nearly a command

    NEARLY = [
        b"get\r\n", b"gets\r\n", b"gat 0\r\n", b"gat\r\n", b"GET K\r\n", b" get K\r\n", b"get  K  K \r\n", b"get K\n", b"gat x K\r\n",
        b"get L\r\n", b"set\r\n", b"set K\r\n", b"set K 0\r\n", b"set K 0 0\r\n", b"set K 0 0 -1\r\n", b"set K 0 0 x\r\n", b"add K 0 0 1x\r\n",
        b"set K 0 0 2147483647\r\n", b"cas K 0 0\r\n", b"delete\r\n", b"delete K 0\r\n", b"delete L\r\n", b"incr\r\n", b"incr K\r\n", b"incr K x\r\n",
        b"decr K 1x\r\n", b"incr K 18446744073709551616\r\n", b"incr L 1\r\n", b"touch\r\n", b"touch K\r\n", b"touch K x\r\n", b"touch L 0\r\n",
        b"flush_all x\r\n", b"verbosity\r\n", b"verbosity x\r\n", b"version x\r\n", b"nonsense\r\n", b"nonsense K 1\r\n", b"nonsense noreply\r\n",
        b"a\r\n", b"ab\r\n", b"\r\n", b"    \r\n", b"quitx\r\n", b"shutdown\r\n", b"stats nonsense\r\n",
        b"set K 0 0 2\r\nabc\r\n", b"set K 0 0 2\r\nabcdef\r\n", b"set K 0 0 2 noreply\r\nabc\r\n", b"set L 0 0 2\r\nab\r\n", b"set K x 0 2\r\nab\r\n",
        b"set K 0 x 2\r\nab\r\n", b"cas K 0 0 2 x\r\nab\r\n",
        b"mg\r\n", b"mg L\r\n", b"mg K z\r\n", b"mg K v v\r\n", b"mg K T\r\n", b"mg K Tx\r\n", b"mg ! b\r\n", b"ms\r\n", b"ms K\r\n", b"ms K x\r\n",
        b"ms K -1\r\n", b"ms K 2 z\r\nab\r\n", b"ms K 2 MZ\r\nab\r\n", b"ms K 2\r\nabc\r\n", b"ms K 2 F\r\nab\r\n", b"md\r\n", b"md K z\r\n", b"ma\r\n",
        b"ma K z\r\n", b"ma K MZ\r\n", b"mx K\r\n", b"me\r\n", b"mg K E5\r\n", b"md K x\r\n",
        b"mg K " + b"O" + b"y" * 32 + b"\r\n", b"mg K 1 2 3 4 5 6 7 8 9 a b c d e f g h i j k\r\n",
    ]

    def _nearly(self):
        if self.random.random() < 0.02:
            # Longer than memcached's buffer: it must not hang on how the line is cut into packets.
            return Operation("long", b"delete " + b"y" * 20_000 + b"\r\n", closes=True)
        key = self._key()
        line = self.random.choice(self.NEARLY).replace(b"K", key).replace(b"L", TOO_LONG)
        return Operation("nearly", line, key)

    def _garbage(self):
        """Bytes with few rules: the first makes no binary request, none is a line end or, since 1.6.18 ends there, zero."""
        data = bytes(b or 1 for b in self.random.randbytes(self.random.randrange(1, 200)))
        return Operation("garbage", b"?" + data.replace(b"\r", b"#").replace(b"\n", b"#") + b"\r\n")
