# SPDX-License-Identifier: MIT
"""stats conns: who is connected, and how."""

import contextlib
import ctypes
import os
import socket
import struct
import tempfile
import time

from lib import kmcnl as k
from lib.datagrams import listen_udp
from lib.kmcnl import test
from lib.tap import check, equal
from lib.wire import Wire

SUN_PATH = 108  # bytes, unix(7)


def _by_id(rows):
    """Rows of "stats conns" as {id: {name: value}}, in their order."""
    found = {}
    for name, value in rows.items():
        number, _, field = name.partition(":")
        found.setdefault(int(number), {})[field] = value
    return found


def _seconds(rows):
    return int(rows.pop("secs_since_last_cmd"))


def _accepted(opened, endpoint):
    """A connection that has its id: one that only connected may be accepted after later ones of other listeners."""
    wire = opened.enter_context(Wire(endpoint))
    wire.alive()
    return wire


@test("stats conns: listeners and connections of each kind, in each state")
def kinds():
    path = f"/run/kmc-conns-{os.getpid()}"
    netlink = k.Netlink()
    four, six, unix, udp = k.listen_tcp(), k.listen_tcp("::1"), k.listen_unix(path), listen_udp()
    one = netlink.new([four, six, unix, udp])
    with contextlib.ExitStack() as opened:
        asks, sends, idle, swallows = (
            _accepted(opened, at) for at in (four.getsockname(), six.getsockname()[:2], path, four.getsockname()))
        sends.send(b"set a 0 0 6\r\nab")
        swallows.send(b"set a 0 0 9999999\r\nab")
        swallows.line()
        time.sleep(1.1)
        found = _by_id(asks.stats(b"conns"))
        equal(_by_id(netlink.stats(one["id"], "conns")).keys(), found.keys(), "ids over netlink")
        times = {number: _seconds(rows) for number, rows in found.items()}
        mine, theirs = asks.socket.getsockname()[1], sends.socket.getsockname()[1]
        port, port6 = four.getsockname()[1], six.getsockname()[1]
        expected = [
            {"addr": f"tcp:127.0.0.1:{port}", "state": "conn_listening"},
            {"addr": f"tcp6:[::1]:{port6}", "state": "conn_listening"},
            {"addr": f"unix:{path}", "state": "conn_listening"},
            {"UDP": "UDP", "addr": f"udp:127.0.0.1:{udp.getsockname()[1]}", "state": "conn_read"},
            {"addr": f"tcp:127.0.0.1:{mine}", "listen_addr": f"tcp:127.0.0.1:{port}", "state": "conn_parse_cmd"},
            {"addr": f"tcp6:[::1]:{theirs}", "listen_addr": f"tcp6:[::1]:{port6}", "state": "conn_nread"},
            {"addr": "unix:<AF 1>", "listen_addr": f"unix:{path}", "state": "conn_read"},
            {"addr": f"tcp:127.0.0.1:{swallows.socket.getsockname()[1]}", "listen_addr": f"tcp:127.0.0.1:{port}",
             "state": "conn_swallow"}]
        equal(list(found.values()), expected, "rows")
        equal(list(found), list(range(1, 9)), "ids")
        ids = list(times)
        check(times[ids[5]] >= 1 and times[ids[6]] >= 1, f"seconds since they last asked: {times}")
        # The clock may tick between a question and its answer, but not where a second has passed.
        check(times[ids[4]] < min(times[ids[5]], times[ids[6]]), f"the one that asks is not the latest: {times}")
    netlink.delete(one["id"])
    os.unlink(path)


def _bind_full(sock, path):
    """Bind to a path that fills sun_path: no zero byte ends it, which Python's own bind() refuses."""
    address = struct.pack("=H", socket.AF_UNIX) + path.encode()
    equal(ctypes.CDLL(None).bind(sock.fileno(), address, len(address)), 0, "bind()")


