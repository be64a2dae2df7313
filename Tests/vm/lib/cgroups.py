# SPDX-License-Identifier: MIT
"""Memory cgroups, and what is charged to them."""

import contextlib
import itertools
import os
import pathlib
import time

from lib.tap import check

ROOT = pathlib.Path("/sys/fs/cgroup")
_numbers = itertools.count(1)


class Group:
    """A memory cgroup (of version 2), in a guest."""

    def __init__(self):
        (ROOT / "cgroup.subtree_control").write_text("+memory")
        # Stays: the kernel changes the code of its sockets for the first group and after the last (docs/testing.md).
        (ROOT / "kmc-held").mkdir(exist_ok=True)
        self.path = ROOT / f"kmc-{os.getpid()}-{next(_numbers)}"
        self.path.mkdir()

    def join(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def current(self):
        return int((self.path / "memory.current").read_text())

    def held(self):
        """What is charged but for cached files: whoever read a program or a library first has it."""
        return self.current() - self.row("memory.stat", "file")

    def row(self, file, name):
        rows = dict(line.split() for line in (self.path / file).read_text().splitlines())
        return int(rows[name])

    def limit(self, size):
        (self.path / "memory.max").write_text(str(size))


@contextlib.contextmanager
def group():
    """A Group that is removed in the end, once all that was charged to it has gone."""
    made = Group()
    try:
        yield made
    finally:
        limit = time.monotonic() + 60
        while True:
            try:
                made.path.rmdir()
                break
            except OSError:
                check(time.monotonic() < limit, "the cgroup cannot be removed")
                time.sleep(0.05)
