# SPDX-License-Identifier: MIT
"""`umemcached conformance`: the model finds no difference, over each transport, and none in Debian's memcached."""

import contextlib
import re
import subprocess
import tempfile
import time

from lib.server import START_SECONDS, Server, free_port, tool
from lib.tap import check, equal, test
from lib.wire import Wire

OPERATIONS = 10000
HIT_PERCENT = 30
# What judges a commit gives each the same sequences; `make long` looks for new ones.
SEED = 20_000
# Bounds a hang, on a machine that is as busy as any.
SECONDS = 600


def _run(where, *options, operations=OPERATIONS, scenarios=(), seed=SEED):
    chosen = [word for name in scenarios for word in ("--scenario", name)]
    seeded = () if seed is None else ("--seed", seed)
    done = tool("conformance", *where, "--operations", operations, *seeded, *chosen, *options, timeout=SECONDS)
    # All of it: a difference comes with its seed and the sequence that shows it.
    check(done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}")
    for name in scenarios:
        check(f"left out: {name}" not in done.stdout, f"{name} was left out: {done.stdout}")
    return done.stdout


def _conforms(server, *options, **how):
    where = ["--unix", server.path] if server.path else ["--tcp", f"127.0.0.1:{server.port}"]
    return _run(where, *options, **how)


def _hits(report):
    found = re.search(r"(\d+) ?%", report)
    check(found, f"no share of hits in {report!r}")
    check(int(found.group(1)) >= HIT_PERCENT, f"only {found.group(1)} % of reads hit")


@test("TCP: scenarios and random sequences of text, meta and binary", timeout=SECONDS)
def tcp():
    with Server() as server:
        _hits(_conforms(server))


@test("unix: scenarios and random sequences of text, meta and binary", timeout=SECONDS)
def unix():
    with Server(unix=True) as server:
        _hits(_conforms(server))


@test("UDP: scenarios and random sequences of text, meta and binary", timeout=SECONDS)
def udp():
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        port = free_port()
        with Server("-l", host, "-U", port):
            _hits(_run(["--udp", f"{shown}:{port}"], operations=OPERATIONS // 2))


@test("unix: a hundred thousand commands from a seed that is new each time", timeout=SECONDS, long=True)
def unforeseen():
    with Server(unix=True) as server:
        _conforms(server, operations=10 * OPERATIONS, seed=None)


@test("-Y and -S: the gate, and random sequences behind it", timeout=SECONDS)
def logins():
    with tempfile.TemporaryDirectory() as folder:
        users = f"{folder}/users"
        with open(users, "w") as file:
            file.write("foo:bar\n")
        with Server("-Y", users) as server:
            _conforms(server, "--login", "foo:bar", operations=2000)
        with Server("-S", environment={"MEMCACHED_SASL_PWDB": users}) as server:
            _conforms(server, "--sasl", "foo:bar", operations=4000)


@test("full memory: a get may miss but is never wrong", timeout=SECONDS)
def eviction():
    with Server("-m", "16") as server:
        _conforms(server, "--fill", operations=0, scenarios=["eviction", "set"])
        check(int(server.stats()["evictions"]) > 0, "nothing was evicted")


@test("full memory with -M: memcached's refusal", timeout=SECONDS)
def refusal():
    with Server("-m", "16", "-M") as server:
        _conforms(server, "--fill", operations=0, scenarios=["memory-full", "set"])
        equal(server.stats()["evictions"], "0", "evictions")


@contextlib.contextmanager
def _memcached(*options):
    """Debian's, with one thread: of several, over UDP, a later request may overtake an earlier one."""
    with tempfile.TemporaryFile() as output:
        peer = subprocess.Popen(["memcached", "-u", "root", "-t", "1", *options], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield peer
        finally:
            peer.terminate()
            peer.wait()


@test("Debian's memcached over TCP and UDP: the oracle is memcached", timeout=SECONDS)
def oracle():
    port = free_port()
    with _memcached("-l", "127.0.0.1", "-p", str(port), "-U", str(port)) as peer:
        _wait(peer, ("127.0.0.1", port))
        for place in ("--tcp", "--udp"):
            _hits(_run([place, f"127.0.0.1:{port}"], operations=5000))


def _wait(peer, endpoint):
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            with Wire(endpoint) as wire:
                return wire.alive()
        except OSError as problem:
            check(peer.poll() is None and time.monotonic() < limit, f"memcached does not answer: {problem}")
            time.sleep(0.05)