@test("stats conns: CVE-2019-15026: a unix path that fills its field is shown, and nothing behind it")
def full_path():
    path = f"/run/kmc-{os.getpid()}-".ljust(SUN_PATH, "p")
    netlink = k.Netlink()
    with socket.socket(socket.AF_UNIX) as listens, tempfile.TemporaryDirectory() as folder:
        _bind_full(listens, path)
        listens.listen()
        one = netlink.new([listens])
        os.symlink(path, f"{folder}/s")
        with Wire(f"{folder}/s") as asks:
            rows = list(_by_id(asks.stats(b"conns")).values())
            equal((rows[0]["addr"], rows[1]["listen_addr"]), (f"unix:{path}", f"unix:{path}"), "where it listens")
            equal(asks.stats(b"settings")["domain_socket"], path, "domain_socket")
            equal(netlink.stats(one["id"], "settings")["domain_socket"], path, "domain_socket over netlink")
        equal([listener[k.KMC_L_ADDRESS] for listener in netlink.get(one["id"])["listeners"]], [path.encode()], "address")
        netlink.delete(one["id"])
    os.unlink(path)


@test("stats sizes: of items up to 256 MiB, looked at by and by")
def sizes():
    netlink = k.Netlink()
    lengths = [1, 100, 1 << 20, 5 << 20, 9 << 20]
    with k.listen_tcp() as tcp:
        one = netlink.new([tcp], k.u64(k.KMC_S_MEMORY_LIMIT, 512 << 20), k.u32(k.KMC_S_ITEM_SIZE_MAX, 256 << 20),
                          k.u8(k.KMC_S_TRACK_SIZES, 1))
        with Wire(tcp.getsockname()) as wire:
            for length in lengths:
                wire.ask(b"set %08d 0 0 %d\r\n%s\r\n" % (length, length, bytes(length)), b"STORED\r\n")
            # Key, value and 59 bytes, in steps of 32.
            expected = {str((length + 8 + 59 + 31) // 32 * 32): "1" for length in lengths}
            equal(wire.stats(b"sizes"), expected, "stats sizes")
            equal(netlink.stats(one["id"], "sizes"), expected, "stats sizes over netlink")
        netlink.delete(one["id"])


@test("stats conns: an id is used again when its connection has gone, bound client names are not shown")
def ids():
    netlink = k.Netlink()
    with k.listen_unix(f"\0kmc-ids-{os.getpid()}") as unix:
        one = netlink.new([unix])
        with Wire(unix.getsockname().decode()) as asks, socket.socket(socket.AF_UNIX) as named:
            named.bind(b"\0evil\r\nSTAT 1:state x")
            named.connect(unix.getsockname())
            named.sendall(b"version\r\n")
            check(named.recv(100), "no answer")
            found = _by_id(asks.stats(b"conns"))
            equal([rows["addr"] for rows in found.values()], ["unix:<AF 1>"] * 3, "addresses")
            named.close()
            limit = time.monotonic() + 60
            while len(_by_id(asks.stats(b"conns"))) != 2:
                check(time.monotonic() < limit, "a connection that has gone is shown")
                time.sleep(0.02)
            with Wire(unix.getsockname().decode()) as other:
                other.alive()
                equal(list(_by_id(asks.stats(b"conns"))), [1, 2, 3], "ids")
        netlink.delete(one["id"])


@test("stats conns: hundreds of connections, shown to a slow reader while others come and go")
def many():
    netlink = k.Netlink()
    with k.listen_tcp() as tcp:
        one = netlink.new([tcp])
        stay = [Wire(tcp.getsockname()) for _ in range(400)]
        for wire in stay:
            wire.alive()
        with Wire(tcp.getsockname()) as asks:
            asks.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            asks.send(b"stats conns\r\n" * 20)
            for turn in range(20):
                Wire(tcp.getsockname()).close()
                rows = {}
                while (line := asks.line()) != b"END":
                    _, name, value = line.decode().split(" ", 2)
                    check(name not in rows, f"{name} comes twice")
                    rows[name] = value
                mine = {wire.socket.getsockname()[1] for wire in stay}
                shown = {int(rows["addr"].rsplit(":", 1)[1]) for rows in _by_id(rows).values() if "listen_addr" in rows}
                check(mine <= shown, f"{len(mine - shown)} of 400 connections missing in turn {turn}")
        for wire in stay:
            wire.close()
        netlink.delete(one["id"])
