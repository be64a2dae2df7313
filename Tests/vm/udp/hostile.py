# SPDX-License-Identifier: MIT
"""What others can do to a socket that is served, and what may not be served."""

import contextlib
import errno
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from lib import bpf, kernel
from lib import kmcnl as k
from lib.datagrams import Datagrams, drops, frame, has_dropped, instance, listen_udp
from lib.guest import enter, in_namespace, unshare, CLONE_NEWNET
from lib.kmcnl import test
from lib.tap import check, equal

UDP_CORK, UDP_ENCAP, UDP_GRO, SO_ATTACH_FILTER, IP_XFRM_POLICY = 1, 100, 104, 26, 17


def _refused(sock, expected, netlink=None):
    try:
        (netlink or k.Netlink()).new([sock])
    except k.Refused as refusal:
        equal(errno.errorcode[refusal.errno], errno.errorcode[expected], f"errno ({refusal.sentence})")
        check(len(refusal.sentence) > 10, f"no sentence with {refusal}")
        return
    check(False, "it was not refused")


@test("sockets that are refused: not bound, connected, encapsulating, with UDP_GRO, given twice, of another namespace")
def refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as fresh:
        _refused(fresh, errno.EPROTONOSUPPORT)
    with listen_udp() as sock:
        sock.connect(("127.0.0.1", 9))
        _refused(sock, errno.EPROTONOSUPPORT)
    with listen_udp() as sock:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        _refused(sock, errno.EPROTONOSUPPORT)
        sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 0)
        with contextlib.suppress(OSError):  # a kernel may have no IPsec
            sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, 2)
            _refused(sock, errno.EBUSY)
    with instance() as (netlink, _, sockets):
        _refused(sockets[0], errno.EBUSY, netlink)
    netlink = k.Netlink()

    def child():
        with listen_udp() as sock:
            _refused(sock, errno.EXDEV, netlink)
    in_namespace(child)


@test("a corked duplicate, held by another process, stalls nobody and gets no byte of ours")
def corked():
    with instance(tcp=True) as (_, _, sockets):
        with Datagrams(sockets[0].getsockname()) as client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
            theirs.bind(("127.0.0.1", 0))
            ready, tell = os.pipe()
            child = os.fork()
            if not child:
                sockets[0].setsockopt(socket.IPPROTO_UDP, UDP_CORK, 1)
                sockets[0].sendto(b"corked", theirs.getsockname())
                os.write(tell, b"x")
                signal.pause()
            os.read(ready, 1)
            try:
                value = b"v" * 20000
                equal(client.ask(b"set k 0 0 20000\r\n" + value + b"\r\n"), b"STORED\r\n", "answer")
                for _ in range(50):
                    equal(client.ask(b"get k\r\n"), b"VALUE k 0 20000\r\n" + value + b"\r\nEND\r\n", "answer")
                equal(client.ask(b"mn\r\n" * 500), b"MN\r\n" * 500, "answer by the work item")
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            # What was corked goes out when the cork does, and is what was corked.
            sockets[0].setsockopt(socket.IPPROTO_UDP, UDP_CORK, 0)
            theirs.settimeout(60)
            equal(theirs.recv(2000), b"corked", "what its holder corked")


@test("options set on a duplicate do not stall clients")
def options():
    with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
        for level, option, value in ((socket.SOL_SOCKET, socket.SO_SNDBUF, 1), (socket.SOL_SOCKET, socket.SO_RCVBUF, 1),
                                     (socket.IPPROTO_UDP, UDP_GRO, 1), (socket.IPPROTO_IP, socket.IP_TTL, 1),
                                     (socket.SOL_SOCKET, socket.SO_PRIORITY, 5)):
            sockets[0].setsockopt(level, option, value)
            equal(client.ask(b"mn\r\n" * 600), b"MN\r\n" * 600, f"answer after option {option}")


@contextlib.contextmanager
def _beyond_a_gateway():
    """In a namespace of its own: 10.8.0.1 here, and 10.77.0.1 behind the gateway 10.8.0.2, in the namespace of the file that this gives."""
    subprocess.run(["modprobe", "veth"], check=True)
    with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE) as other:
        try:
            other.stdout.readline()
            inside = ("nsenter", "-n", "-t", str(other.pid))
            for command in (("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(other.pid)),
                            ("ip", "address", "add", "10.8.0.1/24", "dev", "near"), ("ip", "link", "set", "near", "up"),
                            (*inside, "ip", "address", "add", "10.8.0.2/24", "dev", "far"),
                            (*inside, "ip", "link", "set", "far", "up"), (*inside, "ip", "link", "set", "lo", "up"),
                            (*inside, "ip", "address", "add", "10.77.0.1/32", "dev", "lo"),
                            ("ip", "route", "add", "10.77.0.1", "via", "10.8.0.2")):
                subprocess.run(command, check=True)
            yield f"/proc/{other.pid}/ns/net"
        finally:
            other.kill()


@test("SO_DONTROUTE set on a duplicate after an answer: the next has no way, and has one when it is taken back", timeout=180)
def unrouted():
    def child():
        # What a CPU keeps of an answer is for the next one there.
        os.sched_setaffinity(0, {0})
        with _beyond_a_gateway() as other, instance("10.8.0.1") as (_, _, sockets), open("/proc/self/ns/net", "rb") as home:
            enter(other)
            with Datagrams(sockets[0].getsockname(), ("10.77.0.1", 0)) as client:
                enter(f"/proc/self/fd/{home.fileno()}")
                _deaf_while(client, lambda: sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1),
                            lambda: sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 0))
    in_namespace(child)


