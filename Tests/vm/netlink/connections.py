# SPDX-License-Identifier: MIT
"""What the kernel half itself does for connections: limits, turns, ends, and the corners of both transports."""

import array
import contextlib
import ctypes
import os
import socket
import struct
import time

from lib import kernel
from lib import kmcnl as k
from lib.kmcnl import test
from lib.tap import below, check, equal

PATH = f"\0kmc-connections-{os.getpid()}"
END = b"END\r\n"


class Client:
    """A connection over TCP (a port) or unix (a path)."""

    def __init__(self, where):
        tcp = isinstance(where, int)
        self.socket = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", where) if tcp else where)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def hear(self, size):
        """Exactly so many bytes, or what came before the end."""
        heard = b""
        while len(heard) < size:
            piece = self.socket.recv(size - len(heard))
            if not piece:
                break
            heard += piece
        return heard

    def ask(self, data, expected):
        self.send(data)
        equal(self.hear(len(expected)), expected, f"answer to {data[:40]}")

    def ended(self, within=60):
        """Whether the server has hung up, by then."""
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


@contextlib.contextmanager
def serving(*settings):
    """An instance on TCP and unix; gives (netlink, id, (port, path))."""
    netlink = k.Netlink()
    with k.listen_tcp() as tcp, k.listen_unix(PATH) as unix:
        one = netlink.new([tcp, unix], *settings)
        yield netlink, one["id"], (tcp.getsockname()[1], PATH)
        netlink.delete(one["id"])


def until(condition, what, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < limit, f"not within {seconds} s: {what}")
        time.sleep(0.01)


@test("an idle connection keeps nothing of what it has answered")
def _():
    with serving(k.u32(k.KMC_S_CONN_LIMIT, 2000)) as (_netlink, _id, (port, _)):
        clients = [Client(port) for _ in range(800)]
        for client in clients[:100]:
            client.ask(b"get nothing\r\n", END)
        before, allowed = kernel.available_memory(), 4096 * len(clients)
        for client in clients:
            client.ask(b"get nothing\r\n", END)
        kept = kernel.missing_memory(before, allowed)
        check(kept < allowed or kernel.keeps_what_is_freed(), f"{kept // len(clients)} bytes more for each connection that has answered")
        for client in clients:
            client.socket.close()


@test("with maxconns_fast a connection above the limit is told so, and counted")
def _():
    with serving(k.u32(k.KMC_S_CONN_LIMIT, 3), k.u8(k.KMC_S_MAXCONNS_FAST, 1)) as (netlink, id_, where):
        for place in where:
            with Client(place) as one, Client(place) as two, Client(place) as three:
                for client in (one, two, three):
                    client.ask(b"get nothing\r\n", END)
                with Client(place) as four:
                    equal(four.hear(100), b"ERROR Too many open connections\r\n", "words")
                one.ask(b"get nothing\r\n", END)
            until(lambda: netlink.get(id_)["conns"] == 0, "no connection left")
        rows = netlink.stats(id_)
        equal((rows["rejected_connections"], rows["total_connections"], rows["listen_disabled_num"]), ("2", "6", "0"), "counts")


# struct sock_filter (linux/filter.h): of segments only those with SYN; the byte of the flags is the fourteenth.
_ONLY_SYN = b"".join(struct.pack("HBBI", *step) for step in ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0xffffffff), (0x06, 0, 0, 0)))
_SO_ATTACH_FILTER = 26


@contextlib.contextmanager
def _deaf(port):
    """A client that hears nothing, not even that the server has closed, once it is connected."""
    steps = ctypes.create_string_buffer(_ONLY_SYN)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HxxxxxxP", len(_ONLY_SYN) // 8, ctypes.addressof(steps)))
        client.settimeout(60)
        client.connect(("127.0.0.1", port))
        yield


@test("who is refused and acknowledges nothing keeps nobody waiting, though the listener says to linger")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as tcp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
        one = netlink.new([tcp], k.u32(k.KMC_S_CONN_LIMIT, 1), k.u8(k.KMC_S_MAXCONNS_FAST, 1))["id"]
        port = tcp.getsockname()[1]
        with Client(port) as first:
            first.ask(b"get nothing\r\n", END)
            with _deaf(port):
                until(lambda: netlink.stats(one)["rejected_connections"] == "1", "the deaf one refused")
                with Client(port) as third:
                    equal(third.hear(100), b"ERROR Too many open connections\r\n", "words")
        netlink.delete(one)


