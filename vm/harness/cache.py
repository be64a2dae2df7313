# SPDX-License-Identifier: MIT
"""Where everything downloaded or derived lives; safe to delete at any time nothing runs."""

import contextlib
import fcntl
import os
import pathlib
import sys


def directory():
    """The cache; made when it is not there."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    place = pathlib.Path(base) / "kmemcache"
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextlib.contextmanager
def lock(name):
    """Held by whoever fills one part of the cache, so that two callers do it once."""
    with open(directory() / f".{name}.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(sentence):
    """Progress, on standard error."""
    print(f"vm: {sentence}", file=sys.stderr, flush=True)
