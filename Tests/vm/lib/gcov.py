# SPDX-License-Identifier: MIT
"""What gcov tells of the lines of C files: how often each was reached."""

import collections
import json
import os
import subprocess

GCOV = os.environ.get("GCOV", "gcov")


def measure(data, root, reached=None):
    """How often each line was reached: {file below `root`: {line: count}}, from .gcda files that lie beside their .gcno.
    Adds to `reached` if that is given; a line of several objects counts where it was reached most often."""
    reached = collections.defaultdict(dict) if reached is None else reached
    for one in sorted(data):
        said = subprocess.run([GCOV, "--json-format", "--stdout", one], stdout=subprocess.PIPE, check=True).stdout
        for part in said.decode().splitlines():
            for file in json.loads(part)["files"]:
                name = os.path.relpath(os.path.realpath(file["file"]), root)
                if not name.startswith("../"):
                    join(reached[name], {line["line_number"]: line["count"] for line in file["lines"]})
    return reached


def join(lines, more):
    """Add the counts of other lines, or of the same in another object, to those of one file."""
    for number, count in more.items():
        lines[number] = max(lines.get(number, 0), count)


def missed(lines):
    """Lines that were never reached, as ranges; what lies between two of them and is no code does not part them."""
    ranges = []
    for number in sorted(lines):
        if lines[number]:
            ranges.append(None)
        elif ranges and ranges[-1]:
            ranges[-1] = ranges[-1][0], number
        else:
            ranges.append((number, number))
    return [f"{first}-{last}" if first != last else str(first) for first, last in filter(None, ranges)]


def figures(reached):
    """Lines that were reached, and all lines, of each file."""
    return {name: (sum(map(bool, lines.values())), len(lines)) for name, lines in sorted(reached.items())}


def share(rows):
    """Per cent of the lines of these files."""
    return 100 * sum(some for some, _ in rows.values()) / max(1, sum(all_ for _, all_ in rows.values()))


def tell(reached, with_missed):
    """Print a row for each file; returns figures()."""
    rows = figures(reached)
    for name, (some, all_) in rows.items():
        gaps = f": not {', '.join(missed(reached[name]))}" if with_missed and some < all_ else ""
        print(f"#   {share({name: (some, all_)}):5.1f} % of {all_:4} {name}{gaps}")
    return rows
