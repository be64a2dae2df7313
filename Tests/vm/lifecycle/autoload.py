# SPDX-License-Identifier: MIT
"""The module, installed: the kernel loads it by the alias of its netlink family when the tool asks for that."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from lib import kernel, server
from lib.server import refused, succeed
from lib.tap import check, test
from lib.wire import Wire

MODPROBE = pathlib.Path("/proc/sys/kernel/modprobe")


def _run(*command):
    subprocess.run(command, check=True, timeout=60)


@contextlib.contextmanager
def _helper():
    """The kernel's helper starts outside of our root, in the guest's first file system, where ours is /root."""
    before = MODPROBE.read_text()
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "modprobe"
        script.write_text('#!/bin/sh\nexec chroot /root /sbin/modprobe "$@"\n')
        script.chmod(0o755)
        MODPROBE.write_text(f"/root{script}")
        try:
            yield
        finally:
            MODPROBE.write_text(before)


@contextlib.contextmanager
def _modules(files):
    """/lib/modules of this kernel with these files alone, and their index."""
    release = os.uname().release
    place = pathlib.Path(f"/lib/modules/{release}")
    place.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "tmpfs", str(place))
    try:
        for name in ("modules.order", "modules.builtin"):
            (place / name).touch()
        for file in files:
            (place / "updates").mkdir(exist_ok=True)
            shutil.copy(file, place / "updates")
        _run("depmod", release)
        yield
    finally:
        _run("umount", str(place))


@test("autoload: a start loads the installed module by itself", needs="module", timeout=120)
def autoload():
    if kernel.is_loaded():
        kernel.unload()
    port = server.free_port()
    try:
        with _helper():
            with _modules([]):
                refused("-p", port, "-l", "127.0.0.1", status=71, words=["modprobe kmemcache"])
                check(not kernel.is_loaded(), "the module came from nowhere")
            with _modules([kernel.module_file()]):
                succeed("-p", port, "-l", "127.0.0.1")
                check(kernel.is_loaded(), "the module is not loaded")
                with Wire(("127.0.0.1", port)) as wire:
                    wire.alive()
                succeed("stop", port)
    finally:
        kernel.ensure_loaded()
