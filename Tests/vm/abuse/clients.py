# SPDX-License-Identifier: MIT
"""Clients that behave badly, by number, by silence or by greed, next to others who must not notice."""

import os
import select
import socket
import struct
import time

from lib import kernel, server
from lib.server import Server
from lib.tap import CheckFailed, below, check, equal, test
from lib.wire import Wire


IN_GUEST = "KMC_VM" in os.environ  # elsewhere others use memory, too


def _fill(wire, request, most):
    """Send without reading until the connection takes no more, at most `most` bytes; returns how many it took."""
    wire.socket.setblocking(False)
    sent, idle = 0, time.monotonic()
    while sent < most and time.monotonic() - idle < 1:
        try:
            sent += wire.socket.send(request)
            idle = time.monotonic()
        except BlockingIOError:
            select.select([], [wire.socket], [], 0.2)
    wire.socket.setblocking(True)
    wire.socket.settimeout(60)
    return sent


def _longest_set(wire):
    longest = 0
    for number in range(20):
        started = time.monotonic()
        wire.set(b"small-%d" % number, b"s" * 1000)
        longest = max(longest, time.monotonic() - started)
    return longest


@test("clients: one that asks for large values and never reads costs little, and delays nobody")
def never_reads():
    for unix in (False, True):
        with Server(unix=unix) as one, one.wire() as other:
            other.set(b"large", b"L" * 500000)
            before = kernel.available_memory()
            greedy = [one.wire() for _ in range(10)]
            for wire in greedy:
                # Socket buffers of the client's side are the client's: small, so that the rest is the server's.
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                # Some 10,000 requests of 2 MB each: what is not held back would be 20 GB a client.
                _fill(wire, b"get large large large large\r\n" * 100, 256 << 10)
            below(20, "the longest of 20 requests of another client", lambda: _longest_set(other))
            if IN_GUEST:
                used = kernel.missing_memory(before, 100 << 20)
                check(used < 100 << 20, f"ten such clients hold {used >> 20} MiB")
            # Those who begin to read get what they asked for.
            for _ in range(8):
                equal(greedy[0].values(), {b"large": (0, b"L" * 500000, None)}, "value read late")
            for wire in greedy:
                wire.close()
            other.alive()


def _fifty_sets(wire):
    started = time.monotonic()
    for number in range(50):
        wire.set(b"k%d" % number, b"v")
    return time.monotonic() - started


