# SPDX-License-Identifier: MIT
"""What bench/plugin/count.c has counted: by kind, and by function."""

import bisect
import mmap
import re
import struct

KINDS = ("user", "kernel", "module")
USER = 1


def read(file):
    """Address of each block -> instructions run in it."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as view:
        pairs = struct.iter_unpack("<QQ", view[:])
        return {address: count for address, count in pairs if count}


def difference(after, before):
    return {address: count - before.get(address, 0) for address, count in after.items()
            if count != before.get(address, 0)}


class Symbols:
    """The guest's functions, from the lines of its /proc/kallsyms."""

    def __init__(self, lines):
        rows = []
        for line in lines:
            found = re.match(r"([0-9a-f]+) [tTwW] (\S+)(?:\s+\[(\w+)\])?", line)
            if found:
                rows.append((int(found.group(1), 16), found.group(2), found.group(3)))
        rows.sort(key=lambda row: row[0])
        self._starts = [row[0] for row in rows]
        self._rows = rows

    def _find(self, address):
        """(kind, function) of an address."""
        if address == USER:
            return "user", "(user space)"
        place = bisect.bisect_right(self._starts, address) - 1
        if place < 0:
            return "kernel", hex(address)
        _, name, module = self._rows[place]
        return ("module" if module == "kmemcache" else "kernel"), name + (f" [{module}]" if module else "")

    def sum_up(self, spent):
        """({kind: instructions}, [(function, instructions)], the most costly first)."""
        kinds, functions = dict.fromkeys(KINDS, 0), {}
        for address, count in spent.items():
            kind, name = self._find(address)
            kinds[kind] += count
            functions[name] = functions.get(name, 0) + count
        return kinds, sorted(functions.items(), key=lambda row: -row[1])
