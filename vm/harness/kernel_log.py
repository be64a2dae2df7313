# SPDX-License-Identifier: MIT
"""Judges the guest's kernel log, read record by record from /dev/kmsg (Documentation/ABI/testing/dev-kmsg)."""

import re
from dataclasses import dataclass

WARNING = 4  # KERN_WARNING; lower is worse

# Bad at any level: what the kernel's own checks print about a fault. Some go out as plain text or as "info".
FAULT = re.compile(
    r"\bBUG\b|\bWARNING\b|\bOops\b|\bKASAN\b|\bUBSAN\b|\bKCSAN\b|\bKFENCE\b|\bkmemleak\b|\blockdep\b|"
    r"Call Trace:|general protection fault|Kernel panic|refcount_t:|possible (circular|recursive) locking|"
    r"inconsistent lock state|suspicious RCU usage|held lock freed|rcu_\w+ (detected|self-detected)|"
    r"(soft|hard) lockup|blocked for more than|scheduling while atomic|sleeping function called|"
    r"Objects remaining in|Slab cache still has objects|unregister_netdevice: waiting|nobody cared|Out of memory|"
    r"page allocation failure|segfault at|stack-protector")

# Said of every module that is neither in the tree nor signed.
TAINT = re.compile(r"^\w+: (loading out-of-tree module taints kernel\.|"
                   r"module verification failed: signature and/or required key missing - tainting kernel)$")

# Said by an emulated machine about itself, not about what runs in it.
EMULATION = re.compile(r"^hrtimer: interrupt took \d+ ns$")


# A report of KCSAN is everybody's: the kernel around us has its own. Ours name one of these in a stack, be it that
# we are only on the way to the race.
OURS = re.compile(r"\[(kmemcache|kmctest|vmtest)\]")
RACE = re.compile(r"^BUG: KCSAN: ")
RACE_LINE = re.compile(r"^$|^BUG: KCSAN: |^\s*\??\s*[\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+|^(read|write|assert|race)\b.* (of|at) |"
                       r"^value changed: |^Reported by Kernel Concurrency Sanitizer|^CPU: \d+ |^Hardware name: |^={20,}$")
RULE = re.compile(r"^={20,}$")


@dataclass(frozen=True)
class Record:
    """One record of the log: syslog level 0..7, sequence number, microseconds since boot."""
    level: int
    sequence: int
    microseconds: int
    text: str

    def __str__(self):
        return f"<{self.level}>[{self.microseconds / 1e6:12.6f}] {self.text}"


def parse(data):
    """All complete records in the bytes of /dev/kmsg; dictionary lines (they start with a space) are dropped."""
    records = []
    for line in data.decode("utf-8", "backslashreplace").split("\n"):
        found = re.match(r"(\d+),(\d+),(\d+),[^;]*;(.*)", line)
        if found:
            priority, sequence, microseconds = (int(found.group(number)) for number in (1, 2, 3))
            records.append(Record(priority & 7, sequence, microseconds, found.group(4)))
    return records


def is_complete(data, nonce):
    """Whether the log has arrived up to the guest's end marker."""
    return f";vm: end {nonce}\n".encode() in data


def _between(records, nonce):
    texts = [record.text for record in records]
    first = texts.index(f"vm: begin {nonce}") if f"vm: begin {nonce}" in texts else 0
    last = texts.index(f"vm: end {nonce}") if f"vm: end {nonce}" in texts else len(texts)
    return records[first:last]


def _without_races_of_others(records):
    """The records without KCSAN's reports about the kernel alone; what came between a report's lines stays."""
    kept, report = [], []
    for record in records:
        if report and not RACE_LINE.search(record.text):
            kept.append(record)
            continue
        if RACE.search(record.text) and not report:
            report = [kept.pop()] if kept and RULE.search(kept[-1].text) else []
        elif not report:
            kept.append(record)
            continue
        report.append(record)
        if RULE.search(record.text):
            kept += report if any(OURS.search(one.text) for one in report) else []
            report = []
    return kept + report


def faults(records, nonce, allowed=()):
    """Records between the markers that fail a run. What Debian's kernel said while booting is its own affair."""
    def fails(record):
        if TAINT.search(record.text) or EMULATION.search(record.text):
            return False
        if any(re.search(pattern, record.text) for pattern in allowed):
            return False
        return record.level <= WARNING or FAULT.search(record.text)

    return [record for record in _without_races_of_others(_between(records, nonce)) if fails(record)]


def gaps(records):
    """Sequence numbers that the reader never saw, as (first, count); a lost record may be the one that matters."""
    return [(one.sequence + 1, two.sequence - one.sequence - 1)
            for one, two in zip(records, records[1:]) if two.sequence > one.sequence + 1]
