# SPDX-License-Identifier: MIT
"""Messages that no tool of ours would send: each gets an errno of the contract and, where one helps, a sentence."""

import errno
import random
import struct

from lib import kernel
from lib import kmcnl as k
from lib.kmcnl import test
from lib.tap import check, equal

# The kernel's own netlink parser says these of any family, at most ten in five seconds, before we are asked.
kernel.expected_lines += [r"^netlink: '.*': attribute type \d+ has an invalid length\.$",
                          r"^netlink: \d+ bytes leftover after parsing attributes in process `.*'\.$",
                          r"^(__nla_validate_parse|validate_nla): \d+ callbacks suppressed$"]


def refused(expected, netlink, command, *attributes, sentence=False):
    """The operation must fail with one of `expected`."""
    try:
        netlink.ask(command, *attributes)
    except k.Refused as refusal:
        allowed = expected if isinstance(expected, tuple) else (expected,)
        check(refusal.errno in allowed, f"expected {[errno.errorcode[e] for e in allowed]}, found {refusal}")
        check(refusal.sentence or not sentence, f"no sentence with {refusal}")
        return refusal.sentence
    check(False, "it was not refused")


def with_listener(body):
    """Call body(netlink, attributes of a good KMC_A_LISTENER)."""
    netlink, sock = k.Netlink(), k.listen_tcp()
    try:
        body(netlink, k.attr(k.KMC_A_LISTENER, [k.s32(k.KMC_L_FD, sock.fileno())]))
        equal(netlink.list(), [], "instances left")
    finally:
        sock.close()
        netlink.close()


@test("new without a descriptor in its listener")
def _():
    netlink = k.Netlink()
    refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_LISTENER, []), sentence=True)


@test("attributes of the wrong length")
def _():
    def body(netlink, listener):
        wrong = {k.KMC_A_FLAGS: (b"", b"\1", b"\1\0\0", b"\0" * 8), k.KMC_A_PID: (b"", b"\1\0", b"\0" * 5),
                 k.KMC_A_NAME: (b"x" * 40, b"x" * 40 + b"\0")}
        for kind, values in wrong.items():
            for value in values:
                refused((errno.EINVAL, errno.ERANGE), netlink, k.KMC_CMD_NEW, listener, k.attr(kind, value))
    with_listener(body)


# Settings that take the largest number there is, with their length, or any text.
_TAKES_ALL = {(k.KMC_S_PREFIX_DELIM, 1), *((kind, 4) for kind in (
    k.KMC_S_SLAB_AUTOMOVE_RATIO, k.KMC_S_SLAB_AUTOMOVE_FREERATIO, k.KMC_S_HOT_MAX_FACTOR, k.KMC_S_WARM_MAX_FACTOR,
    k.KMC_S_TEMPORARY_TTL, k.KMC_S_LRU_CRAWLER_TOCRAWL, k.KMC_S_TAIL_REPAIR_TIME, k.KMC_S_WORKER_LOGBUF_SIZE))}
_TAKES_TEXT = {k.KMC_S_INTER, k.KMC_S_AUTH_FILE}


@test("settings of the wrong length or type")
def _():
    def body(netlink, listener):
        for kind in range(1, k.KMC_S_MAX + 8):
            for size in (0, 1, 2, 3, 4, 7, 8, 9, 300):
                try:
                    found = netlink.ask(k.KMC_CMD_NEW, listener,
                                        k.attr(k.KMC_A_SETTINGS, [k.attr(kind, b"\xff" * size)]))
                    check(kind in _TAKES_TEXT or (kind, size) in _TAKES_ALL,
                          f"attribute {kind} with {size} bytes of 0xff was taken")
                    netlink.delete(k.instance(dict(found)[k.KMC_A_INSTANCE])["id"])
                except k.Refused as refusal:
                    check(refusal.errno in (errno.EINVAL, errno.ERANGE), f"attribute {kind}, {size} bytes: {refusal}")
    with_listener(body)


