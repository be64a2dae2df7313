# SPDX-License-Identifier: MIT
"""Sockets that end by others' hands: `ss -K`."""

import pathlib
import subprocess
import time

from lib import kernel, server
from lib.load import Load
from lib.server import Server, succeed
from lib.tap import check, equal, test


def _kill(*filter_words):
    """ss -K; returns what it says it killed."""
    if not pathlib.Path("/sys/module/tcp_diag").exists():
        subprocess.run(["modprobe", "tcp_diag"], check=True, timeout=60)
    return subprocess.run(["ss", "-K", "-H", *filter_words], check=True, capture_output=True, text=True,
                          timeout=60).stdout


@test("ss -K on connections: they end, the others and the server go on")
def connections():
    with Server() as one:
        wires = [one.wire() for _ in range(5)]
        wires[0].send(b"set a 0 0 100000\r\n" + b"a" * 50000)
        for wire in wires[1:]:
            wire.alive()
        kept = wires[4].socket.getsockname()[1]
        killed = _kill("-t", "state", "established", "sport", "=", f":{one.port}", "and", "dport", "!=", f":{kept}")
        equal(len(killed.splitlines()), 4, "killed connections")
        for wire in wires[:4]:
            wire.closed(within=3)
        wires[4].alive()
        limit = time.monotonic() + 60
        while (left := one.stats()["curr_connections"]) not in (("2",) if server.is_ours() else ("2", "3")):
            check(time.monotonic() < limit, f"curr_connections is {left}")
            time.sleep(0.05)


@test("ss -K on a listener: connections go on, nobody new comes, stop works", needs="module")
def listener():
    for attached in (False, True):
        with Server(attached=attached) as one, one.wire() as wire:
            wire.set(b"a", b"1")
            killed = _kill("-t", "-l", "sport", "=", f":{one.port}")
            equal(len(killed.splitlines()), 1, "killed listeners")
            one.gone(within=0.5)
            equal(wire.get(b"a"), {b"a": (0, b"1", None)}, "value over the connection that is left")
            check(one.name in succeed("list").stdout, "the instance is no longer listed")
            succeed("status", one.name)


@test("ss -K on a listener, then rmmod", needs="module")
def listener_then_unload():
    with Server() as one, one.wire() as wire:
        _kill("-t", "-l", "sport", "=", f":{one.port}")
        wire.alive()
        one.forget()
        kernel.unload()
        try:
            wire.closed(within=2)
        finally:
            kernel.load()


@test("ss -K on everything in turn, under load, and stop works", needs="module")
def storm():
    with Server() as one, Load(one.endpoint, clients=8) as load:
        check(load.wait_for_rounds(50), "clients do not get on")
        for _ in range(5):
            _kill("-t", "state", "established", "sport", "=", f":{one.port}")
            _kill("-t", "state", "established", "dport", "=", f":{one.port}")
        check(load.wait_for_rounds(50), "clients do not get on after their connections were killed")
        equal(load.counts()["wrong"], [], "wrong answers")
