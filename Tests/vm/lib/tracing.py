# SPDX-License-Identifier: MIT
"""The kernel's own word on who does what: its trace of an event, or of a function."""

import contextlib
import pathlib
import re

from lib.tap import check

_TRACING = pathlib.Path("/sys/kernel/tracing")


def _write(name, text):
    (_TRACING / name).write_text(text)


class Trace:
    """What is traced of one event; events() gives it."""

    def __init__(self, event):
        self._mark = f" {event.rpartition('/')[2]}: "

    def lines(self, action):
        """The lines that were written while `action` ran."""
        _write("trace", "")
        _write("tracing_on", "1")
        try:
            action()
        finally:
            _write("tracing_on", "0")
        return [line for line in (_TRACING / "trace").read_text().splitlines() if self._mark in line]


@contextlib.contextmanager
def event(name, only="0"):
    """A Trace of an event, of those that fit the filter `only`.

    The kernel changes its code when it begins and when it ends, which QEMU does not always bear while other CPUs run it
    (docs/testing.md): so once for many looks, and without the names of tasks, which the scheduler's code would note.
    """
    _write("tracing_on", "0")
    _write("options/record-cmd", "0")
    _write(f"events/{name}/filter", only)
    _write(f"events/{name}/enable", "1")
    try:
        yield Trace(name)
    finally:
        _write(f"events/{name}/enable", "0")
        _write(f"events/{name}/filter", "0")


@contextlib.contextmanager
def calls(function):
    """A Trace of the calls of a function.

    Who called is always true; what was off at that time is hidden where the probe traps.
    """
    _write("kprobe_events", f"p:kmc_probe {function}")
    try:
        with event("kprobes/kmc_probe") as trace:
            yield trace
    finally:
        _write("kprobe_events", "")


def in_softirq(line):
    """Whether a line was written in softirq, or with bottom halves off in it."""
    return bool(re.search(r"\[\d+\] ..[sS]", line))


def task(line):
    """The name of the task that wrote a line; "" when it has ended. Threads of work items live for minutes."""
    number = re.search(r"-(\d+)\s+\[", line).group(1)
    try:
        return pathlib.Path("/proc", number, "comm").read_text().strip()
    except FileNotFoundError:
        return ""


def by_worker(lines):
    """How many of the lines the threads of work items wrote."""
    names = [name for name in map(task, lines) if name.startswith("kworker")]
    # One of high priority would starve ksoftirqd as long as a client keeps it busy.
    high = [name for name in names if re.match(r"kworker/\d+:\d+H", name)]
    check(not high, f"served at high priority: {high[:1]}")
    return len(names)