@test("settings outside their range have a sentence")
def _():
    def body(netlink, listener):
        for setting in (k.u64(k.KMC_S_MEMORY_LIMIT, 1), k.u64(k.KMC_S_MEMORY_LIMIT, 1 << 60), k.u32(k.KMC_S_CONN_LIMIT, 0),
                        k.u32(k.KMC_S_GROWTH_FACTOR, 1000), k.u32(k.KMC_S_ITEM_SIZE_MAX, 1), k.u32(k.KMC_S_HASHPOWER, 40),
                        k.u8(k.KMC_S_EVICT, 2), k.u8(k.KMC_S_VERBOSE, 200), k.u32(k.KMC_S_ITEM_SIZE_MAX, 1 << 30)):
            refused((errno.ERANGE, errno.EINVAL), netlink, k.KMC_CMD_NEW, listener, k.attr(k.KMC_A_SETTINGS, [setting]),
                    sentence=True)
    with_listener(body)


@test("names outside the rules")
def _():
    def body(netlink, listener):
        for name in ("", "17", "a b", "a/b", "a\nb", "é", "a" * 32, "\x7f", "%n"):
            refused((errno.EINVAL, errno.ERANGE), netlink, k.KMC_CMD_NEW, listener, k.attr(k.KMC_A_NAME, name), sentence=True)
    with_listener(body)


@test("unknown attributes, flags and commands")
def _():
    def body(netlink, listener):
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, listener, k.u32(k.KMC_A_MAX + 1, 0))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, listener, k.u32(k.KMC_A_STATE, 0))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, listener, k.s32(k.KMC_A_CGROUP_FD, 0))
        for flags in (2, 1 << 16, 1 << 31):
            refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, listener, k.u32(k.KMC_A_FLAGS, flags))
        refused(errno.EINVAL, netlink, k.KMC_CMD_LIST, k.u32(k.KMC_A_FLAGS, 1))
        refused(errno.EINVAL, netlink, k.KMC_CMD_SUBSCRIBE, k.u32(k.KMC_A_ID, 1))
        for command in (0, k.KMC_CMD_EVENT, k.KMC_CMD_MAX + 1, 255):
            refused(errno.EOPNOTSUPP, netlink, command)
    with_listener(body)


@test("reserved commands say so")
def _():
    netlink = k.Netlink()
    for command in (k.KMC_CMD_SET, k.KMC_CMD_LISTENERS, k.KMC_CMD_STREAM_OPEN, k.KMC_CMD_STREAM_READ,
                    k.KMC_CMD_STREAM_WRITE, k.KMC_CMD_STREAM_CLOSE):
        refused(errno.EOPNOTSUPP, netlink, command, sentence=True)
        refused(errno.EOPNOTSUPP, netlink, command, k.u32(k.KMC_A_ID, 1), k.attr(k.KMC_A_SETTINGS, []), sentence=True)


@test("nests that are none, or nested wrongly")
def _():
    def body(netlink, listener):
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_LISTENER, struct.pack("i", 3)))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, listener, k.attr(k.KMC_A_SETTINGS, b"\xff" * 7))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_SETTINGS, [listener]))
        # A nest without NLA_F_NESTED, one longer than its parent, an attribute shorter than its header.
        good = k.s32(k.KMC_L_FD, 0)
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_LISTENER, good))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_LISTENER | k.NLA_F_NESTED, struct.pack("HH", 400, 1)))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_LISTENER | k.NLA_F_NESTED, struct.pack("HH", 2, 1)))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, listener, struct.pack("HH", 3, k.KMC_A_PID))
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, listener, b"\1\2\3")
    with_listener(body)


@test("listeners with bad fields")
def _():
    def body(netlink, _):
        fd = k.s32(k.KMC_L_FD, 0)
        for fields in ([], [k.s32(k.KMC_L_FD, -1)], [k.s32(k.KMC_L_FD, -(1 << 31))], [fd, k.u8(k.KMC_L_PROTOCOL, 3)],
                       [fd, k.attr(k.KMC_L_TAG, "")], [fd, k.attr(k.KMC_L_TAG, "ninebytes")], [fd, k.u16(k.KMC_L_PORT, 1)],
                       [k.attr(k.KMC_L_FD, b"\0\0")]):
            refused((errno.EINVAL, errno.ERANGE), netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_LISTENER, fields))
        refused(errno.EBADF, netlink, k.KMC_CMD_NEW, k.attr(k.KMC_A_LISTENER, [k.s32(k.KMC_L_FD, (1 << 31) - 1)]),
                sentence=True)
    with_listener(body)


