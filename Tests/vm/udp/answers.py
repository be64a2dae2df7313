# SPDX-License-Identifier: MIT
"""What comes back over UDP: right bytes, in right frames, from the right address."""

import socket
import subprocess
import time

from lib import kmcnl as k
from lib.datagrams import Datagrams, drops, has_dropped, instance, listen_udp
from lib.kmcnl import test
from lib.tap import check, equal
from lib.wire import Wire

HOSTS = ("127.0.0.1", "::1")
REPLY_MAX = 92 * 1392  # KMC_UDP_REPLY_MAX of kmod/udp.h, bytes without frames


@test("every kind of text command, IPv4 and IPv6")
def commands():
    with instance(*HOSTS) as (_, _, sockets):
        for sock in sockets:
            with Datagrams(sock.getsockname()) as client:
                for ask, answer in ((b"set a 7 0 3\r\none\r\n", b"STORED\r\n"), (b"get a\r\n", b"VALUE a 7 3\r\none\r\nEND\r\n"),
                                    (b"append a 0 0 1\r\n!\r\n", b"STORED\r\n"), (b"mg a v\r\n", b"VA 4\r\none!\r\n"),
                                    (b"set n 0 0 1\r\n8\r\n", b"STORED\r\n"), (b"incr n 4\r\n", b"12\r\n"),
                                    (b"touch n 100\r\n", b"TOUCHED\r\n"), (b"delete n\r\n", b"DELETED\r\n"),
                                    (b"nonsense\r\n", b"ERROR\r\n"), (b"get " + b"k" * 251 + b"\r\n", b"CLIENT_ERROR bad command line format\r\n"),
                                    (b"version\r\n", b"VERSION 1.6.45\r\n"), (b"flush_all\r\n", b"OK\r\n")):
                    found = client.ask(ask)
                    check(found == answer or (ask == b"version\r\n" and found.startswith(b"VERSION ")),
                          f"{ask[:40]!r}: expected {answer!r}, found {found!r}")


@test("several commands in one datagram, and one of several keys: one message")
def several():
    with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
        equal(client.ask(b"set a 0 0 1\r\n1\r\nset b 0 0 1\r\n2\r\nget a b c\r\nmn\r\n"),
              b"STORED\r\nSTORED\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\nMN\r\n", "answer")
        # More than one turn's worth: the work item ends what softirq began.
        equal(client.ask(b"incr none 1\r\n" * 3000), b"NOT_FOUND\r\n" * 3000, "three thousand answers")


@test("two thousand requests in a datagram, each of which uses up its turn: all are done")
def turns():
    value, more = bytes(70_000), 2300  # of more than a turn may copy
    with instance(tcp=True) as (_, _, (udp, tcp)), Datagrams(udp.getsockname()) as client:
        with Wire(tcp.getsockname()) as wire:
            wire.set(b"a", value)
        equal(client.ask(b"append a 0 0 1 noreply\r\n!\r\n" * more + b"mn\r\n"), b"MN\r\n", "answer")
        equal(client.ask(b"mg a s\r\n"), b"HD s%d\r\n" % (len(value) + more), "size")


@test("no answer to noreply, quiet commands and quit; the next request is a new conversation")
def quiet():
    with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
        for ask in (b"set a 0 0 1 noreply\r\n1\r\n", b"mg none q\r\n", b"quit\r\n"):
            client.send(ask)
        client.silent()
        equal(client.ask(b"get a\r\n"), b"VALUE a 0 1\r\n1\r\nEND\r\n", "answer")


@test("a request that does not end in its datagram is dropped, and does not go on in the next")
def unfinished():
    with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
        before = drops(sockets[0])
        for ask in (b"set a 0 0 10\r\nfive", b"get a", b"se", b"set a 0 0 1\r\n"):
            client.send(ask)
        client.silent()
        client.send(b"1\r\n")
        equal(b"".join(d[8:] for d in client.datagrams()), b"CLIENT_ERROR bad command line format\r\n", "answer to a value alone")
        equal(client.ask(b"get a\r\n"), b"END\r\n", "the unfinished set")
        has_dropped(sockets[0], before, 4)


