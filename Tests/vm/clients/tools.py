# SPDX-License-Identifier: MIT
"""libmemcached's small programs, in text and in binary: what one leaves, the next finds."""

import pathlib
import subprocess
import tempfile

from lib.server import Server
from lib.tap import check, equal, test


class Tools:
    """The programs at one server."""

    def __init__(self, server, binary):
        self._options = ["-s", server.path or f"127.0.0.1:{server.port}"]
        self._binary = ["-b"] if binary else []

    def run(self, program, *arguments, status=0, binary=True):
        options = [*self._options, *(self._binary if binary else [])]
        done = subprocess.run([program, *options, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300)
        equal(done.returncode, status, f"{program} {arguments}: exit status ({done.stdout[-400:]!r})")
        return done.stdout


def _files(folder):
    contents = {"one": b"first", "two": b"second\n" * 100, "three": bytes(range(256)) * 400}
    for name, content in contents.items():
        pathlib.Path(folder, name).write_bytes(content)
    return contents


def _round(unix, binary):
    with Server(unix=unix) as server, tempfile.TemporaryDirectory() as folder:
        tools = Tools(server, binary)
        contents = _files(folder)
        tools.run("memcping", binary=False)
        tools.run("memccp", "--set", *(pathlib.Path(folder, name) for name in contents))
        for name, content in contents.items():
            out = pathlib.Path(folder, "out")
            tools.run("memccat", "--file", out, name)
            equal(out.read_bytes(), content, f"memccat {name}")
            tools.run("memcexist", name)
        equal(tools.run("memccat", "one").strip(), b"first", "memccat to the terminal")
        _change(tools, folder)
        rows = tools.run("memcstat").decode()
        check("curr_items: 2" in rows, f"memcstat: no curr_items: 2 in {rows[-1500:]!r}")
        dumped = set(tools.run("memcdump", binary=False).split())
        equal(dumped, {b"one", b"two"}, "memcdump")
        tools.run("memcflush")
        tools.run("memcexist", "one", status=1)


def _change(tools, folder):
    """add, replace, touch, remove."""
    one = pathlib.Path(folder, "one")
    one.write_bytes(b"changed")
    tools.run("memccp", "--add", one, status=1)
    tools.run("memccp", "--replace", one)
    equal(tools.run("memccat", "one").strip(), b"changed", "after memccp --replace")
    tools.run("memctouch", "--expire", "1000", "one")
    tools.run("memctouch", "--expire", "1000", "none", status=1)
    tools.run("memcrm", "three")
    tools.run("memcexist", "three", status=1)
    tools.run("memcrm", "three", status=1)


for _kind in ("text", "binary"):
    for _place in ("TCP", "unix"):
        test(f"memcping, memccp, memccat, memcexist, memctouch, memcrm, memcstat, memcdump, memcflush in {_kind} over {_place}")(
            lambda unix=_place == "unix", binary=_kind == "binary": _round(unix, binary))


@test("memcping: nobody is there once the server has stopped; memcerror says what that means")
def gone():
    with Server() as server:
        tools = Tools(server, False)
        tools.run("memcping")
        server.stop()
        tools.run("memcping", status=1)
    done = subprocess.run(["memcerror", "3"], capture_output=True, text=True, timeout=60, check=True)
    check("CONNECTION FAILURE" in done.stdout.upper(), f"memcerror 3: {done.stdout!r}")
