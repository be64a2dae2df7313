# SPDX-License-Identifier: MIT
"""Counts from a suite's own report. A report that is missing, cut short or empty is a failure, never a success."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Counts:
    """What a report says; `complaints` are sentences about the report itself, each of which counts as a failure."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


RESULT = re.compile(r"^(\s*)(not )?ok\b(?:\s+\d+)?\s*-?\s*(.*)$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)")
TODO = re.compile(r"#\s*(SKIP|TODO)", re.IGNORECASE)


@dataclass
class _Event:
    """A line of TAP that counts: a plan, or a result. `depth` is its indentation."""
    depth: int
    planned: int = 0
    failed: bool | None = None  # None: a plan
    title: str = ""


def _events(text):
    events = []
    for number, one in enumerate(text.splitlines(), 1):
        plan, result = PLAN.match(one), RESULT.match(one)
        if plan:
            events.append(_Event(len(plan.group(1).expandtabs()), planned=int(plan.group(2))))
        elif result:
            events.append(_Event(len(result.group(1).expandtabs()), failed=bool(result.group(2)),
                                 title=result.group(3) or f"line {number}"))
    return events


def _count(counts, event):
    if TODO.search(event.title):
        counts.skipped += 1
    elif event.failed:
        counts.failed += 1
        counts.failures.append(event.title)
    else:
        counts.passed += 1


def _group(counts, events, start):
    """Count one level of results and all below it; returns where it ends.

    Subtests are indented deeper and come before the result that sums them up, which is then not counted again, unless
    it fails though they did not.
    """
    depth, planned, seen = events[start].depth, None, 0
    inner_failed = None  # failures of the subtests just read, None if there were none
    while start < len(events) and events[start].depth >= depth:
        event = events[start]
        if event.depth > depth:
            before = counts.failed
            start = _group(counts, events, start)
            inner_failed = counts.failed - before
            continue
        start += 1
        if event.failed is None:
            planned = (planned or 0) + event.planned
            continue
        seen += 1
        if inner_failed is None or (event.failed and not inner_failed):
            _count(counts, event)
        inner_failed = None
    if planned is None:
        counts.complaints.append("results without a plan: they may have been cut short")
    elif planned != seen:
        counts.complaints.append(f"{planned} results planned, {seen} seen")
    return start


def tap(text):
    """Counts of TAP or KTAP in a suite's output."""
    counts, events, place = Counts(), _events(text), 0
    while place < len(events):
        place = _group(counts, events, place)
    counts.complaints += [one.strip() for one in text.splitlines() if one.lstrip().startswith("Bail out!")]
    return counts


def line(text):
    """Counts of a last line `N passed, N failed`, perhaps with `, N skipped`."""
    lines = [one for one in text.splitlines() if one.strip()]
    found = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", lines[-1].strip()) if lines else None
    if not found:
        return Counts(complaints=["its last line is not `N passed, N failed`"])
    return Counts(int(found.group(1)), int(found.group(2)), int(found.group(3) or 0))


def xunit(folder):
    """Counts of all *.xml in a folder. An empty report beside a full one is normal: XCTest's beside Swift Testing's."""
    counts = Counts()
    files = sorted(folder.glob("**/*.xml"))
    if not files:
        counts.complaints.append("it wrote no *.xml into $KMC_REPORT")
    for path in files:
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except ElementTree.ParseError as error:
            counts.complaints.append(f"{path.name} is cut or damaged: {error}")
            continue
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                counts.failed += 1
                counts.failures.append(f"{case.get('classname', '')}/{case.get('name', '')}")
            elif case.find("skipped") is not None:
                counts.skipped += 1
            else:
                counts.passed += 1
    return counts


def judge(counts, status):
    """Add what the exit status and the sum of the counts have to say."""
    if status != 0 and not counts.failed:
        counts.complaints.append(f"exit status {status}")
    if status == 0 and counts.failed:
        counts.complaints.append("exit status 0 in spite of failures")
    if not counts.passed and not counts.failed:
        counts.complaints.append("no test was run")
    counts.failed += len(counts.complaints)
    return counts