def _deaf_while(client, begin, end):
    """Answers come, do not come after begin(), and come after end()."""
    equal([client.ask(b"mn\r\n") for _ in range(3)], [b"MN\r\n"] * 3, "answers before")
    begin()
    client.send(b"mn\r\n")
    client.silent()
    end()
    equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer after")


# struct xfrm_userpolicy_info (linux/xfrm.h): whatever goes out, of IPv4, is blocked
_BLOCK = struct.pack("=40xHBBB3xiI64x32xIIBBBB4x", socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0)


@test("a policy of IPsec set on a duplicate after an answer is heeded, and its end too")
def policy():
    subprocess.run(["modprobe", "xfrm_user"], check=False)
    os.sched_setaffinity(0, {0})
    try:
        with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
            try:
                sockets[0].setsockopt(socket.IPPROTO_IP, IP_XFRM_POLICY, None, 0)
            except OSError as problem:
                check("-kmc-" in os.uname().release, f"no policies in this kernel: {problem}")
                return
            _deaf_while(client, lambda: sockets[0].setsockopt(socket.IPPROTO_IP, IP_XFRM_POLICY, _BLOCK),
                        lambda: sockets[0].setsockopt(socket.IPPROTO_IP, IP_XFRM_POLICY, None, 0))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count()))


@test("several datagrams of one send (UDP_SEGMENT), at a socket with UDP_GRO: each is answered or dropped, none breaks")
def segments():
    with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
        answers = 0
        for gro in (0, 1):
            sockets[0].setsockopt(socket.IPPROTO_UDP, UDP_GRO, gro)
            client.socket.sendmsg([(frame(9) + b"mn\r\n") * 20], [(socket.IPPROTO_UDP, 103, struct.pack("H", 12))], 0,
                                  client.endpoint)
            client.send(b"version\r\n")
            client.socket.settimeout(60)
            # Of the twenty none need be answered, and a late answer may come behind the next one's.
            while (found := client.socket.recv(100))[:8] != frame(client.id):
                equal(found, frame(9) + b"MN\r\n", "answer")
                answers += 1
            check(answers <= 20 * (1 + gro), f"{answers} answers to {20 * (1 + gro)} requests")
            equal(found[8:16], b"VERSION ", "answer afterwards")


@test("cgroup-BPF: what a program at the socket's cgroup drops, is dropped, both ways")
def cgroup():
    with bpf.cgroup() as path, instance("127.0.0.1", "::1") as (_, _, sockets):
        for sock in sockets:
            # Of the same cgroup as the server's socket: connected, so that what it sends is the test's, not the program's.
            with Datagrams(sock.getsockname()) as client:
                equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer before")
                before = drops(sock)
                with bpf.attached(path, bpf.INGRESS):
                    client.send(b"set in 0 0 1\r\n1\r\n")
                    client.silent()
                has_dropped(sock, before, 1)
                equal(client.ask(b"get in\r\n"), b"END\r\n", "what the dropped datagram asked")


@test("cgroup-BPF: a program on the way out holds replies back")
def cgroup_out():
    # The client's socket is made outside of the cgroup.
    with Datagrams(("127.0.0.1", 1)) as client, bpf.cgroup() as path, instance() as (_, _, sockets):
        client.endpoint = sockets[0].getsockname()
        equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer before")
        with bpf.attached(path, bpf.EGRESS):
            client.send(b"mn\r\n")
            client.silent()
        equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer after")


@test("a socket filter drops and shortens as on any socket")
def socket_filter():
    with instance() as (_, _, sockets), Datagrams(sockets[0].getsockname()) as client:
        for keep, answered in ((0, False), (8 + 8, False), (8 + 8 + 2, False), (0x40000, True)):
            code = struct.pack("HBBI", 0x06, 0, 0, keep)  # return keep
            buffer = bytearray(code)
            import ctypes
            hold = (ctypes.c_char * len(buffer)).from_buffer(buffer)
            sockets[0].setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(hold)))
            if answered:
                equal(client.ask(b"mn\r\n"), b"MN\r\n", f"answer when {keep} bytes are kept")
            else:
                client.send(b"mn\r\n")
                client.silent()


