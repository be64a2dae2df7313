# SPDX-License-Identifier: MIT
"""What the module may say in the kernel's log: that it came and that it went, and no byte of a client (CVE-2013-0179, CVE-2013-7290)."""

import pathlib
import re

from . import sources

# The one file that says something.
SPEAKS = pathlib.PurePosixPath("kmod/main.c")
SAYS = re.compile(r"\b(pr_(?!fmt\b)\w+|\w*printk\w*|(?:dev|netdev|net)_(?:emerg|alert|crit|err|warn|notice|info|dbg)\w*|WARN|WARN_ONCE|"
                  r"WARN_RATELIMIT|panic|print_hex_dump\w*)\s*\(")
# Bytes by a pointer: strings, escaped ones and dumps.
BYTES = re.compile(r"%[-+ #0-9*.]*(?:s|p[Eh])")


def _arguments(text, start):
    """Of a call whose bracket opens before `start`, with their strings."""
    return text[start:text.index(";", start)]


def messages():
    """Messages outside the one file that has some, and those there that print bytes by a pointer."""
    for path in sources.below("kmod", ".c", ".h"):
        if path.is_relative_to("kmod/sim"):
            continue
        text = sources.text(path)
        for found in SAYS.finditer(sources.code(path)):
            line = text.count("\n", 0, found.start()) + 1
            if path != SPEAKS:
                yield f"{path}:{line}: {found.group(1)}() writes to the kernel's log; only {SPEAKS} may"
            elif BYTES.search(_arguments(text, found.end())):
                yield f"{path}:{line}: {found.group(1)}() prints bytes by a pointer"
