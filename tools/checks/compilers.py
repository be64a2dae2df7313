# SPDX-License-Identifier: MIT
"""What compilers say: the module without a warning on every kernel, and sparse on the oldest."""

import os
import re
import shutil
import subprocess

from . import sources

KERNELS = ("6.1", "6.12")
SPARSE_KERNEL = "6.1"


def _build(folder, kernel, *arguments):
    environment = {name: value for name, value in os.environ.items() if name not in ("KDIR", "MAKEFLAGS", "MFLAGS")}
    return subprocess.run([sources.ROOT / "tools/build-module", folder, kernel, *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)


def _folders():
    return [folder for folder in ("kmod", "test-kmod") if (sources.ROOT / folder / "Kbuild").exists()]


def warnings():
    """The module and its test module build on every kernel with -Wall -Werror."""
    for kernel in KERNELS:
        for folder in _folders():
            done = _build(folder, kernel)
            if done.returncode != 0:
                yield f"{folder} does not build for {kernel}:\n{done.stdout[-3000:]}"


def sparse():
    """sparse finds nothing in our files; what it says of kernel headers is not ours."""
    if not shutil.which("sparse"):
        yield "sparse is missing: apt-get install sparse"
        return
    for folder in _folders():
        done = _build(folder, SPARSE_KERNEL, "C=2", "CF=-Wno-unknown-attribute")
        if done.returncode != 0:
            yield f"{folder} does not build under sparse:\n{done.stdout[-3000:]}"
        ours = re.compile(rf"^\S*kernel-[^/\s]+/{folder}/(\S+: (?:warning|error): .*)$", re.MULTILINE)
        yield from (f"{folder}/{one}" for one in dict.fromkeys(ours.findall(done.stdout)))
