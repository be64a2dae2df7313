# SPDX-License-Identifier: MIT
"""A server that lives with its process: --foreground, and the name memcached."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

from lib import kernel, server
from lib.load import Load
from lib.server import Server, succeed
from lib.tap import below, check, equal, test
from lib.wire import Wire


@contextlib.contextmanager
def _named_memcached(name="memcached"):
    """The tool under the name memcached: the path of a link to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{name}"
        os.symlink(os.path.realpath(shutil.which("umemcached")), path)
        yield path


@contextlib.contextmanager
def _started(command, port):
    """A process that serves on `port`; killed at the end if it still runs."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        limit = time.monotonic() + server.START_SECONDS
        while True:
            try:
                Wire(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                check(process.poll() is None, f"{command} ended with {process.returncode}")
                check(time.monotonic() < limit, f"{command} does not serve")
                time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@test("attached: SIGINT, SIGTERM and SIGUSR1 end the server with status 0")
def signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        with Server(attached=True) as one:
            with one.wire() as wire:
                wire.set(b"a", b"1")
                equal(wire.stats()["pid"], str(one.process.pid), "stats: pid")
                one.signal(number)
            one.gone(within=0.1)


@test("attached: a signal while clients are busy")
def signal_busy():
    for unix in (False, True):
        with Server(attached=True, unix=unix) as one, Load(one.endpoint, clients=8) as load:
            check(load.wait_for_rounds(100), "clients do not get on")
            one.signal(signal.SIGTERM)
            one.gone(within=0.1)
            equal(load.counts()["wrong"], [], "wrong answers")


@test("attached: SIGHUP does not end it", needs="module")
def hangup():
    with Server(attached=True) as one:
        one.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        with one.wire() as wire:
            wire.alive()


def _killed(unix):
    """Seconds from kill -9 of a busy server until nobody listens."""
    with Server(attached=True, unix=unix) as one, Load(one.endpoint) as load:
        check(load.wait_for_rounds(50), "clients do not get on")
        with one.wire() as idle:
            one.signal(signal.SIGKILL, status=-signal.SIGKILL)
            started = time.monotonic()
            one.gone(within=1)
            took = time.monotonic() - started
            idle.closed(within=2)
    return took


@test("attached: kill -9 ends it within 1 s, also under load", timeout=120)
def killed():
    for unix in (False, True):
        below(1, "an end by kill -9", lambda: _killed(unix))


@test("attached: after kill -9 nothing is listed and the port can be taken again", needs="module")
def killed_again():
    port = server.free_port()
    for _ in range(5):
        with Server(attached=True, port=port) as one:
            one.signal(signal.SIGKILL, status=-signal.SIGKILL)
            one.gone(within=1)
    limit = time.monotonic() + 60
    while "no instance" not in succeed("list").stdout:
        check(time.monotonic() < limit, f"still listed: {succeed('list').stdout!r}")


@test("attached: rmmod ends it; the tool says one sentence and exits non-zero", needs="module")
def module_removed():
    with Server(attached=True) as one, one.wire() as idle:
        kernel.unload()
        try:
            one.forget()
            check(one.process.wait(60) > 0, f"exit status {one.process.returncode}")
            said = one.output().splitlines()
            complaints = [line for line in said if "serves on" not in line]
            check(len(complaints) == 1 and "removed" in complaints[0], f"expected one sentence, found {said!r}")
            idle.closed(within=2)
            one.gone(within=0.1)
        finally:
            kernel.load()


@test("attached: stop from outside ends server and tool", needs="module")
def stopped():
    with Server(attached=True) as one:
        succeed("stop", one.name)
        one.forget()
        equal(one.process.wait(60), 0, "status")
        one.gone(within=0.1)


@test("attached: the name memcached keeps it attached, says nothing, knows no verb", needs="module")
def named_memcached():
    for name in ("memcached", "memcached-debug"):
        _behaves_as_memcached(name)


def _behaves_as_memcached(name):
    with _named_memcached(name) as path:
        # To memcached a word that is no option means nothing.
        for words in ([], ["stop"], ["status"], ["list"]):
            port = server.free_port()
            with _started([path, *words, "-p", str(port), "-l", "127.0.0.1", "-u", "root"], port) as process:
                with Wire(("127.0.0.1", port)) as wire:
                    equal(wire.stats()["pid"], str(process.pid), "stats: pid")
                process.send_signal(signal.SIGTERM)
                equal(process.wait(60), 0, "status after SIGTERM")
                equal((process.stdout.read(), process.stderr.read()), (b"", b""), "what it said")
        refused = subprocess.run([path, "--foreground"], capture_output=True, text=True, timeout=60)
        check(refused.returncode and refused.stderr, f"own option under the name memcached: {refused}")


@test("attached: a client's shutdown ends the tool with status 0", needs="module")
def client_shutdown():
    with Server("-A", attached=True) as one:
        with one.wire() as wire:
            wire.send(b"shutdown\r\n")
            wire.closed(within=3)
        one.forget()
        equal(one.process.wait(60), 0, "status")
        one.gone(within=0.1)
