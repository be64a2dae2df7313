# SPDX-License-Identifier: MIT
"""Programs of cgroup-BPF, by the system call alone."""

import contextlib
import ctypes
import os
import struct
import subprocess
import tempfile

BPF, BPF_PROG_LOAD, BPF_PROG_ATTACH, BPF_PROG_DETACH = 321, 5, 8, 9  # x86-64
PROG_TYPE_CGROUP_SKB, INGRESS, EGRESS = 8, 0, 1
_libc = ctypes.CDLL(None, use_errno=True)


def _call(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    result = _libc.syscall(BPF, command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def drop_program(direction):
    """A program that lets no packet through; its descriptor."""
    code = ctypes.create_string_buffer(struct.pack("<BBhi", 0xb7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"GPL")
    return _call(BPF_PROG_LOAD, struct.pack("<IIQQIIQII16sII", PROG_TYPE_CGROUP_SKB, 2, ctypes.addressof(code),
                                            ctypes.addressof(licence), 0, 0, 0, 0, 0, b"", 0, direction))


@contextlib.contextmanager
def attached(cgroup, direction):
    """Nothing goes through to (or from) the sockets that were made in `cgroup`."""
    folder, program = os.open(cgroup, os.O_RDONLY), drop_program(direction)
    attributes = struct.pack("<IIII", folder, program, direction, 0)
    _call(BPF_PROG_ATTACH, attributes)
    try:
        yield
    finally:
        _call(BPF_PROG_DETACH, attributes)
        os.close(program)
        os.close(folder)


@contextlib.contextmanager
def cgroup():
    """A fresh cgroup that this process is in meanwhile; its path."""
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["mount", "-t", "cgroup2", "none", root], check=True)
        try:
            os.mkdir(f"{root}/kmc")
            _enter(f"{root}/kmc")
            try:
                yield f"{root}/kmc"
            finally:
                _enter(root)
                os.rmdir(f"{root}/kmc")
        finally:
            subprocess.run(["umount", "-l", root], check=True)


def _enter(path):
    with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