@test("without it nobody is let in above the limit until another goes")
def _():
    with serving(k.u32(k.KMC_S_CONN_LIMIT, 2), k.u8(k.KMC_S_MAXCONNS_FAST, 0)) as (netlink, id_, (port, path)):
        with Client(port) as one, Client(path) as two:
            one.ask(b"get nothing\r\n", END)
            two.ask(b"get nothing\r\n", END)
            with Client(port) as three, Client(path) as four:
                three.send(b"get nothing\r\n")
                four.send(b"get nothing\r\n")
                until(lambda: netlink.stats(id_)["accepting_conns"] == "0", "the limit met")
                time.sleep(0.3)
                rows = netlink.stats(id_)
                equal((rows["curr_connections"], rows["accepting_conns"], rows["listen_disabled_num"]), ("2", "0", "1"), "counts")
                one.socket.close()
                two.socket.close()
                equal((three.hear(5), four.hear(5)), (END, END), "answers")
        until(lambda: netlink.get(id_)["conns"] == 0, "no connection left")
        rows = netlink.stats(id_)
        check(int(rows["time_in_listen_disabled_us"]) >= 200000, f"time: {rows['time_in_listen_disabled_us']}")
        equal(rows["accepting_conns"], "1", "accepting_conns")


@test("an instance at its limit stops, and is unloaded")
def _():
    with serving(k.u32(k.KMC_S_CONN_LIMIT, 1), k.u8(k.KMC_S_MAXCONNS_FAST, 0)) as (_netlink, _id, (port, _)):
        with Client(port) as one, Client(port) as two:
            one.ask(b"get nothing\r\n", END)
            two.send(b"get nothing\r\n")
            time.sleep(0.1)
    netlink = k.Netlink()
    with k.listen_tcp() as sock:
        netlink.new([sock], k.u32(k.KMC_S_CONN_LIMIT, 1), k.u8(k.KMC_S_MAXCONNS_FAST, 0))
        with Client(sock.getsockname()[1]) as one, Client(sock.getsockname()[1]):
            one.ask(b"get nothing\r\n", END)
            kernel.unload()
            kernel.load()
            check(one.ended(), "a connection outlived the module")


@test("turns: many requests yield, many bytes do not count as that")
def _():
    with serving(k.u32(k.KMC_S_REQS_PER_EVENT, 2)) as (netlink, id_, where):
        for place in where:
            with Client(place) as client:
                value = b"v" * 1000000
                client.ask(b"set large 0 0 1000000\r\n" + value + b"\r\n", b"STORED\r\n")
                before = int(netlink.stats(id_)["conn_yields"])
                client.ask(b"set large 0 0 1000000\r\n" + value + b"\r\n", b"STORED\r\n")
                equal(int(netlink.stats(id_)["conn_yields"]), before, "conn_yields of one large set")
                client.ask(b"get nothing\r\n" * 200, END * 200)
                check(int(netlink.stats(id_)["conn_yields"]) - before >= 20, "200 requests, two a turn, hardly yielded")


def _beside(greedy, other):
    """The longest that one of fifty requests takes while another client asks without end, in seconds."""
    longest = 0
    for _ in range(50):
        with contextlib.suppress(BlockingIOError):
            while True:
                greedy.socket.send(b"get nothing\r\n" * 1000)
        with contextlib.suppress(BlockingIOError):
            greedy.socket.recv(1 << 16)
        started = time.monotonic()
        other.ask(b"get nothing\r\n", END)
        longest = max(longest, time.monotonic() - started)
    return longest


@test("one that never stops asking does not keep others waiting")
def _():
    with serving() as (_netlink, _id, where):
        for place in where:
            with Client(place) as greedy, Client(place) as other:
                greedy.socket.setblocking(False)
                # Without a turn it would wait until the greedy one ends; a slow kernel needs 2 s for a turn of each.
                below(20, "the longest wait beside a greedy client", lambda: _beside(greedy, other))


@test("idle_timeout: who is silent goes, who talks stays, who is in the middle of a value stays")
def _():
    # Many times as long as the one that talks is silent, also where the machine gives it no turn for a while.
    allowed = 5
    with serving(k.u32(k.KMC_S_IDLE_TIMEOUT, allowed)) as (netlink, id_, where):
        for place in where:
            with Client(place) as silent, Client(place) as busy, Client(place) as talking:
                busy.send(b"set slow 0 0 10\r\n01234")
                started, gone = time.monotonic(), False
                while not gone or time.monotonic() - started < 2 * allowed:
                    talking.ask(b"get nothing\r\n", END)
                    gone = gone or silent.ended(within=0.2)
                    check(time.monotonic() - started < 60, "the silent one is still there")
                    time.sleep(0.2)
                busy.ask(b"56789\r\n", b"STORED\r\n")
                talking.ask(b"get nothing\r\n", END)
        equal(netlink.stats(id_)["idle_kicks"], "2", "idle_kicks")


