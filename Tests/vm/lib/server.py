# SPDX-License-Identifier: MIT
"""Start and stop the server under test: umemcached (the module) or a memcached, through one door."""

import contextlib
import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from lib import kmcnl
from lib.tap import CheckFailed, check, equal, patient
from lib.wire import Wire

START_SECONDS = 300  # under emulation, with everything on a network file system, a start takes seconds
_chosen = "umemcached"
_numbers = itertools.count(1)


def choose(name):
    """Say which program the suites test."""
    global _chosen
    if name != "umemcached" and not shutil.which(name):
        raise SystemExit(f"run-suite: no program {name}")
    _chosen = name


def program():
    return _chosen


def is_ours():
    return _chosen == "umemcached"


def version():
    """The protocol level under test, as numbers. Ours speaks that of 1.6.45."""
    if is_ours():
        return as_numbers("1.6.45")
    text = subprocess.run([_chosen, "-V"], capture_output=True, text=True, check=True).stdout
    return as_numbers(text.split()[-1])


def as_numbers(dotted):
    return tuple(int(part) for part in dotted.split("-")[0].split("."))


def traits():
    """What tests may ask for with needs=: the module, or 1.6.45's words."""
    found = {"module"} if is_ours() else set()
    return frozenset(found | ({"1.6.45"} if version() >= (1, 6, 45) else set()))


# Below those that the kernel gives to clients: what is free stays so until it is asked for.
_ports = itertools.count(20000)


def free_port():
    """A port that nobody uses, over TCP or UDP, and that was not given out before."""
    for port in _ports:
        with socket.socket(socket.AF_INET6) as tcp, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            try:
                for probe in (tcp, udp):
                    probe.bind(("::", port))  # of both families
                return port
            except OSError:
                continue


def tool(*arguments, timeout=300, **how):
    """Run umemcached to its end; returns the finished process with text in stdout and stderr."""
    command = ["umemcached", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **how) as process:
        try:
            said, complained = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            where = _kernel_stack(process.pid)
            process.kill()
            raise CheckFailed(f"{' '.join(command)} has not ended after {timeout} s; it is in {where}") from None
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, said, complained)


def _kernel_stack(process):
    """Where in the kernel a process waits, for a sentence."""
    try:
        lines = pathlib.Path(f"/proc/{process}/stack").read_text().splitlines()
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError as problem:
        return f"an unknown place ({problem})"
    return f"state {state}: " + ", ".join(line.split(" ")[-1] for line in lines[:12])


def succeed(*arguments, **how):
    """tool() that must exit with 0."""
    done = tool(*arguments, **how)
    check(done.returncode == 0, f"umemcached {' '.join(map(str, arguments))}: status {done.returncode}, "
                                f"stdout {done.stdout!r}, stderr {done.stderr!r}")
    return done


def refused(*arguments, status, words=(), **how):
    """tool() that must exit with `status`, one sentence on stderr that has all `words`, and nothing on stdout."""
    done = tool(*arguments, **how)
    what = f"umemcached {' '.join(map(str, arguments))}"
    equal(done.returncode, status, f"{what} (stderr {done.stderr!r}): exit status")
    lines = done.stderr.splitlines()
    check(len(lines) == 1 and len(lines[0]) > 10, f"{what}: expected one sentence on stderr, found {done.stderr!r}")
    for word in words:
        check(word.lower() in done.stderr.lower(), f"{what}: expected {word!r} in {done.stderr!r}")
    equal(done.stdout, "", f"{what}: stdout")
    return done


def clean_up():
    """End what a failed test has left."""
    if is_ours() and pathlib.Path("/sys/module/kmemcache").exists():
        tool("stop", "--all")


class Server:
    """A running server; a context manager that stops it and checks that it went well.

    On TCP at 127.0.0.1 unless `unix` is a path, or true for one that is made up. Of ours, `attached` runs it under the tool, else the tool has ended
    before the first client comes. A memcached is always under its process.
    """

    def __init__(self, *options, unix=False, attached=False, port=None, environment=None):
        self.attached = attached or not is_ours()
        self.port = None if unix else port or free_port()
        self.folder = tempfile.mkdtemp(prefix="kmc-suite-")
        self.path = unix if isinstance(unix, str) else f"{self.folder}/socket" if unix else None
        self.endpoint = self.path or ("127.0.0.1", self.port)
        self.process = None
        self._output = None
        self._stopped = False
        self.name = f"suite-{os.getpid()}-{next(_numbers)}"
        where = ["-s", self.path] if unix else ["-p", str(self.port), "-l", "127.0.0.1"]
        self._start([*where, *map(str, options)], {**os.environ, **(environment or {})})

    def _start(self, options, environment):
        if is_ours():
            options = ["--name", self.name, *options]
        if not self.attached:
            succeed(*options, env=environment)
            # Clients can connect when the tool has returned: no second attempt here.
            Wire(self.endpoint).close()
            self._wait_until_alone()
            return
        command = ["umemcached", "--foreground", *options] if is_ours() else [_chosen, "-u", "root", *options]
        self._output = open(f"{self.folder}/output", "w+b")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output,
                                        env=environment)
        self._wait_until_it_answers()

    def _wait_until_it_answers(self):
        limit = time.monotonic() + START_SECONDS
        while True:
            try:
                with Wire(self.endpoint) as wire:
                    wire.alive()
                break
            except OSError as problem:
                check(self.process.poll() is None, f"server ended with {self.process.returncode}: {self.output()}")
                check(time.monotonic() < limit, f"no answer after {START_SECONDS} s: {problem}")
                time.sleep(0.05)
        if is_ours():
            self._wait_until_alone()

    def _wait_until_alone(self):
        """The connection of the start has come and gone: no test counts it, nor hears of it."""
        with contextlib.closing(kmcnl.Netlink()) as netlink:
            one, = (found["id"] for found in netlink.list() if found["name"] == self.name)
            limit = time.monotonic() + START_SECONDS
            while (rows := netlink.stats(one))["total_connections"] == "0" or rows["curr_connections"] != "0":
                check(time.monotonic() < limit, "the connection of the start is still there")
                time.sleep(0.01)

    def output(self):
        """What an attached server has printed so far."""
        self._output.flush()
        with open(f"{self.folder}/output", errors="replace") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except Exception:
            # The test's own failure says more.
            if kind is None:
                raise
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self):
        """End it as a person would: stop for a detached one, SIGTERM for an attached one."""
        if self._stopped:
            return
        self._stopped = True
        if self.attached:
            self.signal(signal.SIGTERM)
        else:
            succeed("stop", self.name)

    def signal(self, number, status=0):
        """Send a signal to the attached process, which must end with `status`."""
        self._stopped = True
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            found = self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            found = f"none {START_SECONDS} s after the signal"
        equal(found, status, f"status after {signal.Signals(number).name} ({self.output()!r})")

    def forget(self):
        """The test has ended it by other means."""
        self._stopped = True

    def wire(self, **how):
        return Wire(self.endpoint, **how)

    def stats(self, group=b""):
        with self.wire() as wire:
            return wire.stats(group)

    def gone(self, within):
        """Connecting must be refused, on an idle machine within so many seconds."""
        within = patient(within)
        limit = time.monotonic() + within
        while True:
            try:
                Wire(self.endpoint).close()
            except (ConnectionRefusedError, FileNotFoundError):
                return
            except ConnectionError:
                pass
            check(time.monotonic() < limit, f"still accepts connections after {within} s")
            time.sleep(0.02)
