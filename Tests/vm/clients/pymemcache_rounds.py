# SPDX-License-Identifier: MIT
"""pymemcache's rounds, over TCP and unix."""

import contextlib
import threading
import time

from pymemcache.client.base import Client, PooledClient
from pymemcache.exceptions import MemcacheClientError, MemcacheServerError

from lib.server import Server
from lib.tap import check, equal, test


def _client(server, **options):
    return Client(server.endpoint, connect_timeout=60, timeout=60, **options)


def _storage(client):
    check(client.set("a", b"1"), "set")
    equal(client.get("a"), b"1", "get")
    check(client.add("a", b"2") is False, "add of a key that is there")
    check(client.add("b", b"2"), "add")
    check(client.replace("b", b"3"), "replace")
    check(client.replace("none", b"3") is False, "replace of a key that is not there")
    check(client.append("b", b"-end"), "append")
    check(client.prepend("b", b"start-"), "prepend")
    equal(client.get("b"), b"start-3-end", "append and prepend")
    check(client.delete("b"), "delete")
    check(client.delete("b") is False, "second delete")
    equal(client.get("b"), None, "get of what is deleted")
    equal(client.get("b", b"default"), b"default", "get with a default")


def _cas(client):
    client.set("c", b"1")
    value, token = client.gets("c")
    equal(value, b"1", "gets")
    equal(client.cas("c", b"2", token), True, "cas with the right token")
    equal(client.cas("c", b"3", token), False, "cas with an old token")
    equal(client.cas("none", b"3", token), None, "cas of a key that is not there")
    found = client.gets_many(["c", "none"])
    equal(found["c"][0], b"2", "gets_many")
    check(found["c"][1] != token and len(found) == 1, f"gets_many: {found}")


def _numbers(client):
    client.set("n", b"10")
    equal(client.incr("n", 5), 15, "incr")
    equal(client.decr("n", 20), 0, "decr below zero")
    equal(client.incr("none", 1), None, "incr of a key that is not there")
    client.set("n", b"18446744073709551615")
    equal(client.incr("n", 2), 1, "incr beyond 64 bits")
    client.set("n", b"word")
    try:
        client.incr("n", 1)
        check(False, "incr of a word succeeded")
    except MemcacheClientError:
        pass


def _expiry(client):
    # Some seconds: one may be over as soon as the clock ticks, before the touch.
    client.set("e2", b"x", expire=5)
    client.set("e1", b"x", expire=5)
    client.set("e3", b"x", expire=int(time.time()) + 1000)
    client.set("e4", b"x", expire=int(time.time()) - 10)
    check(client.touch("e2", expire=100), "touch")
    equal(client.get("e4"), None, "expired in the past")
    limit = time.monotonic() + 60
    while client.get("e1") is not None:
        check(time.monotonic() < limit, "not expired after 60 s")
        time.sleep(0.2)
    equal(client.get("e2"), b"x", "touched before it expired")
    equal(client.get("e3"), b"x", "absolute time to come")
    check(client.touch("e1", expire=10) is False, "touch of what has expired")


def _many(client):
    pairs = {f"key-{number}": b"v" * (number % 300) for number in range(500)}
    equal(client.set_many(pairs), [], "keys that set_many failed to store")
    equal(client.get_many([*pairs, "none"]), pairs, "get_many")
    client.delete_many(list(pairs)[:250])
    equal(len(client.get_many(list(pairs))), 250, "left after delete_many")


def _large(client):
    # Around the sizes where storing and sending change their ways: a page, the chunk limit, the item limit.
    for size in (0, 1, 4095, 4096, 4097, 65536, 524288 - 100, 524288, 700000, 1048576 - 300):
        value = (b"%07d|" % size) * (size // 8 + 1)
        check(client.set("large", value[:size]), f"set of {size} bytes")
        equal(client.get("large"), value[:size], f"value of {size} bytes")
    try:
        client.set("large", b"x" * 1048577)
        check(False, "a value above the limit was stored")
    except MemcacheServerError as problem:
        check(b"too large" in problem.args[0], f"refusal of a large value: {problem}")
    equal(client.get("large"), None, "the old value after a refused set")


def _noreply(client):
    for number in range(200):
        client.set(f"q{number % 7}", b"%d" % number, noreply=True)
        client.incr("q0", 1, noreply=True)
        client.delete("q1", noreply=True)
        client.add("q1", b"x", noreply=True)
    equal(client.get("q1"), b"x", "after many noreply")
    client.flush_all(noreply=True)
    equal(client.get_many([f"q{number}" for number in range(7)]), {}, "after flush_all")


def _general(client):
    version = client.version()
    check(version.startswith(b"1.6."), f"version {version!r}")
    rows = client.stats()
    for name, kind in ((b"curr_items", int), (b"version", bytes), (b"limit_maxbytes", int)):
        check(isinstance(rows.get(name), kind), f"stats {name!r} is {rows.get(name)!r}")
    check(client.flush_all(), "flush_all")
    client.quit()


def _round(unix):
    with Server(unix=unix) as server:
        for part in (_storage, _cas, _numbers, _expiry, _many, _large, _noreply, _general):
            with contextlib.closing(_client(server, default_noreply=False)) as client:
                part(client)


test("pymemcache: every command over TCP")(lambda: _round(unix=False))
test("pymemcache: every command over unix")(lambda: _round(unix=True))


def _counting(client, number, rounds, problems):
    try:
        for turn in range(rounds):
            key = f"t{number}-{turn % 11}"
            client.set(key, b"%d:%d" % (number, turn), noreply=False)
            found = client.get(key)
            if found != b"%d:%d" % (number, turn):
                problems.append(f"{key}: {found!r} in turn {turn}")
            client.incr("together", 1, noreply=False)
    except Exception as problem:
        problems.append(repr(problem))


@test("pymemcache: eight threads on a pool of connections")
def pooled():
    with Server() as server:
        client = PooledClient(server.endpoint, max_pool_size=8, timeout=60)
        client.set("together", b"0", noreply=False)
        problems = []
        threads = [threading.Thread(target=_counting, args=(client, number, 100, problems), daemon=True)
                   for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(problems, [], "problems")
        equal(client.get("together"), b"800", "increments of all threads")
        client.close()
