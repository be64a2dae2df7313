# SPDX-License-Identifier: MIT
"""Unix sockets: who may connect, what becomes of the path."""

import os
import pathlib
import socket
import stat
import tempfile

from lib import server
from lib.server import Server, refused, succeed
from lib.tap import check, equal, test
from lib.wire import Wire


def _mode(path):
    return oct(stat.S_IMODE(os.lstat(path).st_mode))


@test("unix: the mask is 0700, or what -a says, whatever the umask")
def mask():
    before = os.umask(0o077)
    try:
        for options, mode in (([], "0o700"), (["-a", "0777"], "0o777"), (["-a", "660"], "0o660")):
            with Server(*options, unix=True) as one:
                equal(_mode(one.path), mode, f"mode with {options}")
    finally:
        os.umask(before)


@test("unix: a stale socket's path is taken over, and gone when the server is")
def stale():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
            left.listen()
        check(pathlib.Path(path).is_socket(), "the stale socket should be there")
        with Server(unix=path) as one:
            with Wire(path) as wire:
                wire.alive()
            one.stop()
        if server.is_ours():
            check(not os.path.lexists(path), "the path is there after stop")


@test("unix: a path that is served is refused, and goes on being served", needs="module")
def served():
    with Server(unix=True) as one:
        refused("-s", one.path, status=71, words=[one.path, "served"])
        with one.wire() as wire:
            wire.alive()


@test("unix: a path that is no socket is refused and left alone", needs="module")
def no_socket():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "file"
        file.write_text("precious")
        os.symlink(file, f"{folder}/link")
        os.mkdir(f"{folder}/folder")
        for name in ("file", "link", "folder"):
            refused("-s", f"{folder}/{name}", status=71, words=["no socket"])
            refused("--foreground", "-s", f"{folder}/{name}", status=71, words=["no socket"])
        equal(file.read_text(), "precious", "the file")
        check(os.path.islink(f"{folder}/link") and os.path.isdir(f"{folder}/folder"), "the others")
        refused("-s", f"{folder}/none/socket", status=71, words=["none/socket"])
        refused("-s", f"{folder}/{'x' * 200}", status=71, words=["path"])
        refused("-s", "", status=64, words=["-s"])
    check("no instance" in succeed("list").stdout, "an instance of a refused path")


@test("unix: attached, the path is gone after SIGTERM", needs="module")
def attached():
    with Server(attached=True, unix=True) as one:
        one.stop()
        check(not os.path.lexists(one.path), "the path is still there")


@test("unix: a stale path of a killed server is taken over by the next", needs="module")
def after_kill():
    with Server(attached=True, unix=True) as one:
        one.process.kill()
        one.process.wait()
        one.forget()
        one.gone(within=1)
        check(os.path.lexists(one.path), "nobody was there to remove the path")
        with Server(unix=one.path):
            with Wire(one.path) as wire:
                wire.alive()


@test("unix: -u gives the path to a user", needs="module")
def owner():
    with Server("-u", "nobody", unix=True) as one:
        equal(os.lstat(one.path).st_uid, 65534, "owner")
