# SPDX-License-Identifier: MIT
"""Children of a test: in a namespace of their own, without rights, or both."""

import ctypes
import os
import subprocess
import traceback

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_MOVE = 0x2000


def _call(name, *arguments):
    """A system call that this Python does not have."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def unshare(flags):
    """unshare(2)."""
    _call("unshare", flags)


def enter(place):
    """Go into the namespace that a file stands for."""
    with open(place, "rb") as file:
        _call("setns", file.fileno(), 0)


def leave_chroot():
    """Make this process' root the root of its mount namespace: whoever is in a chroot may make no user namespace."""
    here = os.getcwd()
    os.chroot("/proc/1/root")
    os.chdir("/root")
    unshare(CLONE_NEWNS)
    _call("mount", b".", b"/", None, MS_MOVE, None)
    os.chroot(".")
    os.chdir(here)


def in_child(body):
    """Run body() in a child process; raises what it raised, as text."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            body()
            os._exit(0)
        except BaseException:  # whatever it is, the parent shall hear of it
            os.write(write, traceback.format_exc().encode()[-4000:])
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"child: {told.strip() or status}")


def in_namespace(body):
    """in_child() in a fresh network namespace with its loopback up."""
    def inside():
        unshare(CLONE_NEWNET)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        body()
    in_child(inside)


def without_rights(body):
    """in_child() as a user without any capability."""
    def inside():
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        body()
    in_child(inside)
