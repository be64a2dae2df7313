# SPDX-License-Identifier: MIT
"""Slab pages in the kernel: moved under load, given back when asked, bounded together."""

import contextlib
import pathlib
import random
import subprocess
import tempfile
import threading
import time

from lib.kernel import meminfo
from lib.server import Server, free_port, tool
from lib.tap import check, equal, test

MIB = 1 << 20
PATIENCE = 60  # seconds; only bounds a hang


def _value(key, length):
    return (b"%d." % key * (length // len(b"%d." % key) + 1))[:length]


def _length(key):
    return (200, 3000, 9000, 40000)[key % 4] + key


class Client(threading.Thread):
    """Sets, gets, appends to and deletes its own keys until told to stop; each value must be its own."""

    def __init__(self, wire, first):
        super().__init__(daemon=True)
        self.wire, self.first, self.stop, self.rounds, self.error = wire, first, False, 0, None
        self.stored = 0

    def run(self):
        chance = random.Random(self.first)
        try:
            while not self.stop:
                self._round(self.first + chance.randrange(400), chance.randrange(10))
                self.rounds += 1
        except Exception as error:  # told by finish()
            self.error = error

    def _round(self, key, what):
        length = _length(key)
        if what < 4:
            self._set(key, length)
        elif what < 5:
            self.wire.send(b"delete k%d noreply\r\n" % key)
        else:
            self.wire.send(b"get k%d\r\n" % key)
            line = self.wire.line()
            if line == b"END":
                return
            equal(line, b"VALUE k%d 0 %d" % (key, length), "head")
            equal(self.wire.exactly(length + 2), _value(key, length) + b"\r\n", "value")
            equal(self.wire.line(), b"END", "end")

    def _set(self, key, length):
        """A class whose last page has just been taken has nothing to drop: as memcached, it says so."""
        self.wire.send(b"set k%d 0 0 %d\r\n%s\r\n" % (key, length, _value(key, length)))
        line = self.wire.line()
        check(line in (b"STORED", b"SERVER_ERROR out of memory storing object"), f"set: {line!r}")
        self.stored += line == b"STORED"

    def finish(self):
        self.stop = True
        self.join(PATIENCE)
        check(not self.is_alive(), "a client hangs")
        if self.error:
            raise self.error
        check(self.rounds > 0, "a client did nothing")
        check(self.stored * 10 > self.rounds, f"of {self.rounds} rounds, some four in ten of them sets, {self.stored} stored")


def _until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        check(time.monotonic() < end, f"waited in vain until {what}")
        time.sleep(0.05)


def _fill(wire, mebibytes, length=9000):
    for key in range(mebibytes * MIB // length):
        wire.send(b"set f%d 0 0 %d noreply\r\n%s\r\n" % (key, length, b"f" * length))
    wire.set(b"last", b"1")


def _malloced(wire):
    return int(wire.stats(b"slabs")["total_malloced"])


def _memory(wire):
    return {name: int(value) for name, value in wire.stats(b"memory").items()}


def _short(stats):
    """What has not happened often enough to mean anything."""
    wanted = {"slabs_moved": 30, "slab_reassign_rescues": 100, "slab_reassign_chunk_rescues": 20}
    return {name: stats[name] for name, least in wanted.items() if int(stats[name]) < least}


@test("pages: move from anywhere to anywhere while clients check every value", timeout=200)
def under_load():
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(Server("-m", "32", "-o", "slab_chunk_max=16"))
        wire = stack.enter_context(one.wire(timeout=60))
        clients = [Client(stack.enter_context(one.wire(timeout=60)), first) for first in range(0, 2400, 400)]
        _fill(wire, 20)
        for client in clients:
            client.start()
        chance = random.Random(7)
        ids = [int(name.split(":")[0]) for name in wire.stats(b"slabs") if name.endswith(":total_pages")]
        end = time.monotonic() + 5 * PATIENCE
        while _short(wire.stats()) and time.monotonic() < end:
            wire.send(b"slabs reassign -1 %d\r\n" % chance.choice([0, *ids]))
            wire.line()
        for client in clients:
            client.finish()
        check(not _short(wire.stats()), f"moved too little: {_short(wire.stats())}")


@test("pages: a lower limit gives memory back to the system, a higher one takes it", timeout=200)
def memory_limit():
    with Server("-m", "256") as one, one.wire(timeout=60) as wire:
        wire.ask(b"slabs automove 0\r\n", b"OK\r\n")
        _fill(wire, 240)
        full = meminfo("MemAvailable")
        check(_malloced(wire) > 200 * MIB, "it is full")
        wire.ask(b"cache_memlimit 32\r\n", b"OK\r\n")
        equal(wire.stats(b"settings")["maxbytes"], str(32 * MIB), "maxbytes")
        _until(lambda: _malloced(wire) <= 32 * MIB, "pages are gone")
        _until(lambda: meminfo("MemAvailable") - full > 150 * MIB, "the system has them")
        wire.ask(b"get last\r\n", b"VALUE last 0 1\r\n1\r\nEND\r\n")
        wire.ask(b"cache_memlimit 64\r\n", b"OK\r\n")
        _fill(wire, 80)
        check(48 * MIB < _malloced(wire) <= 66 * MIB, f"it grows again, to its limit: {_malloced(wire)}")


def _drop_caches():
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def _available():
    """Near the end with caches dropped, for not all that this frees is counted as available before."""
    if meminfo("MemAvailable") < meminfo("MemTotal") // 6:
        _drop_caches()
    return meminfo("MemAvailable")


@contextlib.contextmanager
def _scarce_memory():
    """A file in memory, which the system cannot drop, of all that is available but a twentieth of the machine's."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100%", "hog", folder], check=True)
        try:
            block = bytes(4 * MIB)
            with open(folder + "/hog", "wb", buffering=0) as hog:
                while (more := _available() - meminfo("MemTotal") // 20) > 0:
                    hog.write(block[:more])
            yield
        finally:
            subprocess.run(["umount", folder], check=True)


@test("pages: the system asks for memory and gets some", timeout=600)
def shrinker():
    with Server("-m", "128") as one, one.wire(timeout=60) as wire:
        _fill(wire, 100)
        before = _malloced(wire)

        def fewer():
            _drop_caches()
            return _malloced(wire) < before - 8 * MIB

        with _scarce_memory():
            _until(fewer, "pages are gone")
        check(_memory(wire)["reclaimed_pages"] > 8, f"they are counted: {_memory(wire)}")
        wire.set(b"new", b"1")
        wire.ask(b"get new\r\n", b"VALUE new 0 1\r\n1\r\nEND\r\n")


def _read_through(size):
    """Fills the page cache with that many bytes, as reading a large file does."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as empty:
        empty.truncate(size)
        loop = subprocess.run(["losetup", "--find", "--show", empty.name], stdout=subprocess.PIPE, check=True, text=True)
        device = loop.stdout.strip()
        try:
            with open(device, "rb", buffering=0) as disk:
                while disk.read(4 * MIB):
                    pass
        finally:
            subprocess.run(["losetup", "--detach", device], check=True)


@test("pages: what others' files take of the page cache costs no item", timeout=600)
def page_cache():
    subprocess.run(["modprobe", "loop"], check=True)
    with Server("-m", "64") as one, one.wire(timeout=60) as wire:
        wire.ask(b"slabs automove 0\r\n", b"OK\r\n")
        _fill(wire, 40)
        items, pages = wire.stats()["curr_items"], _malloced(wire)
        for _ in range(4):
            _drop_caches()
        _read_through(min(meminfo("MemTotal") * 3 // 2, 2048 * MIB))
        _drop_caches()
        equal((wire.stats()["curr_items"], _malloced(wire)), (items, pages), "items and pages")
        equal(_memory(wire)["reclaimed_pages"], 0, "reclaimed_pages")
        _fill(wire, 60)
        check(_malloced(wire) > 50 * MIB, f"it may grow to its limit: {_malloced(wire)}")


@test("pages: all instances together have a bound", timeout=60)
def together():
    percent = pathlib.Path("/sys/module/kmemcache/parameters/memory_percent")
    total = meminfo("MemTotal") // MIB
    equal(percent.read_text(), "75\n", "memory_percent")
    with Server("-m", str(total // 2)) as one, one.wire() as wire:
        wire.ask(b"cache_memlimit %d\r\n" % (total * 8 // 10),
                 b"MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n")
        refused = tool("-p", str(free_port()), "-m", str(total // 2))
        check(refused.returncode != 0 and "memory_percent" in refused.stderr, f"said {refused.stderr!r}")
        percent.write_text("150")
        try:
            with Server("-m", str(total // 2)) as other, other.wire() as second:
                second.set(b"a", b"1")
        finally:
            percent.write_text("75")


@test("pages: values announced and not sent take no more than half of the memory")
def announced():
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(Server("-m", "64", "-I", "8m"))
        wire = stack.enter_context(one.wire(timeout=60))
        wire.set(b"a", b"1")
        for number in range(12):
            slow = stack.enter_context(one.wire())
            slow.send(b"set s%d 0 0 8000000\r\n" % number)
        _until(lambda: int(wire.stats()["store_no_memory"]) == 8, "eight are refused")
        equal(_memory(wire)["incoming_bytes"], 4 * 8000000, "incoming_bytes")
        wire.ask(b"get a\r\n", b"VALUE a 0 1\r\n1\r\nEND\r\n")
