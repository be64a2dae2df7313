# SPDX-License-Identifier: MIT
"""Tests/suites: one row per suite. Its own comment is the specification."""

from dataclasses import dataclass

GUESTS = {"vm-6.1": ("6.1",), "vm-6.12": ("6.12",), "both": ("6.1", "6.12"),
          "vm-debug": ("debug",), "vm-debug-6.12": ("debug-6.12",), "vm-debugs": ("debug", "debug-6.12"),
          "vm-kcsan": ("kcsan",), "vm-gcov": ("gcov",)}
REPORTS = ("tap", "ktap", "xunit", "line")
TIERS = ("test", "long")


class TableError(Exception):
    """A row that cannot be read, as one sentence."""


@dataclass(frozen=True)
class Suite:
    """One suite in one place. `kernel` is "" on the host; `options` go to vm/run; `seconds` is the time limit; `alone`:
    nothing may run beside it."""
    name: str
    kernel: str
    options: tuple[str, ...]
    report: str
    seconds: int
    tier: str
    command: str
    alone: bool = False


def _row(line, number):
    fields = [field.strip() for field in line.split("|", 5)]
    if len(fields) != 6:
        raise TableError(f"line {number}: six columns, please: name | where | report | minutes | tier | command")
    name, where, report, minutes, tier, command = fields
    place, *options = where.split()
    if place != "host" and place not in GUESTS:
        raise TableError(f"line {number}: where is {place!r}: host, {', '.join(GUESTS)}")
    if report not in REPORTS or tier not in TIERS or not minutes.isdigit() or not name or not command:
        raise TableError(f"line {number}: report is one of {', '.join(REPORTS)}, minutes a number, "
                         f"tier one of {', '.join(TIERS)}")
    alone = place == "host" and options == ["alone"]
    if place == "host" and (report == "ktap" or options and not alone):
        raise TableError(f"line {number}: options and ktap are for guests; a host's only option is alone")
    if place != "host" and report == "xunit":
        raise TableError(f"line {number}: a guest's files are gone with it, so it cannot report by xunit")
    kernels = GUESTS.get(place, ("",))
    return [Suite(f"{name}@{kernel}" if kernel else name, kernel, tuple(options), report, int(minutes) * 60, tier,
                  command, alone) for kernel in kernels]


def read(path):
    """All suites of the table, in its order, one for each kernel they run on."""
    suites = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            suites += _row(line, number)
    names = [suite.name for suite in suites]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise TableError(f"named twice: {', '.join(sorted(twice))}")
    return suites
