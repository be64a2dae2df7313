# SPDX-License-Identifier: MIT
"""The largest instance that the machine holds comes and goes, and nobody else waits for it."""

import contextlib
import pathlib
import threading
import time

from lib import kernel
from lib.kernel import meminfo
from lib.server import Server, succeed
from lib.tap import check, equal, patient, test
from lib.wire import Wire

MIB = 1 << 20
SMALL, LARGE = 100, 500 << 10  # bytes of a value
WAIT = 0.1                     # seconds that another task may be kept from its CPU; a soft lockup takes 20


def _largest():
    """MiB for an instance: what memory_percent promises to all, less what the machine needs by now."""
    percent = int(pathlib.Path("/sys/module/kmemcache/parameters/memory_percent").read_text())
    return min(meminfo("MemTotal") * percent // 100, meminfo("MemAvailable") * 9 // 10) // MIB


def _fill(server, count, length):
    succeed("bench", "--tcp", f"127.0.0.1:{server.port}", "--operations", "0", "--keys", count,
            "--value-size", length, timeout=patient(600))


def _held(server):
    with Wire(server.endpoint) as wire:
        return int(wire.stats(b"slabs")["total_malloced"])


class _Heartbeat(threading.Thread):
    """Sleeps for a moment again and again, and keeps the longest that this took."""

    def __init__(self):
        super().__init__(daemon=True)
        self.longest, self._over = 0.0, threading.Event()

    def run(self):
        before = time.monotonic()
        while not self._over.wait(0.01):
            now = time.monotonic()
            self.longest, before = max(self.longest, now - before), now

    def finish(self):
        self._over.set()
        self.join(60)


@contextlib.contextmanager
def _nobody_waits(what):
    heart = _Heartbeat()
    heart.start()
    yield
    heart.finish()
    print(f"# {what}: others waited {heart.longest:.3f} s at most", flush=True)
    check(heart.longest < WAIT, f"{what}: another task waited {heart.longest:.2f} s, expected less than {WAIT} s")


@test("pages: the largest instance that the machine holds is filled and destroyed, and nobody else waits", needs="module",
      timeout=1200, long=True)
def largest():
    before = kernel.available_memory()
    limit = _largest()
    with Server("-m", limit, "-I", "1m") as server:
        with _nobody_waits(f"filling {limit} MiB"):
            _fill(server, 200_000, SMALL)
            _fill(server, (limit * MIB - _held(server)) // LARGE, LARGE)
        held = _held(server)
        check(held > limit * MIB * 9 // 10, f"only {held >> 20} of {limit} MiB are filled")
        started = time.monotonic()
        with _nobody_waits(f"destroying {held >> 20} MiB"):
            server.stop()
        print(f"# destroyed in {time.monotonic() - started:.2f} s", flush=True)
    missing = kernel.missing_memory(before, 64 * MIB)
    check(missing < 64 * MIB, f"{missing >> 20} MiB of memory did not come back")
    equal(kernel.is_loaded(), True, "the module")
