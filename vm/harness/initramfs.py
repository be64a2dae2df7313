# SPDX-License-Identifier: MIT
"""The guest's first root file system: busybox, the modules that reach the host's root, and vm/guest/init."""

import contextlib
import hashlib
import lzma
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time

from . import cache
from .errors import HarnessError

KEPT_SECONDS = 7 * 86400
GUEST = pathlib.Path(__file__).resolve().parent.parent / "guest"

# What it takes to reach the host's root and to talk to the harness; builtin in some kernels.
MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")

APPLETS = ("sh", "cat", "chroot", "cp", "dd", "grep", "hostname", "insmod", "ip", "ln", "ls", "mkdir", "mkfifo", "mount",
           "poweroff", "printf", "reboot", "rm", "rmmod", "setsid", "sleep", "stty", "timeout", "udhcpc")


class Archive:
    """A cpio archive in the "newc" form that the kernel unpacks (Documentation/driver-api/early-userspace)."""

    def __init__(self):
        self._parts = []
        self._inode = 1

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        encoded = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        self._parts.append(self._padded(header + encoded) + self._padded(data))
        self._inode += 1

    @staticmethod
    def _padded(data):
        return data + b"\0" * (-len(data) % 4)

    def directory(self, name):
        self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, b"", (major, minor))

    def bytes(self):
        """The archive; its length is a multiple of 512, so that another may follow it directly."""
        self._entry("TRAILER!!!", 0)
        whole = b"".join(self._parts)
        return whole + b"\0" * (-len(whole) % 512)


def _busybox():
    """A statically linked busybox: the installed one, else Debian's package unpacked in the cache."""
    cached = cache.directory() / "busybox"
    for candidate in (pathlib.Path("/bin/busybox"), cached):
        if candidate.exists() and b"/ld-linux" not in candidate.read_bytes()[:4096]:
            return candidate.read_bytes()
    with cache.lock("busybox"), tempfile.TemporaryDirectory() as scratch:
        for command in (["apt-get", "download", "-q", "busybox-static"], "dpkg-deb -x busybox-static_*.deb ."):
            done = subprocess.run(command, cwd=scratch, shell=isinstance(command, str), check=False,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode != 0:
                raise HarnessError(f"busybox-static cannot be had: {done.stderr.strip()[-300:]}")
        binary = next(path for path in pathlib.Path(scratch).rglob("busybox") if path.is_file())
        shutil.copy(binary, cached)
    return cached.read_bytes()


def load_order(modules, wanted):
    """Paths of the wanted modules and all they need, in the order to load; builtin ones are left out."""
    index = {}
    for line in (modules / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _, needs = line.partition(":")
        name = pathlib.Path(path).name.split(".ko")[0].replace("-", "_")
        index[name] = (path, needs.split())
    order = []
    for name in wanted:
        if name.replace("-", "_") in index:
            path, needs = index[name.replace("-", "_")]
            # modules.dep lists the nearest first and is complete.
            order += [entry for entry in [*reversed(needs), path] if entry not in order]
    return order


def _plain_module(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
    return data


def _build(kernel, busybox, script):
    archive = Archive()
    for name in ("bin", "dev", "proc", "sys", "modules", "lower", "overlay", "root"):
        archive.directory(name)
    archive.character_device("dev/console", 5, 1)
    archive.file("bin/busybox", busybox, 0o755)
    for applet in APPLETS:
        archive.link(f"bin/{applet}", "busybox")
    archive.file("init", script, 0o755)
    for number, path in enumerate(load_order(kernel.modules, MODULES) if kernel.modules else ()):
        name = pathlib.Path(path).name.split(".ko")[0]
        archive.file(f"modules/{number:02}-{name}.ko", _plain_module(kernel.modules / path))
    return archive.bytes()


def base(kernel):
    """Bytes of the initramfs for a kernel, without a run's own part; cached by all that goes into it."""
    busybox, script = _busybox(), (GUEST / "init").read_bytes()
    digest = hashlib.sha256(busybox + script + pathlib.Path(__file__).read_bytes())
    digest.update(f"{kernel.release} {kernel.modules}".encode())
    if kernel.modules:
        digest.update(str((kernel.modules / "modules.dep").stat().st_mtime_ns).encode())
    directory = cache.directory() / "initramfs"
    directory.mkdir(exist_ok=True)
    place = directory / f"{kernel.release}-{digest.hexdigest()[:16]}.cpio"
    if not place.exists():
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".new-", delete=False) as fresh:
            fresh.write(_build(kernel, busybox, script))
        os.rename(fresh.name, place)
    data = place.read_bytes()
    _forget_older(place)
    return data


def _forget_older(kept):
    """Drop what other versions of the harness left; a run in progress has its own copy."""
    limit = time.time() - KEPT_SECONDS
    for path in kept.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path != kept and path.stat().st_mtime < limit:
                path.unlink()


def for_run(kernel, settings, command):
    """The whole initramfs of one run: `settings` is shell text for init, `command` the script it starts."""
    archive = Archive()
    archive.file("settings", settings.encode())
    archive.file("command", command.encode(), 0o755)
    return base(kernel) + archive.bytes()
