# SPDX-License-Identifier: MIT
"""Packets are steered from one CPU to the others while clients are served.

The kernel changes its code when that is turned on, so QEMU 7.2 may trap for ever (docs/testing.md): nothing for CI.
"""

import contextlib
import os
import pathlib

from lib.load import Load
from lib.server import Server
from lib.tap import check, equal, test

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


@test("steering: packets steered to other CPUs (RPS, RFS) are answered", timeout=300)
def steered():
    everyone = f"{(1 << os.cpu_count()) - 1:x}"
    with Server() as one, Load(one.endpoint) as load:
        _all_is_well(load, "before")
        with _written((QUEUE / "rps_cpus", everyone)):
            _all_is_well(load, "with RPS")
            with _written((FLOWS, "1024"), (QUEUE / "rps_flow_cnt", "1024")):
                _all_is_well(load, "with RFS")
        _all_is_well(load, "behind it")
