# SPDX-License-Identifier: MIT
"""Clients of Perl, PHP and Ruby: each does all that it can in a program of its own language."""

import pathlib
import re
import subprocess
import tempfile

from lib.server import Server
from lib.tap import check, equal, test

PROGRAMS = pathlib.Path(__file__).parent / "programs"
# A program that left out its checks would say that all of them passed.
LEAST = {"fast.pl": 500, "memcached.php": 25, "memcache.php": 300, "dalli.rb": 25}


def _run(interpreter, program, *arguments):
    done = subprocess.run([*interpreter, PROGRAMS / program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=500)
    equal(done.returncode, 0, f"{program}: exit status ({done.stdout[-600:]!r})")
    said = re.search(r"^(\d+) checks passed$", done.stdout, re.M)
    check(said and int(said[1]) >= LEAST[program], f"{program}: expected {LEAST[program]} checks or more: {done.stdout!r}")


def _address(server):
    return server.path or f"127.0.0.1:{server.port}"


@test("Perl, Cache::Memcached::Fast: every command over TCP")
def perl_tcp():
    with Server() as server:
        _run(["perl"], "fast.pl", _address(server))


@test("Perl, Cache::Memcached::Fast: every command over unix")
def perl_unix():
    with Server(unix=True) as server:
        _run(["perl"], "fast.pl", _address(server))


def _php(program, protocol, unix):
    """memcache.php wants a path with a scheme before it."""
    with Server(unix=unix) as server:
        scheme = "unix://" if program == "memcache.php" else ""
        where = (scheme + server.path, 0) if unix else ("127.0.0.1", server.port)
        _run(["php"], program, *where, protocol)


for _protocol in ("text", "binary"):
    for _place in ("TCP", "unix"):
        test(f"PHP, Memcached: every command in {_protocol} over {_place}")(
            lambda protocol=_protocol, unix=_place == "unix": _php("memcached.php", protocol, unix))
        test(f"PHP, Memcache: every command in {_protocol} over {_place}")(
            lambda protocol=_protocol, unix=_place == "unix": _php("memcache.php", protocol, unix))


@test("Ruby, Dalli: every command over TCP")
def ruby_tcp():
    with Server() as server:
        _run(["ruby"], "dalli.rb", _address(server))


@test("Ruby, Dalli: every command over unix")
def ruby_unix():
    with Server(unix=True) as server:
        _run(["ruby"], "dalli.rb", _address(server))


@test("Ruby, Dalli: every command after SASL", needs="module")
def ruby_sasl():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "users")
        path.write_text("user:secret\n")
        with Server("-S", environment={"MEMCACHED_SASL_PWDB": str(path)}) as server:
            _run(["ruby"], "dalli.rb", _address(server), "user", "secret")
