# SPDX-License-Identifier: MIT
"""Networks that lose, reorder, cut into small pieces and merge them again: every byte still has its place."""

import contextlib
import os
import subprocess

from lib import cable
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


PIPELINED = 3000


def _pipeline(server):
    """Thousands of requests in one go, as large as their answers or smaller: many lie in one piece that has come."""
    with server.wire() as wire:
        for size in (10, 900):
            keys = [b"p%d" % number for number in range(PIPELINED // 10)]
            values = {key: bytes(key) * (size // len(key)) for key in keys}
            wire.send(b"".join(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(data), data) for key, data in values.items()))
            for key in keys:
                equal(wire.line(), b"STORED", f"set of {key!r}")
            wire.send(b"".join(b"mg %s v k\r\n" % key for key in keys * 10))
            for key in keys * 10:
                equal((wire.line(), wire.exactly(len(values[key]) + 2)),
                      (b"VA %d k%s" % (len(values[key]), key), values[key] + b"\r\n"), f"answer about {key!r}")


def _large(server):
    """Megabytes each way, in many pieces."""
    value = bytes(place * 7 & 255 for place in range(256)) * 3900
    with server.wire() as wire, server.wire() as other:
        for turn in range(4):
            wire.set(b"large", value + bytes([turn]))
            equal(other.get(b"large"), {b"large": (0, value + bytes([turn]), None)}, f"value of turn {turn}")


def _over(kind):
    """What went on over a cable: packets, and those that IP saw."""
    with cable.over(kind), Server() as server:
        before = cable.received()
        _exchange(server)
        _pipeline(server)
        _large(server)
        over, seen = (now - then for now, then in zip(cable.received(), before))
    check(over > 300, f"only {over} packets came over the cable")
    return over, seen


@test("network: over veth, in pieces of up to 64 KiB", needs="module")
def veth():
    _over("veth")


@test("network: over veth, in segments", needs="module")
def veth_segments():
    over, _ = _over("veth-segments")
    check(over > 10000, f"{over} packets: they were not cut")


@test("network: over veth, in segments that GRO merges again", needs="module")
def veth_gro():
    over, seen = _over("veth-gro")
    check(over > 10000 and seen < over * 0.7, f"{over} packets came, IP saw {seen}: they were not merged")


@test("network: over veth that gathers nothing: all that is sent is copied", needs="module")
def veth_copy():
    _over("veth-copy")
