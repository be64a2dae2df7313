# SPDX-License-Identifier: MIT
"""Much of everything: deep pipelines, a get of a million keys, a full cache."""

import threading
import time

from lib.server import Server
from lib.tap import check, equal, test


def _in_background(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


@test("volume: pipelines of 64 KiB, answers all there and in order")
def pipelines():
    for unix in (False, True):
        with Server(unix=unix) as one, one.wire() as wire:
            requests, replies = bytearray(), bytearray()
            number = 0
            while len(requests) < 65536:
                value = b"%d" % number * (1 + number % 9)
                requests += b"set p%d %d 0 %d\r\n%s\r\nget p%d none\r\n" % (number % 50, number, len(value), value,
                                                                            number % 50)
                replies += b"STORED\r\nVALUE p%d %d %d\r\n%s\r\nEND\r\n" % (number % 50, number, len(value), value)
                number += 1
            for _ in range(8):
                wire.ask(bytes(requests), bytes(replies))


@test("volume: 100,000 pipelined gets, written and read at the same time")
def deep():
    with Server() as one, one.wire() as wire:
        wire.set(b"a", b"1")
        count = 100000
        writer = _in_background(wire.send, b"get a\r\n" * count)
        expected = b"VALUE a 0 1\r\n1\r\nEND\r\n"
        for _ in range(count // 1000):
            equal(wire.exactly(len(expected) * 1000), expected * 1000, "thousand answers")
        writer.join()
        equal(wire.stats()["get_hits"], str(count), "get_hits")


@test("volume: pipelined noreply, then one question")
def noreply():
    for unix in (False, True):
        with Server(unix=unix) as one, one.wire() as wire:
            wire.send(b"".join(b"set n%d 0 0 4 noreply\r\n%04d\r\n" % (number % 10, number) for number in range(10000)))
            wire.ask(b"get n9\r\n", b"VALUE n9 0 4\r\n9999\r\nEND\r\n")


@test("volume: a get of a million keys, while others are served", timeout=100)
def million():
    count = 1_000_000
    with Server("-m", "64") as one, one.wire(timeout=60) as wire, one.wire() as other:
        for number in range(0, 1000, 100):
            wire.set(b"m%d" % number, b"%d" % number)
        keys = b"get " + b" ".join(b"m%d" % (number % 1000) for number in range(count)) + b"\r\n"
        _in_background(wire.send, keys)
        hits = b"".join(b"VALUE m%d 0 %d\r\n%d\r\n" % (number, len(str(number)), number)
                        for number in range(0, 1000, 100))
        worst = 0
        for turn in range(count // 1000):
            equal(wire.exactly(len(hits)), hits, f"hits of thousand {turn}")
            if turn % 50 == 0:
                started = time.monotonic()
                other.alive()
                worst = max(worst, time.monotonic() - started)
        wire.expect(b"END\r\n")
        check(worst < 50, f"another client waited {worst:.1f} s")
        equal(wire.stats()["get_misses"], str(count - count // 100), "get_misses")


@test("volume: large values pipelined in both directions")
def large():
    for unix in (False, True):
        with Server("-m", "256", unix=unix) as one, one.wire() as wire:
            sizes = (1, 4095, 4097, 100000, 524288, 524289, 1000000)
            writer = _in_background(wire.send, b"".join(
                b"set v%d 0 0 %d\r\n%s\r\nget v%d\r\n" % (size, size, bytes([65 + size % 26]) * size, size)
                for size in sizes * 3))
            for size in sizes * 3:
                equal(wire.line(), b"STORED", f"set of {size} bytes")
                equal(wire.values(), {b"v%d" % size: (0, bytes([65 + size % 26]) * size, None)}, f"get of {size} bytes")
            writer.join()


# memcached says the second of large values, whose memory it takes as they come.
NO_MEMORY = (b"SERVER_ERROR out of memory storing object", b"SERVER_ERROR Out of memory during read")


def _store_until_refused(wire, size, most):
    """Sets of new keys until one is refused; returns how many were stored."""
    for number in range(most):
        wire.send(b"set full-%d-%d 0 0 %d\r\n%s\r\n" % (size, number, size, b"f" * size))
        line = wire.line()
        if line != b"STORED":
            check(line in NO_MEMORY, f"refusal of set {number}: {line!r}")
            return number
    check(False, f"{most} values of {size} bytes were stored, none refused")


@test("volume: a full cache with -M refuses, loses nothing, and works on", timeout=90)
def full_refuses():
    for unix in (False, True):
        with Server("-M", "-m", "4", unix=unix) as one, one.wire() as wire:
            for size in (50000, 200, 600000):
                stored = _store_until_refused(wire, size, 40000)
                if size == 50000:
                    check(stored > 20, f"refused after {stored} values of 50,000 bytes in 4 MiB")
                    kept = stored
            for number in range(kept):
                equal(len(wire.get(b"full-50000-%d" % number)[b"full-50000-%d" % number][1]), 50000, f"value {number}")
            stats = wire.stats()
            equal(stats["evictions"], "0", "evictions")
            check(int(stats["store_no_memory"]) >= 2, f"store_no_memory is {stats['store_no_memory']}")
            # What is deleted makes room for the like.
            wire.ask(b"delete full-50000-0\r\n", b"DELETED\r\n")
            wire.set(b"new", b"n" * 50000)
            wire.ask(b"incr full-50000-1 1\r\n", b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n")


@test("volume: a full cache evicts, serves what is newest, and stays within -m", timeout=90)
def full_evicts():
    with Server("-m", "8") as one, one.wire() as wire:
        for size, count in ((100000, 300), (300, 8000), (700000, 40)):
            data = b"".join(b"set e%d-%d 0 0 %d noreply\r\n%s\r\n" % (size, number, size, b"e" * size)
                            for number in range(count))
            for start in range(0, len(data), 1 << 20):
                wire.send(data[start:start + (1 << 20)])
            newest = b"e%d-%d" % (size, count - 1)
            check(wire.get(newest), f"the newest of {count} values of {size} bytes is gone")
        stats = wire.stats()
        check(int(stats["evictions"]) > 200, f"evictions is {stats['evictions']}")
        # Every class may take one page beyond -m: the three sizes here, and the chunks of the largest.
        total = int(wire.stats(b"slabs")["total_malloced"])
        check(total <= 13 << 20, f"total_malloced is {total}")
        check(int(stats["bytes"]) <= total, f"bytes is {stats['bytes']}, more than {total}")