@test("idle_timeout: of a hundred years no second is lost")
def _():
    # In 32 bits some of these seconds would be less than one: 2^32 jiffies and a few.
    longest = [2**32 // hz + 1 for hz in (100, 250, 300, 1000)] + [2**31 - 1]
    netlink = k.Netlink()
    with contextlib.ExitStack() as opened:
        silent = []
        for seconds in longest:
            tcp = opened.enter_context(k.listen_tcp())
            one = netlink.new([tcp], k.u32(k.KMC_S_IDLE_TIMEOUT, seconds))
            silent.append((one["id"], opened.enter_context(Client(tcp.getsockname()[1]))))
            silent[-1][1].ask(b"get nothing\r\n", END)
        time.sleep(4)
        for id_, client in silent:
            client.ask(b"get nothing\r\n", END)
            equal(netlink.stats(id_)["idle_kicks"], "0", "idle_kicks")
            netlink.delete(id_)


@test("half a close: what was asked is answered, then the server closes, too")
def _():
    with serving() as (_netlink, _id, where):
        for place in where:
            with Client(place) as client:
                client.send(b"set half 0 0 4\r\nhalf\r\nget half\r\n")
                client.socket.shutdown(socket.SHUT_WR)
                expected = b"STORED\r\nVALUE half 0 4\r\nhalf\r\nEND\r\n"
                equal(client.hear(1000), expected, "all that came")


@test("what was sent before a close is done, read or not")
def _():
    with serving() as (netlink, id_, where):
        for place in where:
            with Client(place) as asker:
                for number in range(50):
                    with Client(place) as hasty:
                        # Unread answers make the close an error on the other side, after which these come.
                        hasty.send(b"get nothing\r\n" * 3 + b"set hasty 0 0 3 noreply\r\n%03d\r\n" % number)
                    until(lambda n=number: self_value(asker) == b"%03d" % n, "the set of a client that closed")
        until(lambda: netlink.get(id_)["conns"] == 0, "no connection left")


def self_value(asker):
    """The value of "hasty", or None."""
    asker.send(b"get hasty\r\n")
    line = asker.hear(5)
    if line == END:
        return None
    return asker.hear(len(b"VALUE hasty 0 3\r\n000\r\nEND\r\n") - 5).split(b"\r\n")[1]


@test("quit: the answers before it arrive, whatever was sent behind it")
def _():
    with serving() as (_netlink, _id, where):
        for place in where:
            with Client(place) as client:
                client.send(b"get nothing\r\n" * 10 + b"quit\r\n" + b"get nothing\r\n" * 1000)
                equal(client.hear(5 * 10), END * 10, "answers")
                check(client.ended(), "quit does not end it")


@test("resets in the middle of requests and answers leave no connection")
def _():
    reset = struct.pack("ii", 1, 0)
    with serving() as (netlink, id_, (port, _)):
        with Client(port) as client:
            client.ask(b"set big 0 0 500000\r\n" + b"b" * 500000 + b"\r\n", b"STORED\r\n")
        for number in range(100):
            with Client(port) as client:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                client.send(b"get big\r\n" * (number % 5) + b"set part 0 0 100\r\n0123")
                if number % 2 and number % 5:
                    client.hear(1000)
        until(lambda: netlink.get(id_)["conns"] == 0, "no connection left")


@test("TCP: an urgent byte is not part of the stream")
def _():
    with serving() as (_netlink, _id, (port, _)):
        with Client(port) as client:
            client.ask(b"set k 0 0 5\r\nhello\r\n", b"STORED\r\n")
            for _ in range(20):
                client.send(b"ge")
                client.socket.send(b"!", socket.MSG_OOB)
                client.ask(b"t k\r\n", b"VALUE k 0 5\r\nhello\r\nEND\r\n")
            client.socket.send(b"!", socket.MSG_OOB)
            client.ask(b"get k\r\n", b"VALUE k 0 5\r\nhello\r\nEND\r\n")


@test("unix: an out-of-band byte harms nothing")
def _():
    with serving() as (netlink, id_, (_, path)):
        for _ in range(20):
            with Client(path) as client:
                try:
                    client.socket.send(b"!", socket.MSG_OOB)
                except OSError:
                    return  # this kernel has none on unix sockets
                client.ask(b"version\r\n"[:4], b"")
                client.ask(b"ion\r\n", b"VERSION ")
        until(lambda: netlink.get(id_)["conns"] == 0, "no connection left")


@test("unix: descriptors that are sent along are dropped at once")
def _():
    with serving() as (_netlink, _id, (_, path)):
        for words, answer in ((b"get nothing\r\n", END), (b"get noth", b"")):
            with Client(path) as client:
                read, write = os.pipe()
                client.socket.sendmsg([words], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write]))])
                os.close(write)
                equal(client.hear(len(answer)), answer, "answer")
                os.set_blocking(read, False)
                until(lambda: at_end(read), "the end of the pipe whose other end was sent")
                os.close(read)


def at_end(pipe):
    try:
        return os.read(pipe, 1) == b""
    except BlockingIOError:
        return False


@test("one byte at a time, over both transports")
def _():
    with serving() as (_netlink, _id, where):
        for place in where:
            with Client(place) as client:
                if isinstance(place, int):
                    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in b"set drip 3 0 10\r\n0123456789\r\nget drip nothing\r\n":
                    client.send(bytes([byte]))
                equal(client.hear(42), b"STORED\r\nVALUE drip 3 10\r\n0123456789\r\nEND\r\n", "answers")
