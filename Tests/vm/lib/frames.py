# SPDX-License-Identifier: MIT
"""Random requests of the binary protocol, and replies cut into frames."""

import random
import struct

from lib.operations import KEYS, NUMBERS, UNIQUE, Operation

HEADER = struct.Struct("!BBHBBHIIQ")
NOOP = 0x0A
SYNC_OPAQUE = 0x51515151
SYNC = HEADER.pack(0x80, NOOP, 0, 0, 0, 0, 0, SYNC_OPAQUE, 0)
GETS, STORES, JOINS = (0x00, 0x09, 0x0C, 0x0D), (0x01, 0x02, 0x03, 0x11, 0x12, 0x13), (0x0E, 0x0F, 0x19, 0x1A)
COUNTS, TIMED, DELETES = (0x05, 0x06, 0x15, 0x16), (0x1C, 0x1D, 0x1E, 0x23, 0x24), (0x04, 0x14)
NO_UNIQUE = 2**64 - 3


def frame(code, key=b"", extras=b"", value=b"", unique=0, opaque=0):
    return HEADER.pack(0x80, code, len(key), len(extras), 0, 0, len(extras) + len(key) + len(value), opaque, unique) + extras + key + value


class Frames:
    """An endless source of binary operations; a unique of the server's own is the operation's `unique`."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def next(self):
        kind = self.random.choices(["get", "store", "join", "count", "timed", "delete", "bare", "wrong", "end"], [30, 25, 8, 12, 10, 6, 3, 4, 2])[0]
        if kind == "wrong":
            # Survived: an opcode that nobody knows, and statistics of no known name.
            return Operation("wrong", self.random.choice([frame(0x7F), frame(0x1B), frame(0x10, b"nothing"), frame(0x0B)]))
        if kind == "end":
            return Operation("end", self._ending(), closes=True)
        if kind == "bare":
            return Operation("bare", frame(self.random.choice([NOOP, 0x0B])))
        return self._keyed(kind)

    def _keyed(self, kind):
        choose = self.random.choice
        numeric = kind == "count" or (kind != "join" and self.random.random() < 0.2)
        key = choose(NUMBERS if numeric else KEYS)
        extras = value = b""
        if kind in ("store", "join"):
            value = b"%d" % choose([0, 7, 99, 123456]) if numeric else b"v" + self.random.randbytes(self.random.randrange(choose([1, 20, 200, 5000])))
        if kind == "store":
            extras = struct.pack("!II", choose([0, 0, 1, 2**32 - 1]), choose([0, 0, 0, 100, 2592001]))
        elif kind == "count":
            extras = struct.pack("!QQI", choose([0, 1, 100, 100000]), choose([0, 7, 1000000]), choose([0, 100, 2**32 - 1]))
        elif kind == "timed":
            extras = struct.pack("!I", choose([0, 100, 1000]))
        code = choose({"get": GETS, "store": STORES, "join": JOINS, "count": COUNTS, "timed": TIMED, "delete": DELETES}[kind])
        asks = kind in ("store", "join", "count", "delete") and self.random.random() < 0.2
        data = frame(code, key, extras, value, NO_UNIQUE if asks else 0, self.random.randrange(2**31))
        return Operation(f"binary {kind}", data[:16] + UNIQUE + data[24:] if asks and self.random.random() < 0.8 else data, key)

    def _ending(self):
        """What is refused with the end of the connection; all of it is there, for memcached waits for extras and key."""
        return self.random.choice([
            frame(0x00), frame(0x01, b"k"), frame(NOOP, b"k"), frame(0x05, b"k", b"123"), frame(0x00, b"l" * 251), frame(0x07), frame(0x17),
            frame(0x0B, b"", b"1234"), HEADER.pack(0x80, 0, 5, 0, 0, 0, 1, 0, 0) + b"abcde", HEADER.pack(0x80, 0, 1, 0, 0, 0, 2**30 + 1, 0, 0) + b"k",
        ])


def cut(data):
    """The frames in `data`, and what is left."""
    frames = []
    while len(data) >= HEADER.size:
        length = HEADER.size + HEADER.unpack_from(data)[6]
        if len(data) < length:
            break
        frames.append(data[:length])
        data = data[length:]
    return frames, data


def is_sync(reply):
    return reply[1] == NOOP and HEADER.unpack_from(reply)[7] == SYNC_OPAQUE


def unique_of(reply):
    return HEADER.unpack_from(reply)[8]


def masked(reply):
    """Without the unique's number, and without the text of version."""
    if reply[1] == 0x0B and not reply[6:8].strip(b"\0"):
        return reply[:8] + b"#"
    return reply[:16] + (b"#" if unique_of(reply) else b"0") + reply[24:]
