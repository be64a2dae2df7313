# SPDX-License-Identifier: MIT
"""Netlink messages of ours, right ones and what can be made of them; all from a seed."""

import random
import struct

from lib import kmcnl as k

# What an attribute may carry, right for some of them.
PAYLOADS = (b"", b"\0", b"\1", b"\xff", b"\1\0", b"\xff\xff", b"\0" * 4, b"\1\0\0\0", b"\xff" * 4, b"\0\0\0\x80", b"\0" * 8,
            b"\xff" * 8, b"name\0", b"no end", b"x" * 31 + b"\0", b"\0" * 32, b"\xff" * 300)
NESTS = {k.KMC_A_SETTINGS: k.KMC_S_MAX, k.KMC_A_LISTENER: k.KMC_L_MAX, k.KMC_A_AUTH: k.KMC_AUTH_A_MAX, k.KMC_A_INSTANCE: k.KMC_A_MAX,
         k.KMC_A_STAT: k.KMC_STAT_MAX}
COMMANDS = tuple(range(k.KMC_CMD_MAX + 2)) + (255,)
DEEPEST = 12


def encoded(tree):
    """The bytes of a list of (kind, payload); a payload is bytes or such a list."""
    return b"".join(k.attr(kind, [encoded(payload)] if isinstance(payload, list) else payload) for kind, payload in tree)


def every():
    """Each command with each attribute carrying each payload, alone and as what it may be nested in: (command, bytes)."""
    for command in COMMANDS:
        for kind in range(k.KMC_A_MAX + 2):
            for payload in PAYLOADS:
                yield command, k.attr(kind, payload)
            yield command, k.attr(kind, [])
    for nest, last in NESTS.items():
        for command in (k.KMC_CMD_NEW, k.KMC_CMD_AUTH):
            for kind in range(last + 2):
                for payload in PAYLOADS:
                    yield command, encoded([(nest, [(kind, payload)])])


class Mutator:
    """Messages that begin right. `descriptor` is of a listening socket, as the message will be understood."""

    def __init__(self, seed, descriptor):
        self.dice = random.Random(seed)
        self.descriptor = descriptor

    def message(self):
        """One: (command, bytes)."""
        command, tree = self._right()
        for _ in range(self.dice.randint(0, 4)):
            tree = self._changed(tree, 0)
        data = bytearray(encoded(tree))
        if data and self.dice.random() < 0.3:
            for _ in range(self.dice.randint(1, 3)):
                data[self.dice.randrange(len(data))] = self.dice.choice((0, 1, 4, 0x7f, 0x80, 0xff, self.dice.randrange(256)))
        if self.dice.random() < 0.1:
            del data[self.dice.randint(0, len(data)):]
        return self.dice.choice(COMMANDS) if self.dice.random() < 0.1 else command, bytes(data)

    def _right(self):
        listener = (k.KMC_A_LISTENER, [(k.KMC_L_FD, struct.pack("i", self.descriptor)), (k.KMC_L_TAG, b"tag\0")])
        settings = (k.KMC_A_SETTINGS, [(k.KMC_S_MEMORY_LIMIT, struct.pack("Q", 4 << 20)), (k.KMC_S_CAS, b"\1"), (k.KMC_S_INTER, b"x\0"),
                                       (k.KMC_S_CONN_LIMIT, struct.pack("I", 9)), (k.KMC_S_SLAB_SIZES, b"96-200\0")])
        table = (k.KMC_A_AUTH, [(k.KMC_AUTH_A_SALT, bytes(32)), (k.KMC_AUTH_A_ROUNDS, struct.pack("I", 1)), (k.KMC_AUTH_A_DIGESTS, bytes(64))])
        which = (k.KMC_A_ID, struct.pack("I", self.dice.randint(0, 3)))
        return self.dice.choice((
            (k.KMC_CMD_NEW, [listener, settings, (k.KMC_A_FLAGS, struct.pack("I", k.KMC_INSTANCE_F_ATTACHED))]),
            (k.KMC_CMD_NEW, [listener, (k.KMC_A_NAME, b"mutant\0"), (k.KMC_A_PID, struct.pack("I", 7)), table]),
            (k.KMC_CMD_GET, [which]), (k.KMC_CMD_DEL, [which]), (k.KMC_CMD_AUTH, [which, table]),
            (k.KMC_CMD_LIST, [(k.KMC_A_CURSOR, struct.pack("I", 0))]), (k.KMC_CMD_SUBSCRIBE, []),
            (k.KMC_CMD_STATS, [which, (k.KMC_A_STATS_GROUP, b"settings\0"), (k.KMC_A_CURSOR, struct.pack("I", 0))])))

    def _changed(self, tree, depth):
        """A tree with one change, on any level."""
        if not tree:
            return [(self.dice.randrange(k.KMC_S_MAX + 3), self.dice.choice(PAYLOADS))]
        at = self.dice.randrange(len(tree))
        kind, payload = tree[at]
        if isinstance(payload, list) and depth < DEEPEST and self.dice.random() < 0.6:
            return [*tree[:at], (kind, self._changed(payload, depth + 1)), *tree[at + 1:]]
        return tree[:at] + self.dice.choice((
            lambda: [], lambda: [tree[at]] * 2, lambda: [(self.dice.randrange(k.KMC_A_MAX + 3), payload)],
            lambda: [(kind, self.dice.choice(PAYLOADS))], lambda: [(kind, [(kind, payload)])],
            lambda: [(kind, _deep(kind, payload))], lambda: [(kind | k.NLA_F_NESTED, payload)],
            lambda: [(kind, encoded(payload) if isinstance(payload, list) else payload[:-1])]))() + tree[at + 1:]


def _deep(kind, payload):
    for _ in range(DEEPEST):
        payload = [(kind, payload)]
    return payload
