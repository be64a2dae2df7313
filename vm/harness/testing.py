# SPDX-License-Identifier: MIT
"""For tests of vm/run: one run as seen from outside, a register of tests, and what runs them. Prints TAP."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RUN = ROOT / "vm/run"
TESTS = []


class Run:
    """One finished vm/run: status, output (bytes), harness's words, seconds."""

    def __init__(self, options, command, stdin=b"", environment=None):
        began = time.monotonic()
        done = subprocess.run([RUN, *options, "--", *command], input=stdin, capture_output=True, check=False,
                              env=os.environ | (environment or {}), cwd=ROOT)
        self.status, self.output, self.words = done.returncode, done.stdout, done.stderr.decode()
        self.seconds = time.monotonic() - began

    def expect(self, status, output=None, words=""):
        """Complain unless the run ended so."""
        assert self.status == status, f"status {self.status}, expected {status}; {self.words[-1500:]}"
        assert output is None or self.output == output, f"output {self.output[-500:]!r}, expected {output[-500:]!r}"
        assert words in self.words, f"expected {words!r} among: {self.words[-1500:]}"
        return self


def plain(*options):
    """Options of a run without the module under test."""
    return ["--no-module", *options]


def shell(text):
    """A command for sh."""
    return ["sh", "-c", text]


def test(name):
    """Register a test."""
    def register(function):
        TESTS.append((name, function))
        return function
    return register


def attempt(entry):
    """None if the test passes, else what is wrong."""
    try:
        entry[1]()
        return None
    except Exception as error:  # whatever it is, it is a failure of that test
        return f"{type(error).__name__}: {error}"


def main():
    """Run the chosen tests, two at a time, and print TAP."""
    chosen = [entry for entry in TESTS if not sys.argv[1:] or sys.argv[1] in entry[0]]
    print("TAP version 13", f"1..{len(chosen)}", sep="\n", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, (entry, wrong) in enumerate(zip(chosen, pool.map(attempt, chosen)), 1):
            print(f"{'not ok' if wrong else 'ok'} {number} - {entry[0]}", flush=True)
            for line in (wrong or "").splitlines():
                print(f"# {line}", flush=True)
            failed += bool(wrong)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0
