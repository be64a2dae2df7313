# SPDX-License-Identifier: MIT
"""Network namespaces: an instance belongs to one, is seen there, and keeps it alive."""

import contextlib
import itertools
import json
import os
import subprocess
import time

from lib import kernel
from lib.load import Load
from lib.server import free_port, refused, succeed
from lib.tap import below, check, equal, patient, test
from lib.wire import Wire

_numbers = itertools.count(1)


def _run(*command):
    subprocess.run(command, check=True, timeout=60)


class _Namespace:
    """A namespace whose end of a cable has the address 10.9.N.2; ours has 10.9.N.1."""

    def __init__(self):
        number = next(_numbers)
        self.name, self.cable, self.address = f"kmc{os.getpid()}-{number}", f"kmcv{number}", f"10.9.{number}.2"
        _run("modprobe", "veth")
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "kmcpeer", "netns", self.name)
        _run("ip", "address", "add", f"10.9.{number}.1/24", "dev", self.cable)
        _run("ip", "link", "set", self.cable, "up")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "kmcpeer")
        self.run("ip", "link", "set", "kmcpeer", "up")
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command, **how):
        return subprocess.run(["ip", "netns", "exec", self.name, *map(str, command)], check=True, timeout=60, **how)

    def tool(self, *arguments):
        return self.run("umemcached", *arguments, capture_output=True, text=True)

    def delete(self):
        _run("ip", "netns", "delete", self.name)

    def is_gone(self):
        """The cable goes with the namespace: only then is it really gone."""
        return not kernel.interface_exists(self.cable)


@contextlib.contextmanager
def _namespace():
    made = _Namespace()
    try:
        yield made
    finally:
        succeed("stop", "--all")
        for row in _everywhere():
            succeed("stop", "--id", row["id"])
        subprocess.run(["ip", "netns", "delete", made.name], capture_output=True, timeout=60)
        subprocess.run(["ip", "link", "delete", made.cable], capture_output=True, timeout=60)


def _everywhere():
    return json.loads(succeed("list", "--json", "--all-namespaces").stdout)


def _wait_until(condition, seconds, text):
    """Until what takes an idle machine no longer than so many seconds; returns how many it took."""
    started = time.monotonic()
    while not condition():
        check(time.monotonic() < started + patient(seconds), text)
        time.sleep(0.01)
    return time.monotonic() - started


@test("namespaces: an instance is served, listed and stopped in its own", needs="module")
def own():
    kernel.ensure_loaded()
    with _namespace() as one:
        port = free_port()
        one.tool("-p", port, "--name", "inside")
        with Wire((one.address, port)) as wire:
            wire.alive()
        check("inside" in one.tool("list").stdout, "not listed in its namespace")
        check("no instance" in succeed("list").stdout, "listed outside of its namespace")
        refused("stop", "inside", status=1)
        refused("stats", "inside", status=1)
        succeed("-p", port, "-l", "127.0.0.1", "--name", "inside")
        succeed("stop", "inside")
        with Wire((one.address, port)) as wire:
            wire.alive()
        one.tool("stop", "inside")
        equal(_everywhere(), [], "instances")


def _outlived():
    """An instance whose namespace is deleted; the seconds from its own end to that of the namespace."""
    with _namespace() as one:
        port = free_port()
        one.tool("-p", port, "--name", "inside")
        with Wire((one.address, port)) as wire:
            wire.set(b"a", b"1")
            one.delete()
            time.sleep(1)
            wire.alive()
        check(not one.is_gone(), "the namespace went although its instance lives")
        with Wire((one.address, port)) as wire:
            equal(wire.get(b"a"), {b"a": (0, b"1", None)}, "value after the name is gone")
            rows = _everywhere()
            equal([row["name"] for row in rows], ["inside"], "list --all-namespaces")
            succeed("stop", "--id", rows[0]["id"])
            took = _wait_until(one.is_gone, 1, "the namespace is there after its instance was stopped")
        equal(_everywhere(), [], "instances")
    return took


