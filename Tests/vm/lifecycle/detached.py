# SPDX-License-Identifier: MIT
"""A server that runs on by itself: the road of README, and what the verbs say about it."""

import json
import os
import pathlib
import time

from lib import kernel, server
from lib.load import Load
from lib.server import Server, refused, succeed
from lib.tap import below, check, equal, test
from lib.wire import Wire


def _instances(*options):
    return json.loads(succeed("list", "--json", *options).stdout)


def _processes():
    """Ids of running umemcached processes."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if entry.read_text().strip() == "umemcached":
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


@test("detached: -p 11213 returns 0 when clients can connect, with one line that says where", needs="module")
def start():
    kernel.ensure_loaded()
    done = succeed("-p", "11213")
    try:
        for host in ("127.0.0.1", "::1"):
            with Wire((host, 11213)) as wire:
                wire.set(b"a", b"1")
        lines = done.stdout.splitlines()
        check(len(lines) == 1 and "11213" in lines[0], f"expected one line with the port, found {done.stdout!r}")
        equal(done.stderr, "", "stderr")
        equal(_processes(), [], "processes of the tool that still run")
    finally:
        succeed("stop")
    for host in ("127.0.0.1", "::1"):
        try:
            Wire((host, 11213)).close()
            check(False, f"{host} still answers after stop")
        except ConnectionRefusedError:
            pass


@test("detached: status, list and stats say what is there", needs="module")
def verbs():
    with Server("-m", "100") as one, one.wire() as wire:
        wire.set(b"a", b"1")
        wire.get(b"a", b"b")
        text = succeed("status").stdout
        check(one.name in text and str(one.port) in text, f"status: {text!r}")
        listed = _instances()
        equal([(row["name"], row["connections"], row["attached"]) for row in listed], [(one.name, 1, False)], "list")
        check(str(one.port) in str(listed[0]["listens"]), f"list: {listed[0]['listens']!r}")
        check(one.name in succeed("list").stdout, "list without --json")
        status = json.loads(succeed("status", "--json", one.name).stdout)[0]
        equal((status["curr_items"], status["cmd_get"], status["cmd_set"]), (1, 2, 1), "status --json")
        mine, theirs = wire.stats(), json.loads(succeed("stats", "--json").stdout)
        equal(sorted(theirs), sorted(mine), "names in stats --json")
        for name in ("cmd_get", "get_hits", "cmd_set", "curr_items", "limit_maxbytes", "pid"):
            equal(str(theirs[name]), mine[name], f"stats {name}")
        equal(theirs["limit_maxbytes"], 100 << 20, "limit_maxbytes")
        settings = json.loads(succeed("stats", one.name, "settings", "--json").stdout)
        equal(settings["maxbytes"], 100 << 20, "stats settings: maxbytes")
        rows = dict(line.split(maxsplit=1) for line in succeed("stats").stdout.splitlines())
        equal(rows["curr_items"], "1", "stats without --json")


@test("detached: several instances, each with its own memory, data and end", needs="module")
def several():
    with Server("-m", "8") as one, Server("-m", "16") as two, Server("-m", "32", unix=True) as three:
        all_three = (one, two, three)
        for number, each in enumerate(all_three):
            with each.wire() as wire:
                wire.set(b"who", b"%d" % number)
                equal(wire.stats()["limit_maxbytes"], str((8 << number) << 20), "limit_maxbytes")
        equal(sorted(row["name"] for row in _instances()), sorted(each.name for each in all_three), "list")
        refused("stop", status=1, words=[one.name, two.name, three.name])
        refused("stop", "nobody", status=1, words=["nobody"])
        two.stop()
        two.gone(within=0.5)
        for number, each in ((0, one), (2, three)):
            with each.wire() as wire:
                equal(wire.get(b"who"), {b"who": (0, b"%d" % number, None)}, "value after the other one's end")
        succeed("stop", str(one.port))
        one.forget()
        one.gone(within=0.5)
    equal(_instances(), [], "instances at the end")
    check("no instance" in succeed("list").stdout, "list of nothing")


@test("detached: stop --all ends all", needs="module")
def stop_all():
    servers = [Server() for _ in range(4)]
    succeed("stop", "--all")
    for each in servers:
        each.forget()
        each.gone(within=0.5)
    equal(_instances(), [], "instances at the end")
    kernel.no_threads()


@test("detached: two on one port: exit 71, a sentence that names port and holder", needs="module")
def port_taken():
    with Server() as one:
        refused("-p", one.port, status=71, words=[str(one.port), one.name])
        with one.wire() as wire:
            wire.alive()
        equal(len(_instances()), 1, "instances")
    with server.socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused("-p", port, "-l", "127.0.0.1", status=71, words=[str(port)])
    equal(_instances(), [], "instances at the end")


@test("detached: two of one name: refused, the first goes on", needs="module")
def name_taken():
    with Server() as one:
        refused("-p", server.free_port(), "--name", one.name, status=71, words=["--name"])
        with one.wire() as wire:
            wire.alive()


def _stopped(unix):
    """Seconds that the stop of a busy server takes."""
    with Server(unix=unix) as one, Load(one.endpoint, clients=8) as load:
        check(load.wait_for_rounds(200), "clients do not get on")
        started = time.monotonic()
        one.stop()
        took = time.monotonic() - started
        one.gone(within=0.1)
        equal(load.counts()["wrong"], [], "wrong answers")
    return took


@test("detached: stop while clients are busy takes less than 3 s", needs="module", timeout=120)
def stop_busy():
    for unix in (False, True):
        below(3, "stop", lambda: _stopped(unix))
    kernel.no_threads()


@test("detached: shutdown by a client needs -A, then the instance is gone", needs="module")
def shutdown():
    with Server() as one, one.wire() as wire:
        wire.ask(b"shutdown\r\n", b"SERVER_ERROR: shutdown not enabled\r\n")
        wire.alive()
    for request in (b"shutdown\r\n", b"shutdown graceful\r\n"):
        with Server("-A") as one:
            one.forget()
            with one.wire() as wire:
                wire.send(request)
                wire.closed(within=3)
            one.gone(within=1)
            limit = time.monotonic() + 60
            while _instances():
                check(time.monotonic() < limit, f"still listed after {request!r}")


@test("detached: the module not loaded: every verb says how to load it", needs="module")
def not_loaded():
    kernel.unload()
    try:
        for arguments in (["-p", "11213"], ["list"], ["status"], ["stats"], ["stop"], ["--foreground", "-p", "11213"]):
            refused(*arguments, status=71, words=["kmemcache", "not loaded", "insmod"])
    finally:
        kernel.load()


@test("detached: not root: a sentence that names the capability", needs="module")
def not_root():
    def drop():
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    with Server() as one:
        for arguments in (["-p", server.free_port()], ["--foreground", "-p", server.free_port()], ["list"],
                          ["stats", one.name], ["stop", one.name]):
            refused(*arguments, status=71, words=["CAP_NET_ADMIN"], preexec_fn=drop)
        with one.wire() as wire:
            wire.alive()
        equal(len(_instances()), 1, "instances")
