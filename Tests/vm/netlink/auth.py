# SPDX-License-Identifier: MIT
"""Authentication tables: only whole ones, only where clients must say who they are, and never an instance without."""

import errno
import hashlib
import socket

from lib import kmcnl as k
from lib.kmcnl import test
from lib.tap import check, equal

SALT = bytes(range(32))
ROUNDS = 2


def _hash(data):
    return hashlib.sha256(data).digest()


def _digest(user, password):
    digest = _hash(SALT + _hash(user) + _hash(password))
    for _ in range(ROUNDS):
        digest = _hash(digest + SALT)
    return digest


def _table(*users, salt=SALT, rounds=ROUNDS, digests=None):
    rows = [k.attr(k.KMC_AUTH_A_SALT, salt), k.u32(k.KMC_AUTH_A_ROUNDS, rounds)]
    digests = b"".join(_digest(*user) for user in users) if digests is None else digests
    return k.attr(k.KMC_A_AUTH, rows + ([k.attr(k.KMC_AUTH_A_DIGESTS, digests)] if digests else []))


def _new(netlink, listener, auth, *more, protocol=k.KMC_PROTOCOL_TEXT):
    settings = k.attr(k.KMC_A_SETTINGS, [k.u8(k.KMC_S_PROTOCOL, protocol), k.u8(k.KMC_S_AUTH, auth)])
    socket_ = k.attr(k.KMC_A_LISTENER, [k.s32(k.KMC_L_FD, listener.fileno())])
    return k.instance(dict(netlink.ask(k.KMC_CMD_NEW, settings, socket_, *more))[k.KMC_A_INSTANCE])["id"]


def _refused(expected, call, *arguments, **how):
    try:
        call(*arguments, **how)
    except k.Refused as refusal:
        equal(errno.errorcode[refusal.errno], errno.errorcode[expected], "errno")
        check(refusal.sentence, "a sentence")
        return
    check(False, "it was not refused")


def _login(port, user, password):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(20)
        token = user + b" " + password
        client.sendall(b"set x 0 0 %d\r\n%s\r\n" % (len(token), token))
        return client.recv(100)


@test("an instance with authentication needs a whole table, and one without takes none")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as listener:
        good = _table((b"foo", b"bar"))
        _refused(errno.EINVAL, _new, netlink, listener, k.KMC_AUTH_TEXT)
        _refused(errno.EINVAL, _new, netlink, listener, k.KMC_AUTH_NONE, good)
        for protocol in (k.KMC_PROTOCOL_AUTO, k.KMC_PROTOCOL_BINARY):
            _refused(errno.EINVAL, _new, netlink, listener, k.KMC_AUTH_TEXT, good, protocol=protocol)
        for protocol in (k.KMC_PROTOCOL_AUTO, k.KMC_PROTOCOL_TEXT):
            _refused(errno.EINVAL, _new, netlink, listener, k.KMC_AUTH_SASL, good, protocol=protocol)
        for bad in (k.attr(k.KMC_A_AUTH, []), k.attr(k.KMC_A_AUTH, [k.attr(k.KMC_AUTH_A_SALT, SALT)]),
                    k.attr(k.KMC_A_AUTH, [k.u32(k.KMC_AUTH_A_ROUNDS, 1)]), _table(digests=b"x" * 33), _table(digests=b"x" * 31)):
            _refused(errno.EINVAL, _new, netlink, listener, k.KMC_AUTH_TEXT, bad)
        for bad in (_table(salt=SALT[:31]), _table(salt=SALT + b"x"), _table(rounds=0), _table(rounds=1025),
                    _table(digests=b"x" * (257 * 32))):
            try:
                _new(netlink, listener, k.KMC_AUTH_TEXT, bad)
                check(False, "it was not refused")
            except k.Refused as refusal:
                check(refusal.errno in (errno.EINVAL, errno.ERANGE), f"errno {refusal.errno}")
        equal(netlink.list(), [], "instances")


@test("a table is replaced at once, by whoever may, where there is one")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as listener, k.listen_tcp() as other:
        port = listener.getsockname()[1]
        made = _new(netlink, listener, k.KMC_AUTH_TEXT, _table((b"foo", b"bar"), (b"me", b"too")))
        plain = _new(netlink, other, k.KMC_AUTH_NONE)
        which = k.u32(k.KMC_A_ID, made)
        equal(_login(port, b"foo", b"bar"), b"STORED\r\n", "the first user")
        equal(_login(port, b"me", b"too"), b"STORED\r\n", "the second user")
        for _ in range(20):
            netlink.ask(k.KMC_CMD_AUTH, which, _table((b"new", b"word")))
            netlink.ask(k.KMC_CMD_AUTH, which, _table((b"foo", b"bar")))
        netlink.ask(k.KMC_CMD_AUTH, which, _table((b"new", b"word")))
        equal(_login(port, b"new", b"word"), b"STORED\r\n", "a new user")
        equal(_login(port, b"foo", b"bar"), b"CLIENT_ERROR authentication failure\r\n", "an old user")
        _refused(errno.EINVAL, netlink.ask, k.KMC_CMD_AUTH, which)
        _refused(errno.EINVAL, netlink.ask, k.KMC_CMD_AUTH, which, _table(digests=b"x" * 33))
        _refused(errno.EINVAL, netlink.ask, k.KMC_CMD_AUTH, k.u32(k.KMC_A_ID, plain), _table((b"foo", b"bar")))
        _refused(errno.ENOENT, netlink.ask, k.KMC_CMD_AUTH, k.u32(k.KMC_A_ID, made + 100), _table((b"foo", b"bar")))
        equal(_login(port, b"new", b"word"), b"STORED\r\n", "after what was refused")
        netlink.ask(k.KMC_CMD_AUTH, which, _table())
        equal(_login(port, b"new", b"word"), b"CLIENT_ERROR authentication failure\r\n", "with an empty table")
        for one in (made, plain):
            netlink.delete(one)


@test("UDP cannot be served with authentication")
def _():
    netlink = k.Netlink()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        _refused(errno.EINVAL, _new, netlink, listener, k.KMC_AUTH_TEXT, _table((b"foo", b"bar")))
        equal(netlink.list(), [], "instances")
