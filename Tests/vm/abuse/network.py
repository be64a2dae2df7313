# SPDX-License-Identifier: MIT
"""Networks that lose, reorder and cut into small pieces: every byte still has its place."""

import contextlib
import os
import subprocess

from lib.server import Server
from lib.tap import check, equal, test

KEYS, TURNS = 12, 6


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"{' '.join(command)}: {done.stderr!r}")


@contextlib.contextmanager
def _bad_loopback(mtu, *disturbance):
    """Loopback with a small MTU, without offloads that would hide it, and netem's disturbance. In a guest only."""
    check("KMC_VM" in os.environ, "this changes the loopback device of the machine: run it in a guest")
    _run("modprobe", "sch_netem")
    _run("ip", "link", "set", "lo", "mtu", str(mtu), "gso_max_size", str(mtu), "gro_max_size", str(mtu))
    _run("tc", "qdisc", "add", "dev", "lo", "root", "netem", *disturbance)
    try:
        yield
    finally:
        _run("tc", "qdisc", "delete", "dev", "lo", "root")
        _run("ip", "link", "set", "lo", "mtu", "65536", "gso_max_size", "65536", "gro_max_size", "65536")


def _exchange(server):
    """Values of all sizes, several connections at once; each byte is compared."""
    wires = [server.wire() for _ in range(4)]
    for turn in range(TURNS):
        values = {b"k%d" % number: bytes((number * 31 + turn * 7 + place) & 255 for place in range(256)) *
                  (1 + (number * number * 3 + turn) % 150) for number in range(KEYS)}
        request = b"".join(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(data), data) for key, data in values.items())
        for wire in wires:
            wire.send(request + b"get " + b" ".join(values) + b"\r\n")
        for wire in wires:
            for key in values:
                equal(wire.line(), b"STORED", f"set of {key!r} in turn {turn}")
            equal({key: data for key, (_, data, _) in wire.values().items()}, values, f"values of turn {turn}")


@test("network: pieces of 576 bytes", needs="module")
def pieces():
    with _bad_loopback(1280, "delay", "1ms"), Server() as server:
        _exchange(server)
    with _bad_loopback(576, "delay", "1ms"), Server() as server:
        _exchange(server)


@test("network: pieces that are lost, doubled and out of order", needs="module", timeout=90)
def losses():
    with _bad_loopback(1500, "delay", "2ms", "1ms", "loss", "2%", "duplicate", "1%", "reorder", "20%", "50%"), \
            Server() as server:
        _exchange(server)