@test("ss -K on a UDP socket: nobody is answered, the rest goes on, stop works")
def destroyed():
    subprocess.run(["modprobe", "udp_diag"], check=True)
    with instance(tcp=True) as (netlink, one, sockets), Datagrams(sockets[0].getsockname()) as client:
        equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer before")
        subprocess.run(["ss", "-K", "-H", "-u", "-a", "sport", "=", f":{sockets[0].getsockname()[1]}"], check=True,
                       capture_output=True)
        with contextlib.suppress(OSError, TimeoutError):
            client.timeout = 0.5
            client.ask(b"mn\r\n")
        with socket.create_connection(sockets[1].getsockname(), timeout=60) as wire:
            wire.sendall(b"mn\r\n")
            equal(wire.recv(10), b"MN\r\n", "answer over TCP")
        netlink.delete(one["id"])


@test("a stopped instance gives the socket back: its holder reads, and it can be served again")
def given_back():
    netlink = k.Netlink()
    with listen_udp() as sock, Datagrams(sock.getsockname()) as client:
        for _ in range(3):
            one = netlink.new([sock])
            equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer")
            netlink.delete(one["id"])
            client.send(b"hello")
            sock.settimeout(60)
            equal(sock.recv(100)[8:], b"hello", "what its holder reads")
            equal(sock.getsockopt(socket.IPPROTO_UDP, UDP_ENCAP), 0, "UDP_ENCAP")


@test("a port that nobody has any more at the client's: ICMP errors do no harm")
def unreachable():
    with instance("127.0.0.1", "::1") as (_, _, sockets):
        for sock in sockets:
            for _ in range(50):
                with Datagrams(sock.getsockname()) as client:
                    client.send(b"set a 0 0 1\r\n1\r\nget a\r\n")
            with Datagrams(sock.getsockname()) as client:
                equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer")


class Flood:
    """Processes that send requests of many kinds as fast as they can."""

    def __init__(self, endpoint, count=3):
        self.children = []
        for number in range(count):
            child = os.fork()
            if not child:
                self._send(endpoint, number)
            self.children.append(child)

    @staticmethod
    def _send(endpoint, number):
        try:
            os.nice(5)
            with socket.socket(socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
                value = b"x" * 30000
                for turn in range(10 ** 9):
                    for payload in (b"set k%d 0 0 30000\r\n%s\r\n" % (turn % 5000, value), b"get k1 k2 k3\r\n", b"mn\r\n" * 200,
                                    b"junk", b"set half 0 0 10\r\n"):
                        with contextlib.suppress(OSError):
                            sock.sendto(frame(number) + payload, endpoint)
                            sock.recv(65536, socket.MSG_DONTWAIT)
        finally:
            os._exit(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


@test("instances made and stopped in a flood", timeout=90)
def flood():
    netlink = k.Netlink()
    with listen_udp() as sock, listen_udp("::1") as sock6, Flood(sock.getsockname()), Flood(sock6.getsockname()[:2], 1):
        for _ in range(10):
            one = netlink.new([sock, sock6])
            time.sleep(0.3)
            netlink.delete(one["id"])


@test("rmmod in a flood", timeout=90)
def unload():
    netlink = k.Netlink()
    with listen_udp() as sock, Flood(sock.getsockname()):
        for _ in range(3):
            netlink.new([sock])
            time.sleep(0.5)
            netlink.close()
            try:
                kernel.unload()
            finally:
                kernel.load()
            netlink = k.Netlink()


@test("a namespace that is deleted while it is served over UDP, with the owner's descriptor")
def namespace():
    def child():
        netlink = k.Netlink()
        sock = listen_udp("127.0.0.1")
        netlink.new([sock], attached=True)
        with Datagrams(sock.getsockname()) as client, Flood(sock.getsockname(), 2):
            client.ask(b"mn\r\n")
            unshare(CLONE_NEWNET)
            time.sleep(0.3)
    for _ in range(3):
        in_namespace(child)


@test("in four threads at once every answer is its own")
def concurrent():
    wrong = []
    with instance() as (_, _, sockets):
        def ask(number):
            with Datagrams(sockets[0].getsockname()) as client:
                for turn in range(200):
                    key, value = b"t%d-%d" % (number, turn % 7), b"%d-%d " % (number, turn) * (1 + turn * 3)
                    if client.ask(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value)) != b"STORED\r\n" or \
                            client.ask(b"get %s\r\n" % key) != b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(value), value):
                        wrong.append((number, turn))
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    equal(wrong, [], "wrong answers")