@test("large replies come in several datagrams, IPv4 and IPv6")
def large():
    with instance(*HOSTS, tcp=True) as (_, _, sockets), Wire(sockets[2].getsockname()) as wire:
        for sock in sockets[:2]:
            with Datagrams(sock.getsockname()) as client:
                # Around the end of one, two and three datagrams, across what is copied and what is held.
                for size in (1, 1360, 1370, 1371, 1372, 1373, 1374, 1375, 2760, 2763, 2766, 4096, 4097, 8192, 20000, 65000, 127000):
                    value = bytes((size * 7 + place * 31) & 255 for place in range(256)) * (size // 256 + 1)
                    wire.set(b"k", value[:size])
                    answer = b"VALUE k 0 %d\r\n%s\r\nEND\r\n" % (size, value[:size])
                    equal(client.ask(b"get k\r\n"), answer, f"value of {size} bytes")
                    client.send(b"get k\r\n")
                    equal(len(client.datagrams()), -(-len(answer) // 1392), f"datagrams of {size} bytes")


@test("many values in one reply, and large ones stored over UDP")
def many():
    with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
        values = {b"k%d" % n: bytes((n * 13 + place) & 255 for place in range(256)) * n for n in range(20)}
        for key, value in values.items():
            equal(client.ask(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value)), b"STORED\r\n", f"set of {len(value)} bytes")
        expected = b"".join(b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(value), value) for key, value in values.items())
        equal(client.ask(b"get " + b" ".join(values) + b"\r\n"), expected + b"END\r\n", "twenty values")
        value = b"x" * 65000
        equal(client.ask(b"set big 0 0 65000\r\n" + value + b"\r\n"), b"STORED\r\n", "set of 65,000 bytes")
        equal(client.ask(b"get big\r\n"), b"VALUE big 0 65000\r\n" + value + b"\r\nEND\r\n", "value of 65,000 bytes")


@test("a reply above the bound is one error, at the bound it is whole")
def bound():
    with instance(tcp=True) as (_, _, sockets), Wire(sockets[1].getsockname()) as wire, \
            Datagrams(sockets[0].getsockname()) as client:
        around = len(b"VALUE k 0 128000\r\n\r\nEND\r\n")
        wire.set(b"k", b"v" * (REPLY_MAX - around))
        equal(len(client.ask(b"get k\r\n")), REPLY_MAX, "bytes of the largest reply")
        wire.set(b"k", b"v" * (REPLY_MAX - around + 1))
        client.send(b"get k\r\n")
        found = client.datagrams()
        equal(len(found), 1, "datagrams")
        check(found[0][8:].startswith(b"SERVER_ERROR out of memory"), f"answer {found[0][8:]!r}")
        client.send(b"get " + b"k " * 30000 + b"\r\n")
        equal(len(client.datagrams()), 1, "datagrams of thirty thousand values")
        equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer afterwards")


@test("the answer comes from the address that was asked")
def addresses():
    subprocess.run(["ip", "address", "add", "192.0.2.77/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "address", "add", "2001:db8::77/128", "dev", "lo", "nodad"], check=True)
    try:
        with instance("0.0.0.0", "::") as (_, _, sockets):
            port = sockets[0].getsockname()[1]
            for host in ("127.0.0.1", "127.7.7.7", "192.0.2.77", "::1", "2001:db8::77"):
                for source in (None, (host, 0)):
                    with Datagrams((host, port), source) as client:
                        equal(client.ask(b"mn\r\n"), b"MN\r\n", f"answer from {host}")
    finally:
        subprocess.run(["ip", "address", "delete", "192.0.2.77/32", "dev", "lo"], check=True)
        subprocess.run(["ip", "address", "delete", "2001:db8::77/128", "dev", "lo"], check=True)


@test("IPv4 on a socket of both families")
def mapped():
    netlink = k.Netlink()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", 0))
        one = netlink.new([sock])
        for host in ("127.0.0.1", "::1"):
            with Datagrams((host, sock.getsockname()[1])) as client:
                equal(client.ask(b"mn\r\n"), b"MN\r\n", f"answer from {host}")
        netlink.delete(one["id"])


@test("what came before the instance is answered")
def before():
    netlink = k.Netlink()
    with listen_udp() as sock, listen_udp("::1") as sock6:
        clients = [Datagrams(one.getsockname()) for one in (sock, sock6) for _ in range(5)]
        for number, client in enumerate(clients):
            client.send(b"set early%d 0 0 1\r\n1\r\n" % number)
        clients[0].socket.sendto(b"\0\0\0\0\0\1\0", sock.getsockname())
        one = netlink.new([sock, sock6])
        for client in clients:
            equal(b"".join(d[8:] for d in client.datagrams()), b"STORED\r\n", "answer")
            client.socket.close()
        netlink.delete(one["id"])


@test("statistics and descriptions know UDP")
def statistics():
    with instance(tcp=True) as (netlink, one, sockets), Datagrams(sockets[0].getsockname()) as client:
        kinds = [k.number(listener[k.KMC_L_TYPE]) for listener in one["listeners"]]
        equal(kinds, [socket.SOCK_DGRAM, socket.SOCK_STREAM], "KMC_L_TYPE")
        equal(netlink.stats(one["id"], "settings")["udpport"], str(sockets[0].getsockname()[1]), "udpport")
        equal(netlink.stats(one["id"], "settings")["tcpport"], str(sockets[1].getsockname()[1]), "tcpport")
        first = netlink.stats(one["id"])
        client.ask(b"mn\r\n")

        def moved():
            second = netlink.stats(one["id"])
            return [int(second[row]) - int(first[row]) for row in ("bytes_read", "bytes_written", "curr_connections", "total_connections")]
        # An answer is counted when it has been sent, perhaps behind its reader's back.
        limit = time.monotonic() + 60
        while not moved()[1] and time.monotonic() < limit:
            time.sleep(0.02)
        equal(moved(), [12, 12, 0, 0], "bytes read and written, with frames; connections")