@test("more listeners than an instance may have")
def _():
    def body(netlink, _):
        sockets = [k.listen_tcp() for _ in range(k.KMC_LISTENERS_MAX + 1)]
        nests = [k.attr(k.KMC_A_LISTENER, [k.s32(k.KMC_L_FD, sock.fileno())]) for sock in sockets]
        refused(errno.EINVAL, netlink, k.KMC_CMD_NEW, *nests, sentence=True)
        one = netlink.new(sockets[1:])
        equal(len(one["listeners"]), k.KMC_LISTENERS_MAX, "listeners")
        netlink.delete(one["id"])
        for sock in sockets:
            sock.close()
    with_listener(body)


@test("naming an instance wrongly")
def _():
    netlink = k.Netlink()
    for command in (k.KMC_CMD_DEL, k.KMC_CMD_GET, k.KMC_CMD_STATS):
        refused(errno.EINVAL, netlink, command, sentence=True)
        refused(errno.EINVAL, netlink, command, k.u32(k.KMC_A_ID, 1), k.attr(k.KMC_A_NAME, "one"), sentence=True)
        refused((errno.ERANGE, errno.EINVAL), netlink, command, k.u32(k.KMC_A_ID, 0))
        refused(errno.ENOENT, netlink, command, k.u32(k.KMC_A_ID, 0xffffffff), sentence=True)
        refused(errno.ENOENT, netlink, command, k.attr(k.KMC_A_NAME, "nobody"), sentence=True)
        refused(errno.EINVAL, netlink, command, k.attr(k.KMC_A_NAME, "x"), k.u32(k.KMC_A_FLAGS, k.KMC_LIST_F_ALL_NETNS),
                sentence=True)


@test("a dump is refused and holds nothing")
def _():
    netlink = k.Netlink()
    for command in (k.KMC_CMD_LIST, k.KMC_CMD_STATS):
        netlink.send(netlink.family, command, b"", k.NLM_F_REQUEST | k.NLM_F_ACK | k.NLM_F_DUMP)
        try:
            netlink.receive()
            check(False, "a dump was started")
        except k.Refused as refusal:
            equal(refusal.errno, errno.EOPNOTSUPP, "errno")


@test("messages cut anywhere")
def _():
    def body(netlink, listener):
        whole = b"".join([k.attr(k.KMC_A_NAME, "cut"), k.attr(k.KMC_A_SETTINGS, [k.u32(k.KMC_S_CONN_LIMIT, 5)]),
                          k.u32(k.KMC_A_PID, 5), listener])
        for length in range(len(whole) - len(listener) + 1, len(whole)):
            refused((errno.EINVAL, errno.ERANGE, errno.EBADF), netlink, k.KMC_CMD_NEW, whole[:length])
        # Without the listener it is a message as well: one that asks for an instance that nobody can reach.
        for length in range(len(whole) - len(listener) + 1):
            try:
                made = netlink.ask(k.KMC_CMD_NEW, whole[:length])
                netlink.delete(k.instance(dict(made)[k.KMC_A_INSTANCE])["id"])
            except k.Refused as refusal:
                check(refusal.errno in (errno.EINVAL, errno.ERANGE), f"{length} bytes: {refusal}")
    with_listener(body)


@test("ten thousand mutated messages", timeout=240)
def _():
    def body(netlink, listener):
        dice = random.Random(1)
        whole = b"".join([k.attr(k.KMC_A_NAME, "mutant"), k.attr(k.KMC_A_SETTINGS, [
            k.u32(k.KMC_S_CONN_LIMIT, 5), k.attr(k.KMC_S_INTER, "x"), k.u8(k.KMC_S_CAS, 1)]), k.u32(k.KMC_A_PID, 5), listener])
        for _ in range(10000):
            bytes_ = bytearray(whole)
            for _ in range(dice.randint(1, 4)):
                bytes_[dice.randrange(len(bytes_))] = dice.choice((0, 1, 3, 4, 5, 0x7f, 0x80, 0xff, dice.randrange(256)))
            try:
                found = netlink.ask(dice.choice((k.KMC_CMD_NEW, k.KMC_CMD_NEW, k.KMC_CMD_GET, k.KMC_CMD_STATS, k.KMC_CMD_LIST)),
                                    bytes(bytes_))
            except k.Refused as refusal:
                check(0 < refusal.errno < 525, f"errno {refusal.errno}")
                continue
            for kind, data in found:
                if kind == k.KMC_A_INSTANCE:
                    netlink.delete(k.instance(data)["id"])
    with_listener(body)
