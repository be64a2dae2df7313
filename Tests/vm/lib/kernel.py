# SPDX-License-Identifier: MIT
"""The machine below the server: the module, its traces, memory, and what the kernel says."""

import contextlib
import ctypes
import os
import pathlib
import re
import sys
import time

from lib.tap import check, equal, patient

_FINIT_MODULE, _DELETE_MODULE = 313, 176  # x86-64
_libc = ctypes.CDLL(None, use_errno=True)
_ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(1, str(_ROOT / "vm"))

from harness import kernel_log  # noqa: E402


def module_file():
    """The module that belongs to the running kernel."""
    named = os.environ.get("KMC_MODULE")
    return pathlib.Path(named) if named else _ROOT / f".build/kernel-{os.uname().release}/kmod/kmemcache.ko"


def is_loaded():
    return pathlib.Path("/sys/module/kmemcache").exists()


def _call(number, *arguments):
    """A system call that Python has no name for. A program for each would be most of a cycle's time."""
    if _libc.syscall(number, *arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def load():
    """What insmod does."""
    file = os.open(module_file(), os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call(_FINIT_MODULE, file, b"", 0)
    finally:
        os.close(file)


def unload(within=10):
    """What rmmod does. On an idle machine it takes no longer than so many seconds, and it leaves nothing."""
    within, started = patient(within), time.monotonic()
    _call(_DELETE_MODULE, b"kmemcache", os.O_NONBLOCK)
    took = time.monotonic() - started
    check(took < within, f"rmmod took {took:.1f} s, expected less than {within} s")
    check(not is_loaded(), "the module is still there after rmmod")
    equal(caches(), [], "slab caches of the module after rmmod")
    no_threads()


def serve_at_once(wanted):
    """The module's parameter `direct`: whether requests are served where they come in. Returns what it was.

    A connection keeps what it was opened with."""
    switch = pathlib.Path("/sys/module/kmemcache/parameters/direct")
    before = switch.read_text() == "Y\n"
    switch.write_text("Y" if wanted else "N")
    return before


@contextlib.contextmanager
def work_items():
    """All new connections are served by work items meanwhile."""
    before = serve_at_once(False)
    try:
        yield
    finally:
        serve_at_once(before)


def ensure_loaded():
    if not is_loaded():
        load()


def caches():
    """Names of the module's slab caches; merged ones too, by their alias."""
    names = set(os.listdir("/sys/kernel/slab"))
    names |= {line.split()[0] for line in pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:]}
    return sorted(name for name in names if name.startswith(("kmc", "kmemcache")))


def threads():
    """Names of the module's kernel threads."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            name = entry.read_text().strip()
        except OSError:
            continue
        if name.startswith("kmcd"):
            found.append(name)
    return found


def no_threads():
    """No kernel thread of the module is left, but one that has ended and is on its way out of /proc."""
    limit = time.monotonic() + 60
    while left := threads():
        check(time.monotonic() < limit, f"kernel threads of the module: {left}")
        time.sleep(0.01)


def available_memory():
    """MemAvailable in bytes, when caches are dropped, and with what lies free in the CPUs' lists.

    The lists hold some 30 MB in a small guest, a different amount each time; with them it repeats within 1 MB.
    """
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    time.sleep(0.3)
    listed = re.findall(r"^\s+count:\s+(\d+)", pathlib.Path("/proc/zoneinfo").read_text(), re.M)
    return meminfo("MemAvailable") + os.sysconf("SC_PAGE_SIZE") * sum(map(int, listed))


def missing_memory(before, allowed):
    """By how many bytes less is available than `before`. What is given back a little later is not missing: looks again
    for a minute while that is not below `allowed`."""
    limit = time.monotonic() + 60
    while (missing := before - available_memory()) >= allowed and time.monotonic() < limit and not keeps_what_is_freed():
        time.sleep(1)
    return missing


def meminfo(name):
    """A row of /proc/meminfo in bytes."""
    return int(re.search(rf"^{name}:\s+(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.M).group(1)) << 10


def users():
    """How many hold the module: nobody, but while it is asked something."""
    return int(pathlib.Path("/sys/module/kmemcache/refcnt").read_text())


def no_users():
    """Nobody holds the module any more, now or soon."""
    limit = time.monotonic() + 60
    while count := users():
        check(time.monotonic() < limit, f"{count} hold the module")
        time.sleep(0.01)


def keeps_what_is_freed():
    """Whether memory that was freed is not there yet: KASAN keeps it for a while, to see who uses it still."""
    return " kasan_poison\n" in pathlib.Path("/proc/kallsyms").read_text()


def interface_exists(name):
    return pathlib.Path(f"/sys/class/net/{name}").exists()


# Patterns of bad lines that a suite expects; vm/run is told the same with --allow-log.
expected_lines = []


class Log:
    """The kernel's log from the moment this is made. What it complains of, the harness judges in the end, too; here
    the complaint is known to belong to one test."""

    def __init__(self):
        self._descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def complaints(self):
        """What is bad among the lines since the last call, as text."""
        data = b""
        while True:
            try:
                data += os.read(self._descriptor, 16384)
            except BlockingIOError:
                return [str(record) for record in kernel_log.faults(kernel_log.parse(data), "", expected_lines)]
            except BrokenPipeError:
                continue  # overtaken by newer records
