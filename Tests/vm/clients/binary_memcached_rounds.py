# SPDX-License-Identifier: MIT
"""python-binary-memcached's rounds: binary over TCP and unix, with SASL and without."""

import pathlib
import tempfile
import time

import bmemcached
from bmemcached.exceptions import MemcachedException

from lib.server import Server
from lib.tap import check, equal, test

REFUSED = 0x20


def _client(server, *who):
    return bmemcached.Client((server.path or f"127.0.0.1:{server.port}",), *who, socket_timeout=60)


def _storage(client):
    check(client.set("a", "text"), "set")
    equal(client.get("a"), "text", "get of a string")
    check(client.set("a", {"list": [1, 2.5, None]}), "set of an object")
    equal(client.get("a"), {"list": [1, 2.5, None]}, "get of an object (client flags)")
    check(client.set("long", "x" * 100_000, compress_level=0), "set of 100,000 bytes")
    equal(client.get("long"), "x" * 100_000, "get of 100,000 bytes")
    check(client.add("b", "1") and not client.add("b", "2"), "add")
    check(client.replace("b", "3") and not client.replace("none", "3"), "replace")
    check(client.delete("b") and client.get("b") is None, "delete")


def _cas(client):
    client.set("c", "1")
    value, token = client.gets("c")
    equal(value, "1", "gets")
    check(client.cas("c", "2", token), "cas with the right token")
    check(not client.cas("c", "3", token), "cas with an old token")
    equal(client.get("c"), "2", "after cas")
    check(not client.delete("c", cas=token) and client.get("c") == "2", "delete with an old token")


def _numbers(client):
    equal(client.incr("n", 5, default=7), 7, "incr begins a number")
    equal(client.incr("n", 5), 12, "incr")
    equal(client.decr("n", 20), 0, "decr below zero")


def _many(client):
    pairs = {f"key-{number}": f"value {number}" * (number % 40) for number in range(500)}
    equal(client.set_multi(pairs), [], "set_multi: what was not stored (setq, noop)")
    equal(client.get_multi([*pairs, "none"]), pairs, "get_multi (getkq, noop)")
    check(client.delete_multi(pairs), "delete_multi")
    equal(client.get_multi(list(pairs)), {}, "after delete_multi")


def _general(client):
    rows = client.stats()
    check(rows and all(int(row["curr_items"]) > 0 for row in rows.values()), f"stats: {rows!r}")
    check(client.flush_all(), "flush_all")
    equal(client.get("a"), None, "after flush_all")
    client.disconnect_all()


def _expiry(client):
    client.set("e", "x", time=1)
    limit = time.monotonic() + 60
    while client.get("e") is not None:
        check(time.monotonic() < limit, "not expired after 60 s")
        time.sleep(0.2)


def _round(client):
    for part in (_storage, _cas, _numbers, _many, _expiry, _general):
        part(client)


@test("python-binary-memcached: every command over TCP")
def tcp():
    with Server() as server:
        _round(_client(server))


@test("python-binary-memcached: every command over unix")
def unix():
    with Server(unix=True) as server:
        _round(_client(server))


@test("python-binary-memcached: SASL lets in who knows the password, for every command, and nobody else", needs="module")
def sasl():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "users")
        path.write_text("user:secret\n")
        with Server("-S", environment={"MEMCACHED_SASL_PWDB": str(path)}) as server:
            _round(_client(server, "user", "secret"))
            for who in (("user", "wrong"), ("nobody", "secret")):
                try:
                    check(not _client(server, *who).set("a", "x"), f"{who} may set")
                except MemcachedException as problem:
                    equal(problem.code, REFUSED, f"status for {who}")
            equal(_client(server, "user", "secret").get("a"), None, "after others have failed")


@test("python-binary-memcached: who has a password goes on where none is asked for")
def unasked():
    with Server() as server:
        client = _client(server, "user", "secret")
        check(client.set("a", "x") and client.get("a") == "x", "set and get")
