# SPDX-License-Identifier: MIT
"""libmemcached's programs: each must end well, and the server's counters must say what the program says."""

import re
import subprocess

from lib.server import Server
from lib.tap import check, equal, test

ASCII_CASES, BINARY_CASES = 27, 27  # of memccapable in libmemcached 1.1.4
COUNTED = ("cmd_set", "cmd_get", "get_hits", "get_misses")


def _run(*arguments, seconds=300):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=seconds)
    equal(done.returncode, 0, f"{' '.join(arguments)}: exit status ({done.stdout[-600:]!r})")
    return done.stdout


def _counted(server, *arguments):
    """Run a program against a server; returns its output and what each counter rose by."""
    before = server.stats()
    text = _run(*arguments)
    after = server.stats()
    return text, {name: int(after[name]) - int(before[name]) for name in COUNTED}


def _capable(server, *options):
    """Return: how many cases of the text and of the binary protocol passed."""
    text = _run("memccapable", *options, "-t", "60", "-v", "-h", server.endpoint[0], "-p", str(server.port))
    check("All tests passed" in text, f"expected \"All tests passed\" in {text!r}")
    return tuple(len(re.findall(rf"^{kind} .*\[pass\]$", text, re.M)) for kind in ("ascii", "binary"))


@test("memccapable: every case of both protocols passes", timeout=80)
def capable():
    with Server() as server:
        equal(_capable(server), (ASCII_CASES, BINARY_CASES), "passed cases")
        equal(_capable(server, "-a"), (ASCII_CASES, 0), "passed cases of the text protocol alone")
        equal(_capable(server, "-b"), (0, BINARY_CASES), "passed cases of the binary protocol alone")


@test("memccapable: every case of the binary protocol passes where nothing else may be spoken", timeout=40)
def capable_binary():
    with Server("-B", "binary") as server:
        equal(_capable(server, "-b"), (0, BINARY_CASES), "passed cases")


def _slap(server, kind, *options):
    address = server.path or f"127.0.0.1:{server.port}"
    text, rise = _counted(server, "memcslap", "-s", address, "-F", "-c", "4", "-e", "300", "-t", kind, *options)
    reported = re.search(rf"Time to {kind} +(\d+) keys by", text)
    check(reported, f"memcslap reports no keys: {text!r}")
    loaded = re.search(r"Time to set +(\d+) keys:", text)
    keys = int(reported.group(1))
    stored = keys if kind == "set" else int(loaded.group(1))
    hits = 0 if kind == "set" else keys
    equal(rise, {"cmd_set": stored, "cmd_get": hits, "get_hits": hits, "get_misses": 0}, f"counters after {kind}")


@test("memcslap: set, get and mget count what it reports, over TCP")
def slap_tcp():
    with Server() as server:
        for kind in ("set", "get", "mget"):
            _slap(server, kind)


@test("memcslap: set, get and mget count what it reports, over unix")
def slap_unix():
    with Server(unix=True) as server:
        for kind in ("set", "get", "mget"):
            _slap(server, kind)


@test("memcslap: non-blocking and noreply")
def slap_variants():
    with Server() as server:
        _slap(server, "get", "-n")
        _slap(server, "set", "-R")


def _aslap(server, *options):
    text, rise = _counted(server, "memcaslap", "-s", f"127.0.0.1:{server.port}", *options)
    reported = {name: int(value) for name, value in re.findall(r"^(\w+): (\d+)$", text, re.M)}
    check(reported.get("cmd_set") and reported.get("cmd_get"), f"memcaslap reports nothing: {text!r}")
    equal(rise, {"cmd_set": reported["cmd_set"], "cmd_get": reported["cmd_get"],
                 "get_hits": reported["cmd_get"] - reported["get_misses"], "get_misses": reported["get_misses"]},
          f"counters after memcaslap {' '.join(options)}")
    equal(reported["get_misses"], 0, "get_misses")
    for name in ("verify_misses", "verify_failed"):
        equal(reported.get(name, 0), 0, name)


@test("memcaslap: single gets, every value verified")
def aslap_single():
    with Server() as server:
        _aslap(server, "-T", "2", "-c", "8", "-x", "3000", "-v", "1")


@test("memcaslap: ten keys a get, values of 8 KiB")
def aslap_multi():
    with Server("-m", "256") as server:
        _aslap(server, "-T", "2", "-c", "8", "-x", "2000", "-v", "0.5", "-d", "10", "-X", "8192")


@test("memcaslap: 64 connections")
def aslap_many():
    with Server("-m", "256") as server:
        _aslap(server, "-T", "2", "-c", "64", "-x", "3000")
