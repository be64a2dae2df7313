# SPDX-License-Identifier: MIT
"""Runs suites, some side by side, shows that they live, and sums what their reports say."""

import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from . import report

HEARTBEAT_SECONDS = 60
GRACE_SECONDS = 60      # vm/run has its own time limit, and a better sentence
FAILED_LINES = 60
FAILED_REASONS = 8


def in_order(suites, failed_before):
    """What failed last time comes first: it is what one waits for."""
    return sorted(suites, key=lambda suite: suite.name not in failed_before)


def jobs_here():
    """How many suites this machine runs side by side.

    A guest has two CPUs and a GiB of memory, beside its tests' own; but it waits now and then, so two CPUs run two.
    """
    processors = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 30
    return max(1, min(max(processors // 2, min(processors, 2)), memory // 4))


class Runner:
    """Runs suites below `root`, up to `jobs` side by side; reports and logs go to `reports`."""

    def __init__(self, root, reports, stream=sys.stdout, jobs=1):
        self._root, self._reports, self._stream, self._jobs = root, reports, stream, jobs
        self._living, self._ending, self._lock = set(), False, threading.Lock()

    def _say(self, *lines):
        with self._lock:
            print(*lines, sep="\n", file=self._stream, flush=True)

    def run(self, suites):
        """Run all; returns (passed, failed, names of the suites that failed)."""
        passed = failed = 0
        broken = []
        began = time.monotonic()
        for suite, counts in self._finished(suites):
            passed, failed = passed + counts.passed, failed + counts.failed
            if counts.failed:
                broken.append((suite.name, counts))
        self._say(f"all in {(time.monotonic() - began) / 60:.1f} min; outputs are in {self._reports}")
        for name, counts in broken:
            self._say(f"FAILED: {name}", *(f"    {one}" for one in self._reasons(name, counts)))
        return passed, failed, [name for name, _ in broken]

    def _reasons(self, name, counts):
        """Why a suite failed, in a few lines: the end of a long run is what is read first, and sometimes all that is kept."""
        last = (self._reports / name / "output").read_text("utf-8", "backslashreplace").strip().splitlines()[-1:]
        return [*counts.complaints[:FAILED_REASONS], *(f"not ok: {one}" for one in counts.failures[:FAILED_REASONS]),
                *(f"| {one}" for one in last)]

    def _finished(self, suites):
        """Each suite with its counts. Those that measure time run first, and alone."""
        numbered = list(enumerate(suites, 1))
        for number, suite in numbered:
            if suite.alone:
                yield suite, self._announced(f"[{number}/{len(suites)}]", suite)
        with concurrent.futures.ThreadPoolExecutor(self._jobs) as pool:
            try:
                running = [(suite, pool.submit(self._announced, f"[{number}/{len(suites)}]", suite))
                           for number, suite in numbered if not suite.alone]
                for suite, result in running:
                    yield suite, result.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._end_all()
                raise

    def _announced(self, place, suite):
        """Run one suite and say so; its counts."""
        self._say(f"{place} {suite.name}")
        counts, seconds = self.run_one(suite)
        skipped = f", {counts.skipped} skipped" if counts.skipped else ""
        self._say(f"{place} {suite.name}: {counts.passed} passed, {counts.failed} failed{skipped} in {seconds:.0f} s")
        return counts

    def run_one(self, suite):
        """Run one suite to its end; returns (its counts, seconds)."""
        folder = self._reports / suite.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        began = time.monotonic()
        status, text = self._execute(suite, folder)
        counts = report.judge(self._counts(suite, folder, text), status)
        if counts.failed:
            self._show_failure(suite, counts, text)
        return counts, time.monotonic() - began

    def _command(self, suite, folder):
        if not suite.kernel:
            return ["bash", "-c", suite.command]
        return [str(self._root / "vm/run"), "--kernel", suite.kernel, "--timeout", str(suite.seconds),
                "--log", str(folder / "kernel.log"), *suite.options, "--", "bash", "-c", suite.command]

    def _execute(self, suite, folder):
        """(exit status, output); the output is written to a file as it comes."""
        if self._ending:
            return 130, ""
        environment = os.environ | {"KMC_REPORT": str(folder)}
        with open(folder / "output", "wb") as output:
            process = subprocess.Popen(self._command(suite, folder), cwd=self._root, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True)
            with self._lock:
                self._living.add(process)
                late = self._ending
            # All others were ended while this one began.
            if late:
                self._end_group(process)
            ended = threading.Event()
            threading.Thread(target=self._heartbeat, args=(suite, folder / "output", ended), daemon=True).start()
            try:
                status = process.wait(suite.seconds + (GRACE_SECONDS if suite.kernel else 0))
            except subprocess.TimeoutExpired:
                output.write(f"\nrunner: time is over after {suite.seconds} s\n".encode())
                status = 124
            finally:
                ended.set()
                self._end_group(process)
                with self._lock:
                    self._living.discard(process)
        return status, (folder / "output").read_bytes().decode("utf-8", "backslashreplace")

    @staticmethod
    def _end_group(process):
        """End the suite and whatever it left in its own process group, and nothing else."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                break
            if process.poll() is None:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    continue
            time.sleep(0.1)

    def _end_all(self):
        """When the run itself is ended: no suite outlives it."""
        with self._lock:
            self._ending, living = True, list(self._living)
        for process in living:
            self._end_group(process)

    def _heartbeat(self, suite, path, ended):
        """A long suite shows its last line from time to time."""
        began = time.monotonic()
        while not ended.wait(HEARTBEAT_SECONDS):
            lines = path.read_bytes()[-2000:].decode("utf-8", "replace").strip().splitlines()
            last = re.sub(r"[^\x20-\x7e]", "?", lines[-1])[:100] if lines else ""
            self._say(f"    … {suite.name} {time.monotonic() - began:.0f} s: {last}")

    @staticmethod
    def _counts(suite, folder, text):
        if suite.report == "xunit":
            return report.xunit(folder)
        if suite.report == "ktap":
            return report.tap(kernel_text(folder / "kernel.log"))
        return report.tap(text) if suite.report == "tap" else report.line(text)

    def _show_failure(self, suite, counts, text):
        self._say(f"    {suite.name} failed:",
                  *(f"    the suite itself: {one}" for one in counts.complaints),
                  *(f"    | {one}" for one in text.strip().splitlines()[-FAILED_LINES:]),
                  *(f"    not ok: {one}" for one in counts.failures[:FAILED_LINES]))


def kernel_text(path):
    """The texts of a kernel log kept by vm/run, without the name of the module that printed them."""
    if not path.exists():
        return ""
    records = path.read_bytes().decode("utf-8", "replace").splitlines()
    texts = [one.partition(";")[2] for one in records if re.match(r"\d+,\d+,", one)]
    return "\n".join(re.sub(r"^\w+: (?=\s*(ok |not ok |1\.\.|Bail))", "", text) for text in texts)