@test("clients: 5,000 connections that say nothing", timeout=90)
def silent():
    count = 5000
    with Server("-c", count + 100) as one:
        wires = [one.wire() for _ in range(count)]
        with one.wire() as wire:
            limit = time.monotonic() + 60
            while int(wire.stats()["curr_connections"]) < count:
                check(time.monotonic() < limit, f"curr_connections is {wire.stats()['curr_connections']}")
                time.sleep(0.1)
            below(2, "50 requests of another client", lambda: _fifty_sets(wire))
        for number in (0, count // 2, count - 1):
            wires[number].alive()
        for wire in wires:
            wire.close()
        limit = time.monotonic() + 60
        while int(one.stats()["curr_connections"]) > 10:
            check(time.monotonic() < limit, f"{one.stats()['curr_connections']} connections are left")
            time.sleep(0.1)


LIMIT = 60
RESERVED = 30  # memcached counts descriptors of its own against the limit


def _is_served(wire):
    """Whether it gets an answer; an end is none."""
    try:
        wire.send(b"version\r\n")
        return wire.line().startswith(b"VERSION")
    except (OSError, CheckFailed):
        return False


def _hold(one):
    """As many connections as are served, which must be what -c says."""
    wires = []
    while len(wires) <= LIMIT:
        wires.append(Wire(one.endpoint))
        # A busy machine may take a while for who must be served; only for others a short one shows anything.
        wires[-1].socket.settimeout(60 if server.is_ours() and len(wires) <= LIMIT else 1)
        if not _is_served(wires[-1]):
            wires.pop().close()
            break
        wires[-1].socket.settimeout(60)
    check(LIMIT - RESERVED <= len(wires) <= LIMIT, f"{len(wires)} connections were served with -c {LIMIT}")
    if server.is_ours():
        equal(len(wires), LIMIT, "connections that were served")
    return wires


@test("clients: above -c with maxconns_fast: told so and closed, later ones are welcome")
def limit_fast():
    for unix in (False, True):
        with Server("-c", LIMIT, "-o", "maxconns_fast", unix=unix) as one:
            wires = _hold(one)
            before = int(wires[0].stats()["rejected_connections"])
            for _ in range(5):
                with one.wire() as wire:
                    equal(wire.closed(within=5), b"ERROR Too many open connections\r\n", "what it is told")
            equal(int(wires[0].stats()["rejected_connections"]) - before, 5, "rejected_connections")
            wires.pop().close()
            _wait_served(one)
            for wire in wires:
                wire.alive()


def _wait_served(one):
    """A connection is served once there is room for it."""
    limit = time.monotonic() + 60
    while True:
        with Wire(one.endpoint, timeout=1) as wire:
            if _is_served(wire):
                return
        check(time.monotonic() < limit, "not served though there is room")
        time.sleep(0.05)


@test("clients: above -c without maxconns_fast: waiting until there is room")
def limit_slow():
    with Server("-c", LIMIT, "-o", "no_maxconns_fast") as one:
        wires = _hold(one)
        # memcached shortens its backlog to nothing, so that even connecting takes for ever.
        waiting = [one.wire() for _ in range(3 if server.is_ours() else 1)]
        for wire in waiting:
            wire.send(b"version\r\n")
        time.sleep(0.3)
        for wire in waiting:
            wire.silent(0.1)
        for wire in wires[:4]:
            wire.close()
        for wire in waiting:
            check(wire.line().startswith(b"VERSION"), "not served though there is room")
        check(int(waiting[0].stats()["listen_disabled_num"]) > 0, "listen_disabled_num is 0")


@test("clients: connections that come and go at once, thousands of them")
def flood():
    for unix in (False, True):
        with Server(unix=unix) as one:
            for number in range(2000):
                wire = one.wire()
                if number % 3 == 0:
                    wire.send(b"get a\r\n")
                if number % 2 and not unix:
                    wire.reset()
                else:
                    wire.close()
            limit = time.monotonic() + 60
            while int(one.stats()["curr_connections"]) > 3:
                check(time.monotonic() < limit, f"{one.stats()['curr_connections']} connections are left")
                time.sleep(0.1)


@test("clients: idle_timeout closes who says nothing, and only those", timeout=60)
def idle():
    # Over TCP, for memcached leaves unix connections alone. Many times as long as the one that talks is silent.
    with Server("-o", "idle_timeout=5") as one, one.wire() as quiet, one.wire() as busy:
        quiet.alive()
        started = time.monotonic()
        while not select.select([quiet.socket], [], [], 0)[0]:
            busy.alive()
            check(time.monotonic() - started < 60, "not closed after 60 s")
            time.sleep(0.2)
        check(time.monotonic() - started > 1, "closed too soon")
        equal(quiet.closed(), b"", "what it is told")
        busy.alive()
        check(int(busy.stats()["idle_kicks"]) >= 1, "idle_kicks is 0")


@test("clients: byte by byte, between others' large requests")
def drip():
    for unix in (False, True):
        with Server(unix=unix) as one, one.wire() as slow, one.wire() as fast:
            for number in range(10):
                slow.drip(b"set slow 0 0 11\r\nhello")
                fast.set(b"fast", b"f" * 300000)
                slow.drip(b" world\r\nget slow")
                fast.get(b"fast")
                slow.drip(b" fast\r\n")
                equal(slow.line(), b"STORED", "slow set")
                equal(slow.values(), {b"slow": (0, b"hello world", None), b"fast": (0, b"f" * 300000, None)}, "slow get")


@test("clients: half closed after pipelined requests: every answer comes, then the end")
def half_close():
    for unix in (False, True):
        with Server(unix=unix) as one:
            with one.wire() as wire:
                wire.set(b"large", b"L" * 300000)
            requests = b"".join(b"set h%d 0 0 3\r\nabc\r\nget h%d large\r\n" % (number, number) for number in range(60))
            with one.wire() as wire:
                wire.send(requests)
                wire.end_sending()
                time.sleep(0.2)
                for number in range(60):
                    equal(wire.line(), b"STORED", f"answer {number}")
                    found = wire.values()
                    equal(found[b"h%d" % number], (0, b"abc", None), f"value {number}")
                    equal(len(found[b"large"][1]), 300000, f"large value {number}")
                equal(wire.closed(within=5), b"", "after the last answer")
            with one.wire() as wire:
                wire.send(b"get large\r\nset cut 0 0 10\r\nabc")
                wire.end_sending()
                found = len(wire.closed(within=5))
                # memcached may throw away what it has not sent yet.
                check(found == 300000 + 29 or not server.is_ours(), f"{found} bytes of answer before a cut set")
            with one.wire() as wire:
                equal(wire.get(b"cut"), {}, "a cut set")


@test("clients: urgent data is no command's byte and does no harm")
def urgent():
    with Server() as one, one.wire() as wire:
        wire.send(b"set u 0 0 5\r\nab")
        wire.socket.send(b"!", socket.MSG_OOB)
        time.sleep(0.1)
        wire.send(b"cde\r\nmark\r\n")
        wire.line()
        with one.wire() as other:
            other.alive()


@test("clients: descriptors sent over a unix connection are dropped", needs="module")
def descriptors():
    with Server(unix=True) as one, one.wire() as wire:
        reader, writer = os.pipe()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", writer))]
        for _ in range(10):
            wire.socket.sendmsg([b"set d 0 0 1\r\n"], rights)
            wire.socket.sendmsg([b"x\r\n"], rights)
            equal(wire.line(), b"STORED", "set beside a descriptor")
        os.close(writer)
        # The pipe ends when nobody holds its other side any more.
        os.set_blocking(reader, False)
        limit = time.monotonic() + 60
        while True:
            try:
                if os.read(reader, 1) == b"":
                    break
            except BlockingIOError:
                pass
            check(time.monotonic() < limit, "somebody still holds the descriptor that was sent")
            time.sleep(0.05)
        os.close(reader)


@test("clients: a tiny window, a zero window, then all at once")
def windows():
    with Server() as one:
        with one.wire() as wire:
            wire.set(b"large", bytes(range(256)) * 3000)
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            raw.settimeout(60)
            raw.connect(one.endpoint)
            raw.sendall(b"get large large\r\n" * 3)
            time.sleep(0.5)
            one_answer = b"VALUE large 0 768000\r\n" + bytes(range(256)) * 3000 + b"\r\n"
            expected = (one_answer * 2 + b"END\r\n") * 3
            found = bytearray()
            while len(found) < len(expected):
                data = raw.recv(700 if len(found) < 20000 else 1 << 20)
                check(data, f"closed after {len(found)} of {len(expected)} bytes")
                found += data
            equal(bytes(found), expected, "what came through a small window")
