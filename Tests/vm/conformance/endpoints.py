# SPDX-License-Identifier: MIT
"""`umemcached conformance`: the model finds no difference, over each transport, and none in Debian's memcached."""

import re
import subprocess
import tempfile
import time

from lib.server import Server, free_port, tool
from lib.tap import check, equal, test
from lib.wire import Wire

OPERATIONS = 10000
HIT_PERCENT = 30


def _conforms(server, *options, operations=OPERATIONS, scenarios=()):
    where = ["--unix", server.path] if server.path else ["--tcp", f"127.0.0.1:{server.port}"]
    chosen = [word for name in scenarios for word in ("--scenario", name)]
    done = tool("conformance", *where, "--operations", operations, *chosen, *options, timeout=220)
    # All of it: a difference comes with its seed and the sequence that shows it.
    check(done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}")
    for name in scenarios:
        check(f"left out: {name}" not in done.stdout, f"{name} was left out: {done.stdout}")
    return done.stdout


def _hits(report):
    found = re.search(r"(\d+) ?%", report)
    check(found, f"no share of hits in {report!r}")
    check(int(found.group(1)) >= HIT_PERCENT, f"only {found.group(1)} % of reads hit")


@test("TCP: scenarios and random sequences", timeout=230)
def tcp():
    with Server() as server:
        _hits(_conforms(server))


@test("unix: scenarios and random sequences", timeout=230)
def unix():
    with Server(unix=True) as server:
        _hits(_conforms(server))


@test("full memory: a get may miss but is never wrong", timeout=120)
def eviction():
    with Server("-m", "16") as server:
        _conforms(server, "--fill", operations=0, scenarios=["eviction", "set"])
        check(int(server.stats()["evictions"]) > 0, "nothing was evicted")


@test("full memory with -M: memcached's refusal", timeout=120)
def refusal():
    with Server("-m", "16", "-M") as server:
        _conforms(server, "--fill", operations=0, scenarios=["memory-full", "set"])
        equal(server.stats()["evictions"], "0", "evictions")


@test("Debian's memcached: the oracle is memcached", timeout=230)
def oracle():
    port = free_port()
    with tempfile.TemporaryFile() as output:
        peer = subprocess.Popen(["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port)],
                                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            _wait(peer, port)
            done = tool("conformance", "--tcp", f"127.0.0.1:{port}", "--operations", 5000, timeout=200)
            check(done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}")
        finally:
            peer.terminate()
            peer.wait()


def _wait(peer, port):
    limit = time.monotonic() + 20
    while True:
        try:
            with Wire(("127.0.0.1", port)) as wire:
                return wire.alive()
        except OSError as problem:
            check(peer.poll() is None and time.monotonic() < limit, f"memcached does not answer: {problem}")
            time.sleep(0.05)
