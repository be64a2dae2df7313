# SPDX-License-Identifier: MIT
"""Datagrams that are no requests, and those that must not be answered."""

import socket
import struct
import subprocess

from lib.datagrams import Datagrams, drops, frame, has_dropped, instance
from lib.kmcnl import test
from lib.tap import check, equal


@test("forged frames: too short, contradictory, empty, part of several")
def frames():
    with instance("127.0.0.1", "::1") as (_, _, sockets):
        for sock in sockets:
            with Datagrams(sock.getsockname()) as client:
                before = drops(sock)
                forged = [b"", *(bytes(length) for length in range(1, 9)), frame(1),  # no payload
                          *(frame(1, sequence, total, reserved) + b"mn\r\n" for sequence, total, reserved in (
                              (0, 0, 0), (0, 2, 0), (1, 2, 0), (1, 1, 0), (0, 257, 0), (0, 65535, 0), (65535, 1, 0), (0, 1, 1),
                              (0, 1, 65535), (0, 256, 0)))]
                for datagram in forged:
                    client.socket.sendto(datagram, sock.getsockname())
                client.silent()
                has_dropped(sock, before, len(forged))
                equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer afterwards")


@test("from the port that is asked, as another server's answer would be: no answer, no loop")
def loop():
    with instance("127.0.0.1") as (_, _, one), instance("127.0.0.2") as (_, _, _):
        port = one[0].getsockname()[1]
        before = drops(one[0])
        with Datagrams(("127.0.0.1", port), ("127.0.0.3", port)) as client:
            client.send(b"mn\r\n")
            client.silent()
        has_dropped(one[0], before, 1)


def _raw(source, destination, port_from, port_to, payload, checksum=0):
    """Send a UDP datagram with a source and a checksum of one's choice."""
    udp = struct.pack("!4H", port_from, port_to, 8 + len(payload), checksum) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                     socket.inet_aton(source), socket.inet_aton(destination))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        raw.sendto(ip + udp, (destination, 0))


@test("from port 0, and with a wrong checksum: dropped")
def nobody():
    with instance() as (netlink, one, sockets), Datagrams(sockets[0].getsockname()) as client:
        port, mine = sockets[0].getsockname()[1], client.socket.getsockname()[1]
        _raw("127.0.0.1", "127.0.0.1", 0, port, frame(1) + b"set zero 0 0 1\r\n1\r\n")
        _raw("127.0.0.1", "127.0.0.1", mine, port, frame(1) + b"set wrong 0 0 1\r\n1\r\n", checksum=0xdead)
        client.silent()
        equal(client.ask(b"get zero wrong\r\n"), b"END\r\n", "what they asked to store")
        # A checksum of 0 is none, which IPv4 allows.
        _raw("127.0.0.1", "127.0.0.1", mine, port, frame(client.id) + b"mn\r\n")
        equal(client.datagrams()[0][8:], b"MN\r\n", "answer without checksum")


@test("broadcast and multicast are not answered and do nothing")
def to_many():
    subprocess.run(["modprobe", "dummy"], check=True)
    subprocess.run(["ip", "link", "add", "kmcd0", "type", "dummy"], check=True)
    try:
        subprocess.run(["ip", "address", "add", "198.51.100.1/24", "broadcast", "198.51.100.255", "dev", "kmcd0"], check=True)
        subprocess.run(["ip", "link", "set", "kmcd0", "up", "multicast", "on"], check=True)
        with instance("0.0.0.0", "::") as (_, _, sockets):
            port = sockets[0].getsockname()[1]
            index = socket.if_nametoindex("kmcd0")
            sockets[0].setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                  struct.pack("4s4si", socket.inet_aton("224.0.1.77"), bytes(4), index))
            sockets[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                                  struct.pack("16si", socket.inet_pton(socket.AF_INET6, "ff02::77"), index))
            before = drops(sockets[0]), drops(sockets[1])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
                four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                four.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4), index))
                six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                # Looped back by the stack: a sender of a multicast that is a member hears it.
                four.sendto(frame(1) + b"set many 0 0 1\r\n1\r\n", ("198.51.100.255", port))
                four.sendto(frame(1) + b"set many 0 0 1\r\n1\r\n", ("224.0.1.77", port))
                six.sendto(frame(1) + b"set many 0 0 1\r\n1\r\n", ("ff02::77", port, 0, index))
                for sock in (four, six):
                    sock.settimeout(0.5)
                    try:
                        check(False, f"answered: {sock.recv(2000)!r}")
                    except TimeoutError:
                        pass
            has_dropped(sockets[0], before[0], 2)
            has_dropped(sockets[1], before[1], 1)
            with Datagrams(("127.0.0.1", port)) as client:
                equal(client.ask(b"get many\r\n"), b"END\r\n", "what they asked to store")
    finally:
        subprocess.run(["ip", "link", "delete", "kmcd0"], check=True)
