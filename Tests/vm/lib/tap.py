# SPDX-License-Identifier: MIT
"""A register of tests and a runner that prints TAP."""

import signal
import sys
import threading
import time
import traceback

_registered = []

# Limits of time bound hangs and are no measurement: an emulated machine on a busy host may take many times as long.
PATIENCE = 10


def patient(seconds):
    """The limit for what a machine that has nothing else to do does within so many seconds."""
    return 60 + 20 * seconds


TRIES = 8


def below(seconds, what, measure):
    """Fail the test unless one of some measurements, each in seconds, is below the bound.

    A busy host takes a guest's CPU away now and then, and not every time: the quickest shows what the server does.
    """
    took = []
    while not took or took[-1] >= seconds:
        check(len(took) < TRIES, f"{what}: expected less than {seconds} s, took {min(took, default=0):.2f} s at best")
        took.append(measure())


class CheckFailed(Exception):
    """What a check raises; its text says what was expected and what was there."""


class TimeIsOver(Exception):
    """A test ran longer than it may."""


class _Test:
    def __init__(self, function, name, needs, timeout, long):
        self.function, self.name, self.needs, self.timeout, self.long = function, name, needs, timeout, long


def test(name, *, needs="", timeout=60, long=False):
    """Register a function as the test `name`.

    `needs` names a trait of the server without which the test means nothing ("module": the cache in the kernel).
    `timeout` is in seconds, of a machine that has nothing else to do. `long` tests are left out unless asked for.
    """
    def register(function):
        _registered.append(_Test(function, name, needs, timeout, long))
        return function
    return register


def check(condition, text):
    """Fail the test with `text` unless `condition` holds."""
    if not condition:
        raise CheckFailed(text)


def equal(found, expected, what="value"):
    """Fail the test unless both are equal; long values are shown from their first difference."""
    if found != expected:
        raise CheckFailed(f"{what}: expected {_excerpt(expected, found)}, found {_excerpt(found, expected)}")


def _excerpt(value, other):
    if not isinstance(value, (bytes, str)) or len(value) <= 300 or type(value) is not type(other):
        return repr(value)[:600]
    same = next((i for i, (a, b) in enumerate(zip(value, other)) if a != b), min(len(value), len(other)))
    start = max(0, same - 40)
    return f"[{len(value)} long, differs at {same}] …{value[start:start + 160]!r}…"


def _alarm(*_):
    raise TimeIsOver()


def _run_one(one):
    """The lines that say why it failed, in one of its threads too; none when it passed."""
    threads = []
    threading.excepthook = lambda what: threads.append(f"in a thread: {what.exc_type.__name__}: {what.exc_value}")
    return _run_function(one) + threads


def _run_function(one):
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(PATIENCE * one.timeout)
    try:
        one.function()
        return []
    except TimeIsOver:
        return [f"not done after {PATIENCE * one.timeout} s", *_where()]
    except CheckFailed as failure:
        return [str(failure), *_where()]
    except Exception as failure:
        return [f"{type(failure).__name__}: {failure}", *_where()]
    finally:
        signal.alarm(0)


def _where():
    """Places of the failure, innermost last, without this file's own."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    return [f"at {'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}: {frame.line}"
            for frame in frames if not frame.filename.endswith("lib/tap.py")]


def _say(line):
    # What a server sent may hold anything; a terminal must not obey it.
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
    sys.stdout.flush()


def run(*, only="", times=False, long=False, traits=frozenset(), complaints=lambda: [], clean_up=lambda: None):
    """Run what is registered; returns the exit status: 0 only if something passed and nothing failed.

    `complaints` is called after each test; the lines it returns make the test fail. `clean_up` is called after a
    failure.
    """
    chosen = [one for one in _registered if only in one.name and (long or not one.long)]
    passed = failed = 0
    _say(f"1..{len(chosen)}")
    for number, one in enumerate(chosen, 1):
        if one.needs and one.needs not in traits:
            _say(f"ok {number} - {one.name} # SKIP needs {one.needs}")
            continue
        started = time.monotonic()
        reasons = _run_one(one) + complaints()
        took = f" ({time.monotonic() - started:.1f} s)" if times else ""
        if not reasons:
            passed += 1
            _say(f"ok {number} - {one.name}{took}")
        else:
            failed += 1
            _say(f"not ok {number} - {one.name}{took}")
            for reason in reasons:
                _say(f"# {reason}")
            clean_up()
    _say(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1
