# SPDX-License-Identifier: MIT
"""SPDX lines, and what must not stand in a file."""

import os
import re

from . import sources

GPL, MIT, UAPI = "GPL-2.0", "MIT", "(GPL-2.0 WITH Linux-syscall-note) OR MIT"

# First folder that fits decides; several allowed where a folder holds both kinds.
LICENCES = (
    ("kmod/include/uapi", {UAPI}),
    ("kmod", {GPL}),
    ("test-kmod", {GPL}),
    ("Tests", {MIT, GPL}),
    ("bench", {MIT, GPL}),
    ("Sources/CKMCCore", {MIT, GPL}),
    ("", {MIT}),
)
# Data has no room for a comment.
WITHOUT = re.compile(r"(^|/)(LICENSE.*|LICENSES/.*|\.gitkeep|Package\.resolved)$|"
                     r"\.(json|txt|bin|golden|png|svg|patch|csv|tsv)$|(^|/)(corpus|golden|fixtures|transcripts)/")


def spdx():
    """Files whose first line (the second, if the first must be something else) is not the right SPDX line."""
    for path in sources.files():
        if WITHOUT.search(str(path)):
            continue
        found = re.search(r"SPDX-License-Identifier: (.+?)\s*(\*/|-->)?\s*$",
                          "\n".join(sources.text(path).split("\n")[:2]), re.MULTILINE)
        allowed = next(licences for folder, licences in LICENCES if path.is_relative_to(folder))
        if not found:
            yield f"{path}: no SPDX line at its head"
        elif found.group(1) not in allowed:
            yield f"{path}: licence is {found.group(1)}, expected {' or '.join(sorted(allowed))}"


def machine_paths():
    """Files that name a folder of the machine they were written on."""
    # What every machine has says nothing about this one.
    places = {str(sources.ROOT), str(sources.ROOT.parent), os.path.expanduser("~")} - {
        "/", "/root", "/home", "/tmp", "/src", "/opt", "/usr/src", "/build", "/builds"}
    for path in sources.files():
        for place in places:
            if re.search(r"(?<![\w./])" + re.escape(place) + r"(?![\w-])", sources.text(path)):
                yield f"{path}: names {place}"
