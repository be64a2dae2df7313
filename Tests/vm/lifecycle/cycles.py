# SPDX-License-Identifier: MIT
"""Load, serve, unload, a hundred times, with clients that keep going."""

import shutil
import tempfile

from lib import kernel
from lib.load import Load
from lib.server import free_port, succeed
from lib.tap import check, equal, test

CYCLES = 100
WARM_UP = 6  # what the first cycles leave (page tables, the tool in the page cache) is no leak
DRIFT = 4 << 20
ROUNDS = 5


def _cycle(number, port, path, load):
    """TCP and unix in turn; some are stopped before rmmod, the others are unloaded as they serve."""
    kernel.load()
    if number % 2:
        succeed("-s", path)
    else:
        succeed("-p", port, "-l", "127.0.0.1")
    check(load.wait_for_rounds(ROUNDS), f"clients do not get on in cycle {number}")
    if number % 4 == 3:
        succeed("stop", "--all")
    kernel.unload()


@test("cycles: 100 times load, serve, unload with clients running: nothing is left", needs="module", timeout=420)
def cycles():
    kernel.ensure_loaded()
    kernel.unload()
    folder = tempfile.mkdtemp(prefix="kmc-cycles-")
    port, path = free_port(), f"{folder}/socket"
    try:
        with Load(("127.0.0.1", port), path, clients=3, pause=0.02) as load:
            for number in range(WARM_UP):
                _cycle(number, port, path, load)
            before = kernel.available_memory()
            # That dropped the tool from memory: reading it again is no part of a cycle.
            succeed("-V")
            for number in range(CYCLES):
                _cycle(number, port, path, load)
            drift = kernel.missing_memory(before, DRIFT)
            counts = load.counts()
        equal(counts["wrong"], [], "wrong answers")
        check(counts["rounds"] >= ROUNDS * CYCLES and counts["ends"] >= CYCLES, f"clients did little: {counts}")
        check(drift < DRIFT or kernel.keeps_what_is_freed(), f"MemAvailable fell by {drift >> 10} KiB in {CYCLES} cycles")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        kernel.ensure_loaded()
