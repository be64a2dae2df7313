# SPDX-License-Identifier: MIT
"""A wall clock that is set forwards and backwards: items live as long as was said when they were stored."""

import contextlib
import os
import time

from lib.load import Load
from lib.server import Server
from lib.tap import check, equal, patient, test

DAY = 86400


@contextlib.contextmanager
def _clock():
    """A function that sets the clock; in the end it goes on from where it would be."""
    check("KMC_VM" in os.environ, "this sets the clock of the machine: run it in a guest")
    apart = time.time() - time.monotonic()
    try:
        yield lambda seconds: time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)
    finally:
        time.clock_settime(time.CLOCK_REALTIME, apart + time.monotonic())


def _left(wire, key):
    """Seconds that an item has, -1: it stays, None: it is gone."""
    line = wire.command(b"mg %s t" % key)
    return None if line == b"EN" else int(line.removeprefix(b"HD t"))


def _stays(wire, key, least, most):
    left = _left(wire, key)
    check(left is not None and least <= left <= most, f"{key!r} has {left} seconds, expected {least} to {most}")


def _goes(wire, key, seconds, since, least):
    """It goes, and not before its time."""
    limit = time.monotonic() + patient(seconds)
    while _left(wire, key) is not None:
        check(time.monotonic() < limit, f"{key!r} stays")
        time.sleep(0.05)
    check(time.monotonic() - since >= least, f"{key!r} went after {time.monotonic() - since:.2f} s of {seconds}")


def _says_the_time(wire, started):
    before = int(time.time())
    rows = wire.stats()
    check(before <= int(rows["time"]) <= time.time(), f"time is {rows['time']}, the clock says {before}")
    most = time.monotonic() - started + 4  # memcached's uptime begins with two
    check(0 <= int(rows["uptime"]) <= most, f"uptime is {rows['uptime']}, expected {most:.0f} at most")


def _after_a_step(wire, step, started):
    """What was stored before lives on, what is stored now lives as long as it shall."""
    step()
    _says_the_time(wire, started)
    equal(_left(wire, b"ever"), -1, "seconds of what never expires")
    for key in (b"relative", b"absolute"):
        _stays(wire, key, 4998 - int(time.monotonic() - started), 5000)
    stored = time.monotonic()
    wire.set(b"new", b"1", expiry=int(time.time()) + 3)
    wire.set(b"past", b"1", expiry=int(time.time()) - 1)
    wire.set(b"soon", b"1", expiry=3)
    wire.set(b"later", b"1", expiry=int(time.time()) + 5000)
    equal(_left(wire, b"past"), None, "what expired a second ago")
    _stays(wire, b"later", 4997 - int(time.monotonic() - stored), 5000)
    # Clocks are read in whole seconds: the cache's, as memcached's, and for a time of day the wall's, by both sides.
    _goes(wire, b"new", 3, stored, 0.9)
    _goes(wire, b"soon", 3, stored, 1.9)


@test("clock: set a day forwards and two backwards, under load: nothing dies early, nothing lives longer", needs="module", timeout=120)
def steps():
    started = time.monotonic()
    with Server() as server, server.wire() as wire, _clock() as step, Load(server.endpoint, clients=2, pause=0.01) as load:
        wire.set(b"ever", b"1")
        wire.set(b"relative", b"1", expiry=5000)
        wire.set(b"absolute", b"1", expiry=int(time.time()) + 5000)
        for seconds in (DAY, -2 * DAY, DAY):
            _after_a_step(wire, lambda seconds=seconds: step(seconds), started)
        check(load.wait_for_rounds(10), f"clients do not get on: {load.counts()}")
        counts = load.counts()
    equal((counts["ends"], counts["wrong"]), (0, []), "connections that ended, wrong answers")


@test("clock: a flush that is to come comes when it shall, wherever the clock is set", needs="module", timeout=120)
def flush():
    for seconds in (DAY, -2 * DAY):
        with Server() as server, server.wire() as wire, _clock() as step:
            wire.set(b"a", b"1")
            began = time.monotonic()
            wire.ask(b"flush_all 4\r\n", b"OK\r\n")
            step(seconds)
            equal(_left(wire, b"a"), -1, "seconds of what is to be flushed")
            _goes(wire, b"a", 4, began, 1.9)  # the second before, as memcached does, and whole seconds
