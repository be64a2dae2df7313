# SPDX-License-Identifier: MIT
"""Sockets that may not be served, and what a served socket's other holders can do."""

import contextlib
import errno
import os
import socket
import struct
import time

from lib import kmcnl as k
from lib.guest import in_namespace
from lib.kmcnl import test
from lib.tap import check, equal

TCP_ULP, SO_PEEK_OFF = 31, 42


def refused(expected, sockets, netlink=None):
    """KMC_CMD_NEW with these sockets must fail with `expected` and a sentence; nothing is left."""
    netlink = netlink or k.Netlink()
    try:
        netlink.new(sockets)
    except k.Refused as refusal:
        equal(errno.errorcode[refusal.errno], errno.errorcode[expected], f"errno ({refusal})")
        check(len(refusal.sentence) > 10, f"no sentence with {refusal}")
        equal(netlink.list(), [], "instances left")
        return
    check(False, "it was not refused")


def answers(endpoint, family=socket.AF_INET):
    """Whether a server answers there."""
    with socket.socket(family) as client:
        client.settimeout(60)
        try:
            client.connect(endpoint)
            client.sendall(b"version\r\n")
            return client.recv(100).startswith(b"VERSION")
        except OSError:
            return False


@test("descriptors that are no sockets")
def _():
    read, write = os.pipe()
    for fd in (read, write, os.open("/dev/null", os.O_RDWR), os.open(".", os.O_RDONLY)):
        refused(errno.ENOTSOCK, [fd])
        os.close(fd)
    refused(errno.EBADF, [60000])
    refused(errno.EBADF, [os.open(".", os.O_PATH)])


@test("sockets of other families and types")
def _():
    for family, kind, protocol in ((socket.AF_INET, socket.SOCK_DGRAM, 0), (socket.AF_INET6, socket.SOCK_DGRAM, 0),
                                   (socket.AF_UNIX, socket.SOCK_DGRAM, 0), (socket.AF_UNIX, socket.SOCK_SEQPACKET, 0),
                                   (socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 0),
                                   (socket.AF_NETLINK, socket.SOCK_RAW, 0), (socket.AF_INET, socket.SOCK_STREAM, 262)):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError:
            continue  # this kernel has no such sockets
        with sock:
            if kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
                sock.bind("\0kmc-seqpacket" if family == socket.AF_UNIX else ("127.0.0.1", 0))
                sock.listen()
            refused(errno.EPROTONOSUPPORT, [sock])


@test("sockets that do not listen")
def _():
    with socket.socket() as fresh, socket.socket(socket.AF_UNIX) as unix:
        refused(errno.EPROTONOSUPPORT, [fresh])
        refused(errno.EPROTONOSUPPORT, [unix])
        fresh.bind(("127.0.0.1", 0))
        refused(errno.EPROTONOSUPPORT, [fresh])
    one, other = socket.socketpair()
    with one, other, k.listen_tcp() as listener, socket.create_connection(listener.getsockname()) as connected:
        refused(errno.EPROTONOSUPPORT, [one])
        refused(errno.EPROTONOSUPPORT, [connected])
        refused(errno.EPROTONOSUPPORT, [listener, connected])


@test("a socket of another network namespace")
def _():
    def child():
        # The socket is of the child's namespace, the netlink socket of the guest's.
        with k.listen_tcp() as sock:
            refused(errno.EXDEV, [sock], netlink)
    netlink = k.Netlink()
    in_namespace(child)


@test("a socket given twice")
def _():
    with k.listen_tcp() as sock, k.listen_tcp() as other:
        again = os.dup(sock.fileno())
        refused(errno.EBUSY, [sock, sock])
        refused(errno.EBUSY, [sock, other, again])
        netlink = k.Netlink()
        one = netlink.new([sock])
        for fds in ([sock], [again], [other, again]):
            try:
                netlink.new(fds)
                check(False, "it was not refused")
            except k.Refused as refusal:
                equal(refusal.errno, errno.EBUSY, "errno")
        check(answers(sock.getsockname()), "the instance that has it no longer answers")
        netlink.delete(one["id"])
        os.close(again)
        # Free again: it can be given once more.
        netlink.delete(netlink.new([sock])["id"])


@test("two instances of one name, two namespaces with one name each")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as sock, k.listen_tcp() as other:
        one = netlink.new([sock], name="twin")
        try:
            netlink.new([other], name="twin")
            check(False, "it was not refused")
        except k.Refused as refusal:
            equal(refusal.errno, errno.EEXIST, "errno")
            check(refusal.sentence, "no sentence")

        def child():
            inner = k.Netlink()
            with k.listen_tcp("0.0.0.0") as inside:
                equal(inner.list(), [], "instances seen from another namespace")
                inner.delete(inner.new([inside], name="twin")["id"])
        in_namespace(child)
        netlink.delete(one["id"])


@test("a socket with an upper layer or a sockmap attached")
def _():
    with k.listen_tcp() as sock:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"smc")
        except OSError:
            pass  # a listener takes no upper layer on this kernel; sockmaps are for those with a BPF loader
        else:
            refused(errno.EBUSY, [sock])


