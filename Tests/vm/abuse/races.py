# SPDX-License-Identifier: MIT
"""Many clients on the same few keys: no torn value, no lost count, no value of another key."""

import json
import pathlib
import subprocess
import sys
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lib.server import Server
from lib.tap import check, equal, test
from lib.wire import Wire

SECONDS, LEAST = 3, 10  # how long each client goes on, and for how many rounds at least
WORKERS = 6


def _value(key, writer, turn, size):
    """A value that says in each of its pieces what it is; a mix of two can be told."""
    piece = b"<%s %d %d>" % (key, writer, turn)
    return (piece * (size // len(piece) + 1))[:max(size, len(piece))]


def _whole(key, data):
    """Whether all pieces of a value are the same one, and of this key."""
    piece = data[:data.find(b">") + 1]
    return piece.startswith(b"<%s " % key) and data == (piece * (len(data) // len(piece) + 1))[:len(data)]


def _work(endpoint, number, sizes, keys, seconds):
    """One client of a race: stores, reads, deletes at random places; returns (rounds, hits, sentences)."""
    wrong, hits, turn = [], 0, 0
    limit = time.monotonic() + seconds
    with Wire(endpoint) as wire:
        while (time.monotonic() < limit or turn < LEAST) and len(wrong) < 3:
            turn += 1
            key = b"race-%d" % ((number * 7 + turn * 5) % keys)
            data = _value(key, number, turn, sizes[turn % len(sizes)])
            wire.send(b"set %s 0 0 %d\r\n%s\r\nincr together 1\r\nget %s\r\n" % (
                key, len(data), data, b" ".join(b"race-%d" % ((turn + step) % keys) for step in range(3))))
            if turn % 5 == 0:
                wire.send(b"delete race-%d noreply\r\n" % (turn % keys))
            if (line := wire.line()) != b"STORED":
                wrong.append(f"{line!r} to a set of {key!r}")
            wire.line()
            for name, (_, found, _) in wire.values().items():
                hits += 1
                if not _whole(name, found):
                    wrong.append(f"value of {name!r} is torn: {found[:60]!r}…{found[-60:]!r}")
    return turn, hits, wrong


def _race(server, sizes, keys):
    endpoint = server.path or list(server.endpoint)
    with server.wire() as wire:
        wire.set(b"together", b"0")
    workers = [subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True) for _ in range(WORKERS)]
    for number, worker in enumerate(workers):
        worker.stdin.write(json.dumps([endpoint, number, sizes, keys, SECONDS]) + "\n")
        worker.stdin.flush()
    rounds = hits = 0
    for worker in workers:
        turns, found, wrong = json.loads(worker.communicate()[0])
        equal(wrong, [], "what went wrong")
        rounds, hits = rounds + turns, hits + found
    check(rounds > 20 and hits > 20, f"only {rounds} rounds, {hits} hits")
    with server.wire() as wire:
        equal(wire.get(b"together").get(b"together"), (0, b"%d" % rounds, None), "increments by all")


@test("races: small values on few keys")
def small():
    with Server("-t", "4") as server:
        _race(server, [40, 400, 1500, 60], 5)


@test("races: values around the size from which they are held, over unix")
def middle():
    with Server(unix=True) as server:
        _race(server, [4000, 4096, 4200, 9000], 7)


@test("races: large and chunked values")
def large():
    with Server("-m", "128") as server:
        _race(server, [100000, 600000, 300, 900000], 6)


@test("races: cas lets exactly one win", timeout=90)
def compare_and_swap():
    with Server() as server:
        with server.wire() as wire:
            wire.set(b"n", b"0")
        wires = [server.wire() for _ in range(8)]
        won = 0
        for _ in range(150):
            for wire in wires:
                wire.send(b"gets n\r\n")
            seen = [wire.values()[b"n"] for wire in wires]
            for wire, (_, data, token) in zip(wires, seen):
                wire.send(b"cas n 0 0 %d %d\r\n%d\r\n" % (len(b"%d" % (int(data) + 1)), token, int(data) + 1))
            answers = [wire.line() for wire in wires]
            equal(sorted(answers), [b"EXISTS"] * 7 + [b"STORED"], "answers to eight equal cas")
            won += 1
        equal(wires[0].get(b"n")[b"n"][1], b"%d" % won, "value after all")


@test("races: a value on its way stays whole when it is replaced, deleted, evicted or flushed")
def on_its_way():
    for unix in (False, True):
        for size in (5000, 900000) if unix else (300000,):
            with Server("-m", "16", unix=unix) as server, server.wire() as other:
                other.set(b"slow", _value(b"slow", 1, 1, size))
                readers = [server.wire() for _ in range(4)]
                count = 6_000_000 // size
                for reader in readers:
                    reader.send(b"get slow\r\n" * count)
                time.sleep(0.1)
                other.set(b"slow", _value(b"slow", 2, 2, size))
                for number in range(40):
                    other.set(b"filler-%d" % (number % 30), b"#" * 900000)
                other.send(b"delete slow\r\nflush_all\r\n")
                other.line()
                other.ask(b"", b"OK\r\n")
                other.set(b"slow", _value(b"slow", 3, 3, size))
                for reader in readers:
                    for _ in range(count):
                        for name, (_, found, _) in reader.values().items():
                            check(_whole(name, found), f"a value of {size} bytes changed on its way")
                    reader.close()


if __name__ == "__main__":
    _endpoint, *_rest = json.loads(sys.stdin.readline())
    print(json.dumps(_work(_endpoint if isinstance(_endpoint, str) else tuple(_endpoint), *_rest)))
