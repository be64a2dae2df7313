# SPDX-License-Identifier: MIT
"""Several CPUs: they go and come back, and packets are steered from one to the others, while clients are served."""

import contextlib
import os
import pathlib

from lib.load import Load
from lib.server import Server
from lib.tap import check, equal, test

CPUS = pathlib.Path("/sys/devices/system/cpu")
QUEUE = pathlib.Path("/sys/class/net/lo/queues/rx-0")
FLOWS = pathlib.Path("/proc/sys/net/core/rps_sock_flow_entries")
ROUNDS = 100


def _all_is_well(load, what):
    check(load.wait_for_rounds(ROUNDS), f"clients go on {what}")
    counts = load.counts()
    equal(counts["wrong"], [], f"wrong answers {what}")
    equal(counts["ends"], 0, f"connections that ended {what}")


@contextlib.contextmanager
def _written(*pairs):
    """Files that hold something else for a while."""
    before = [(path, path.read_text(encoding="ascii")) for path, _ in pairs]
    try:
        for path, text in pairs:
            path.write_text(text, encoding="ascii")
        yield
    finally:
        for path, text in reversed(before):
            path.write_text(text, encoding="ascii")


@test("cpus: packets steered to other CPUs (RPS, RFS) are answered")
def steered():
    everyone = f"{(1 << os.cpu_count()) - 1:x}"
    with Server() as one, Load(one.endpoint) as load:
        _all_is_well(load, "before")
        with _written((QUEUE / "rps_cpus", everyone)):
            _all_is_well(load, "with RPS")
            with _written((FLOWS, "1024"), (QUEUE / "rps_flow_cnt", "1024")):
                _all_is_well(load, "with RFS")
        _all_is_well(load, "behind it")


@test("cpus: they go and come back", timeout=300, long=True)
def hotplug():
    files = [CPUS / f"cpu{number}/online" for number in range(1, os.cpu_count())]
    with Server() as one, Load(one.endpoint) as load:
        for turn in range(3):
            for file in files:
                with _written((file, "0")):
                    _all_is_well(load, f"without {file.parent.name}, turn {turn}")
            _all_is_well(load, f"with all CPUs, turn {turn}")
        with contextlib.ExitStack() as gone:
            for file in files:
                gone.enter_context(_written((file, "0")))
            _all_is_well(load, "on one CPU")