@test("who holds a duplicate keeps a working listener")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as sock:
        sock.setblocking(False)
        one = netlink.new([sock])
        check(answers(sock.getsockname()), "no answer")
        netlink.delete(one["id"])
        # Nobody serves it now, but it listens: its holder accepts.
        with socket.create_connection(sock.getsockname(), timeout=60) as client:
            deadline = time.monotonic() + 60
            while True:
                try:
                    accepted, _ = sock.accept()
                    break
                except BlockingIOError:
                    check(time.monotonic() < deadline, "nothing to accept")
                    time.sleep(0.01)
            accepted.sendall(b"mine")
            equal(client.recv(4), b"mine", "bytes")
            accepted.close()


@test("options set on a duplicate do not stall clients")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as sock:
        one = netlink.new([sock])
        for level, option, value in ((socket.IPPROTO_TCP, socket.TCP_CORK, 1), (socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 << 20),
                                     (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600)),
                                     (socket.IPPROTO_TCP, socket.TCP_NODELAY, 0), (socket.SOL_SOCKET, socket.SO_SNDBUF, 1)):
            sock.setsockopt(level, option, value)
        took = []
        for _ in range(20):
            started = time.monotonic()
            check(answers(sock.getsockname()), "no answer")
            took.append(time.monotonic() - started)
        # A cork holds each answer back for 200 ms (tcp(7)); a busy machine has a moment for one of twenty.
        check(min(took) < 0.2, f"the quickest of twenty requests took {min(took):.3f} s")
        with socket.create_connection(sock.getsockname()) as deaf:
            # Until answers wait in the server's socket: that is what lingering would wait for.
            deaf.settimeout(1)
            with contextlib.suppress(TimeoutError):
                deaf.sendall(b"get nothing\r\n" * 1000000)
            started = time.monotonic()
            netlink.delete(one["id"])
        check(time.monotonic() - started < 300, "stopping waited for a connection to linger")


@test("shutdown of a duplicate is seen, listening again heals it")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as sock:
        one = netlink.new([sock])
        equal(k.number(netlink.get(one["id"])["listeners"][0][k.KMC_L_SHUT]), 0, "shut")
        sock.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 60
        while not k.number(netlink.get(one["id"])["listeners"][0][k.KMC_L_SHUT]):
            check(time.monotonic() < deadline, "nobody noticed")
            time.sleep(0.01)
        check(not answers(sock.getsockname()), "it answers still")
        sock.listen()
        check(answers(sock.getsockname()), "no answer after listening again")
        equal(k.number(netlink.get(one["id"])["listeners"][0][k.KMC_L_SHUT]), 0, "shut")
        netlink.delete(one["id"])


@test("every kind of address is told as it is")
def _():
    netlink = k.Netlink()
    path, abstract = f"/run/kmc-{os.getpid()}", f"\0kmc-{os.getpid()}"
    four, six, named, hidden = k.listen_tcp(), k.listen_tcp("::1"), k.listen_unix(path), k.listen_unix(abstract)
    found = netlink.new([four, six, named, hidden], name="all.kinds")
    told = [(k.number(l[k.KMC_L_FAMILY]), l.get(k.KMC_L_ADDRESS), k.number(l.get(k.KMC_L_PORT, b""))) for l in found["listeners"]]
    equal(told, [(socket.AF_INET, socket.inet_aton("127.0.0.1"), four.getsockname()[1]),
                 (socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "::1"), six.getsockname()[1]),
                 (socket.AF_UNIX, path.encode(), 0), (socket.AF_UNIX, abstract.encode(), 0)], "listeners")
    equal(netlink.get(found["id"])["listeners"], found["listeners"], "listeners of a get")
    shown = netlink.stats(found["id"], "settings")
    equal((shown["tcpport"], shown["domain_socket"]), (str(four.getsockname()[1]), path), "tcpport, domain_socket")
    check(answers(four.getsockname()) and answers(six.getsockname(), socket.AF_INET6), "no answer over TCP")
    check(answers(path, socket.AF_UNIX) and answers(abstract, socket.AF_UNIX), "no answer over unix")
    netlink.delete(found["id"])
    os.unlink(path)


@test("a path that cannot be printed is told to the tool as it is, and to clients with question marks")
def _():
    netlink, path = k.Netlink(), f"/run/kmc-{os.getpid()}\x01\r\n"
    with k.listen_unix(path) as sock:
        found = netlink.new([sock])
        equal(found["listeners"][0].get(k.KMC_L_ADDRESS), path.encode(), "address")
        shown = path[:-3] + "???"
        equal(netlink.stats(found["id"], "settings")["domain_socket"], shown, "domain_socket")
        rows = [value for name, value in netlink.stats(found["id"], "conns").items() if name.endswith(":addr")]
        equal(rows, [f"unix:{shown}"], "addr of stats conns")
        netlink.delete(found["id"])
    os.unlink(path)
