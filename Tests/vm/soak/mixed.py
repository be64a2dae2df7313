# SPDX-License-Identifier: MIT
"""Load the module, ten instances on all transports, traffic, an end at a random moment, unload: for as long as one likes.

KMC_SOAK_MINUTES says how long, KMC_SOAK_SEED which moments and ends.
"""

import collections
import os
import pathlib
import random
import shutil
import signal
import tempfile
import time

from lib import kernel
from lib import kmcnl as k
from lib.datagrams import listen_udp
from lib.load import Load
from lib.noise import Noise
from lib.server import free_port, succeed
from lib.tap import check, equal, test

MINUTES = float(os.environ.get("KMC_SOAK_MINUTES", "1"))
SEED = int(os.environ.get("KMC_SOAK_SEED", "1"))
INSTANCES = 10
WARM_UP = 4  # cycles; what they leave in the kernel's own caches is no leak
DRIFT = 24 << 20  # of MemAvailable, however long it lasts: clients and their sockets live on
ENDS = ("unload", "stop", "kill", "kill, then stop", "kill and unload")


class Place:
    """Where one of the instances listens, cycle after cycle, and how it is made."""

    def __init__(self, number, folder):
        self.number, self.attached = number, number % 2 == 1
        self.port = free_port() if number % 3 < 2 else None
        self.path = f"{folder}/{number}" if number % 3 > 0 else None
        self.udp = number % 3 == 0

    def streams(self):
        return ([("127.0.0.1", self.port)] if self.port else []) + ([self.path] if self.path else [])

    def make(self, netlink):
        """Sockets, and an instance that has them."""
        sockets = [k.listen_tcp(port=self.port)] if self.port else []
        if self.path:
            pathlib.Path(self.path).unlink(missing_ok=True)
            sockets.append(k.listen_unix(self.path))
        if self.udp:
            sockets.append(listen_udp(port=self.port))
        # Some are so small that they are always full, some give each client few requests a turn.
        settings = [k.u64(k.KMC_S_MEMORY_LIMIT, (4 << 20) << self.number % 3), k.u32(k.KMC_S_REQS_PER_EVENT, 1 + self.number * 3),
                    k.u32(k.KMC_S_SLAB_AUTOMOVE, self.number % 3), k.u32(k.KMC_S_IDLE_TIMEOUT, self.number % 2)]
        made = netlink.new(sockets, *settings, name=f"soak-{self.number}", attached=self.attached)
        for one in sockets:
            one.close()
        return made["id"]


class Owner:
    """A process that has the attached instances, and can be killed."""

    def __init__(self, places):
        read, write = os.pipe()
        self.process = os.fork()
        if not self.process:
            try:
                netlink = k.Netlink()
                for place in places:
                    place.make(netlink)
                os.write(write, b".")
                signal.pause()
            finally:
                os._exit(1)
        os.close(write)
        ready = os.read(read, 1)
        os.close(read)
        check(ready, "no attached instance was made")

    def kill(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def _until_gone(netlink, count):
    """Until only `count` instances are left."""
    limit = time.monotonic() + 60
    while len(left := netlink.list()) > count:
        check(time.monotonic() < limit, f"still there after their owner was killed: {[one['name'] for one in left]}")
        time.sleep(0.01)


def _end(how, owner, netlink, detached):
    """End all instances so; the module may be gone after it."""
    if "kill" in how:
        owner.kill()
    if how == "kill, then stop":
        _until_gone(netlink, len(detached))
    if "stop" in how:
        succeed("stop", "--all")
        equal(netlink.list(), [], "instances after stop --all")
    elif how == "kill":
        _until_gone(netlink, len(detached))
        for one in detached:
            netlink.delete(one)
    netlink.close()
    if "unload" not in how:
        kernel.no_users()
    kernel.unload(within=60)
    if "kill" not in how:
        owner.kill()


def _ways(dice):
    """How the cycles end, for ever: each way once, in random order, then again."""
    while True:
        yield from dice.sample(ENDS, len(ENDS))


def _cycle(dice, how, places, load, noise):
    kernel.load()
    netlink = k.Netlink()
    owner = Owner([place for place in places if place.attached])
    detached = [place.make(netlink) for place in places if not place.attached]
    equal(len(netlink.list()), INSTANCES, "instances")
    check(load.wait_for_rounds(20) and noise.wait_to_be_heard(seconds=300), "clients do not get on")
    time.sleep(dice.random() ** 3 * 3)
    _end(how, owner, netlink, detached)


@test(f"soak: {MINUTES:g} minutes of load, ten instances, traffic, an end at a random moment, unload", needs="module",
      timeout=int(60 * MINUTES) + 600)
def soak():
    kernel.ensure_loaded()
    kernel.unload()
    dice, ends, before = random.Random(SEED), collections.Counter(), 0
    folder = tempfile.mkdtemp(prefix="kmc-soak-")
    places = [Place(number, folder) for number in range(INSTANCES)]
    streams = [endpoint for place in places for endpoint in place.streams()]
    limit = time.monotonic() + 60 * MINUTES
    try:
        with Load(*streams, clients=1, pause=0.02) as load, \
                Noise(SEED, streams, [("127.0.0.1", place.port) for place in places if place.udp]) as noise:
            for how in _ways(random.Random(SEED)):
                if time.monotonic() > limit and ends.total() > WARM_UP:
                    break
                _cycle(dice, how, places, load, noise)
                ends[how] += 1
                if ends.total() == WARM_UP:
                    before = kernel.available_memory()
            drift = kernel.missing_memory(before, DRIFT)
            counts, said = load.counts(), noise.counts()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        kernel.ensure_loaded()
    print(f"# {ends.total()} cycles {dict(ends)}; {counts['rounds']} rounds of 9 checked requests, {counts['ends']} "
          f"connections ended from outside; {said['operations']} other operations, {said['streams']} and "
          f"{said['datagrams']} bytes of answers by streams and UDP; MemAvailable {-drift >> 10:+} KiB", flush=True)
    equal(counts["wrong"], [], "wrong answers")
    check(drift < DRIFT or kernel.keeps_what_is_freed(), f"MemAvailable fell by {drift >> 10} KiB")