@test("namespaces: a deleted one lives as long as its instance, then is gone within 1 s", needs="module", timeout=120)
def deleted():
    kernel.ensure_loaded()
    below(1, "the end of a namespace after its instance was stopped", _outlived)


def _killed():
    """An attached instance whose namespace is deleted; the seconds from its kill -9 to the end of the namespace."""
    with _namespace() as one:
        port = free_port()
        tool = subprocess.Popen(["ip", "netns", "exec", one.name, "umemcached", "--foreground", "-p", str(port)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def answers():
                try:
                    Wire((one.address, port)).close()
                    return True
                except OSError:
                    return False
            _wait_until(answers, 20, "does not serve")
            one.delete()
        finally:
            tool.kill()
            tool.wait()
        took = _wait_until(one.is_gone, 1, "the namespace is there after its instance was killed")
        equal(_everywhere(), [], "instances")
    return took


@test("namespaces: a deleted one goes with its attached instance within 1 s of kill -9", needs="module", timeout=120)
def deleted_attached():
    kernel.ensure_loaded()
    below(1, "the end of a namespace after kill -9", _killed)


def _attached(namespace, port):
    """An attached server in a namespace, once it serves."""
    process = subprocess.Popen(["ip", "netns", "exec", namespace.name, "umemcached", "--foreground", "-p", str(port)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    check("serves on" in process.stdout.readline(), "does not serve")
    return process


@test("namespaces: ten instances in three under load; kill -9 of one tool leaves the other nine serving",
      needs="module", timeout=180)
def ten():
    kernel.ensure_loaded()
    with contextlib.ExitStack() as stack:
        spaces = [stack.enter_context(_namespace()) for _ in range(3)]
        places = [(space, 11211 + number) for number in range(4) for space in spaces][:10]
        tools = []
        for space, port in places:
            tools.append(_attached(space, port))
            stack.callback(tools[-1].wait)
            stack.callback(tools[-1].kill)
        equal(len(_everywhere()), 10, "instances on the machine")
        equal(len({row["namespace"] for row in _everywhere()}), 3, "namespaces")
        for space in spaces:
            found = json.loads(space.tool("list", "--json").stdout)
            equal(sorted(row["name"] for row in found),
                  sorted(f"tcp-{port}" for other, port in places if other is space), "listed inside")
        victim, *others = [(space.address, port) for space, port in places]
        with Load(*others, clients=2) as load, Load(victim, clients=2) as lost:
            check(load.wait_for_rounds(50) and lost.wait_for_rounds(5),
                  f"clients do not get on: {load.counts()}, {lost.counts()}")
            tools[0].kill()
            tools[0].wait()
            _wait_until(lambda: len(_everywhere()) == 9, 5, "ten are listed after one tool was killed")
            check(load.wait_for_rounds(50), "the other nine do not get on")
            found = load.counts()
            equal((found["ends"], found["wrong"]), (0, []), "connections that ended, wrong answers")
            check(lost.counts()["ends"], "the tenth goes on")
        # From the host every one can be stopped; its tool ends with it.
        for row in _everywhere():
            succeed("stop", "--id", row["id"])
        equal([tool.wait(60) for tool in tools[1:]], [0] * 9, "statuses of the tools")


@test("namespaces: rmmod lets a deleted one go", needs="module")
def deleted_rmmod():
    kernel.ensure_loaded()
    with _namespace() as one:
        one.tool("-p", free_port(), "--name", "inside")
        one.delete()
        kernel.unload()
        try:
            _wait_until(one.is_gone, 1, "the namespace is there after rmmod")
        finally:
            kernel.load()


@test("namespaces: twenty, each with an instance, all gone at the end", needs="module", timeout=300, long=True)
def many():
    kernel.ensure_loaded()
    made = [_Namespace() for _ in range(20)]
    try:
        for one in made:
            one.tool("-p", "11211", "--name", "inside")
            one.delete()
        equal(len(_everywhere()), 20, "instances")
        for row in _everywhere():
            succeed("stop", "--id", row["id"])
        _wait_until(lambda: all(one.is_gone() for one in made), 3, "namespaces are left after the last stop")
    finally:
        for row in _everywhere():
            succeed("stop", "--id", row["id"])
