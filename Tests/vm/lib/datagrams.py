# SPDX-License-Identifier: MIT
"""A client over UDP: frames, datagrams, and messages put together from them (protocol.txt, "UDP protocol")."""

import contextlib
import pathlib
import socket
import struct
import time

from lib import kmcnl
from lib.tap import check, equal

DATAGRAM_MAX = 1400
QUIET = 0.5  # seconds in which an answer that must not come would have come


def listen_udp(host="127.0.0.1", port=0):
    """A bound UDP socket as the tool would make it."""
    sock = socket.socket(family(host), socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    if ":" in host:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((host, port))
    return sock


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def frame(id_, sequence=0, total=1, reserved=0):
    return struct.pack("!4H", id_, sequence, total, reserved)


class Datagrams:
    """A socket that asks one server."""

    def __init__(self, endpoint, source=None, timeout=60):
        self.endpoint, self.id = endpoint, 0
        self.socket = socket.socket(family(endpoint[0]), socket.SOCK_DGRAM)
        self.socket.bind(source or ("::" if ":" in endpoint[0] else "0.0.0.0", 0))
        self.timeout = timeout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, payload, **fields):
        """One request; returns its id."""
        self.id = (self.id + 1) & 0xffff
        self.socket.sendto(frame(self.id, **fields) + payload, self.endpoint)
        return self.id

    def datagrams(self):
        """The datagrams of the answer to the last request, in the order of their numbers; frames are checked."""
        found, total = {}, None
        self.socket.settimeout(self.timeout)
        while total is None or len(found) < total:
            data, address = self.socket.recvfrom(65536)
            id_, sequence, count, reserved = struct.unpack_from("!4H", data)
            equal(address[:2], tuple(self.endpoint[:2]), "where the answer comes from")
            equal((id_, reserved), (self.id, 0), "request id and reserved bytes")
            check(total in (None, count), f"the number of datagrams was {total} and is {count}")
            check(sequence < count and sequence not in found, f"datagram {sequence} of {count} after {sorted(found)}")
            check(8 < len(data) <= DATAGRAM_MAX, f"a datagram of {len(data)} bytes")
            found[sequence], total = data, count
        return [found[sequence] for sequence in range(total)]

    def ask(self, payload):
        """One request; returns the whole answer."""
        self.send(payload)
        return b"".join(datagram[8:] for datagram in self.datagrams())

    def silent(self, seconds=QUIET):
        """Nothing may come."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return
        check(False, f"expected no answer, found {data!r}")


@contextlib.contextmanager
def instance(*hosts, settings=(), tcp=False):
    """An instance on UDP sockets at these addresses, of one port; gives (netlink, instance, sockets)."""
    netlink, sockets = kmcnl.Netlink(), []
    for host in hosts or ("127.0.0.1",):
        sockets.append(listen_udp(host, sockets[0].getsockname()[1] if sockets else 0))
    if tcp:
        sockets.append(kmcnl.listen_tcp())
    one = netlink.new(sockets, *settings)
    try:
        yield netlink, one, sockets
    finally:
        with contextlib.suppress(kmcnl.Refused):
            netlink.delete(one["id"])
        for sock in sockets:
            sock.close()
        netlink.close()


def heard(client, failed):
    """The next datagram at a socket; None where none has come and, as failed() tells, something was made to fail."""
    limit = time.monotonic() + 60
    while True:
        may_be_lost = failed()
        client.settimeout(0.3)
        try:
            return client.recv(2000)
        except TimeoutError:
            check(time.monotonic() < limit, "no answer over UDP though nothing has failed")
            if may_be_lost:
                return None


def drops(sock):
    """Datagrams that a socket dropped, as /proc/net/udp says."""
    inode = str(socket_inode(sock))
    for name in ("udp", "udp6"):
        for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] == inode:
                return int(fields[12])
    raise LookupError("no such UDP socket")


def has_dropped(sock, before, count):
    """The socket has dropped exactly so many since `before`; softirq may be late to count the last."""
    limit = time.monotonic() + 60
    while (found := drops(sock) - before) < count and time.monotonic() < limit:
        time.sleep(0.02)
    equal(found, count, "dropped datagrams")


def socket_inode(sock):
    return pathlib.Path(f"/proc/self/fd/{sock.fileno()}").stat().st_ino
