# SPDX-License-Identifier: MIT
"""pylibmc's rounds (libmemcached itself), over TCP and unix."""

import time

import pylibmc

from lib.server import Server
from lib.tap import check, equal, test


def _client(server, binary=False, **behaviors):
    address = server.path or f"127.0.0.1:{server.port}"
    return pylibmc.Client([address], binary=binary, behaviors={"connect_timeout": 60_000, "receive_timeout": 60_000_000, **behaviors})


def _refused(call, *arguments):
    """False in the text protocol, an exception in the binary one."""
    try:
        return not call(*arguments)
    except pylibmc.NotFound:
        return True


def _storage(client):
    check(client.set("a", "text"), "set")
    equal(client.get("a"), "text", "get of a string")
    client.set("a", {"list": [1, 2.5, None]})
    equal(client.get("a"), {"list": [1, 2.5, None]}, "get of a pickled object (client flags)")
    check(not client.add("a", "x"), "add of a key that is there")
    check(client.add("b", b"m"), "add")
    check(client.append("b", b"-end"), "append")
    check(client.prepend("b", b"start-"), "prepend")
    equal(client.get("b"), b"start-m-end", "append and prepend")
    check(client.replace("b", b"r"), "replace")
    check(_refused(client.replace, "none", b"r"), "replace of a key that is not there")
    check(client.delete("b") and not client.delete("b"), "delete")
    equal(client.get("b"), None, "get of what is deleted")


def _cas(client):
    client.set("c", "1")
    value, token = client.gets("c")
    equal(value, "1", "gets")
    check(client.cas("c", "2", token), "cas with the right token")
    check(not client.cas("c", "3", token), "cas with an old token")
    equal(client.get("c"), "2", "after cas")


def _numbers(client):
    client.set("n", 10)
    equal(client.incr("n", 5), 15, "incr")
    equal(client.decr("n", 20), 0, "decr below zero")
    try:
        client.incr("none")
        check(False, "incr of a key that is not there")
    except pylibmc.NotFound:
        pass


def _expiry(client):
    # Some seconds: one may be over as soon as the clock ticks, before the touch.
    client.set("e2", "x", time=5)
    client.set("e1", "x", time=5)
    check(client.touch("e2", 100), "touch")
    limit = time.monotonic() + 60
    while client.get("e1") is not None:
        check(time.monotonic() < limit, "not expired after 60 s")
        time.sleep(0.2)
    equal(client.get("e2"), "x", "touched before it expired")


def _many(client):
    pairs = {f"key-{number}": f"value {number}" * (number % 40) for number in range(500)}
    equal(client.set_multi(pairs), [], "keys that set_multi failed to store")
    equal(client.get_multi([*pairs, "none"]), pairs, "get_multi")
    check(client.delete_multi(list(pairs)[:250]), "delete_multi")
    equal(len(client.get_multi(list(pairs))), 250, "left after delete_multi")


def _large(client):
    for size in (4096, 65536, 524288, 900000):
        value = (b"%07d|" % size) * (size // 8)
        check(client.set("large", value), f"set of {size} bytes")
        equal(client.get("large"), value[:size], f"value of {size} bytes")


def _unblocked(client):
    client.behaviors = {"no_block": True}
    for number in range(300):
        client.set(f"p{number}", f"{number}")
    equal(client.get("p299"), "299", "after non-blocking sets")
    equal(len(client.get_multi([f"p{number}" for number in range(300)])), 300, "stored by non-blocking sets")


def _general(client):
    rows = client.get_stats()
    check(rows and int(rows[0][1]["curr_items"]) > 0, f"stats: {rows!r}")
    check(client.flush_all(), "flush_all")
    equal(client.get("p1"), None, "after flush_all")


def _round(unix, binary=False):
    with Server(unix=unix) as server:
        for part in (_storage, _cas, _numbers, _expiry, _many, _large, _unblocked, _general):
            part(_client(server, binary, cas=True))


test("pylibmc: every command over TCP")(lambda: _round(unix=False))
test("pylibmc: every command over unix")(lambda: _round(unix=True))
test("pylibmc: every command in binary over TCP")(lambda: _round(unix=False, binary=True))
test("pylibmc: every command in binary over unix")(lambda: _round(unix=True, binary=True))


@test("pylibmc: noreply")
def noreply():
    with Server() as server:
        client = _client(server, _noreply=True)
        for number in range(200):
            client.set(f"q{number % 5}", str(number))
        plain = _client(server)
        limit = time.monotonic() + 60
        while plain.get("q4") != "199":
            check(time.monotonic() < limit, f"q4 is {plain.get('q4')!r} after 60 s")
            time.sleep(0.05)
