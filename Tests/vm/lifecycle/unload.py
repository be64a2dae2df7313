# SPDX-License-Identifier: MIT
"""rmmod at bad moments: it ends soon, closes everybody, and nothing is left."""

import subprocess
import time

from lib import kernel
from lib.load import Load
from lib.server import Server, free_port, succeed
from lib.tap import check, equal, test


def _halves():
    """Requests cut where the server holds something for them: a line, a small, a large, a chunked value."""
    return (b"ge", b"get " + b"key " * 1000, b"set a 0 0 10\r\n", b"set a 0 0 10\r\n12345", b"set a 0 0 10\r\n1234567890\r",
            b"set b 0 0 100000\r\n" + b"b" * 50000, b"set c 0 0 900000\r\n" + b"c" * 600000,
            b"append a 0 0 5000\r\n" + b"d" * 4999, b"cas a 0 0 700000 1\r\n" + b"e" * 699999)


def _unread(wire):
    """Ask for more than the connection can take, and read nothing."""
    wire.set(b"large", b"L" * 500000)
    wire.socket.setblocking(False)
    try:
        for _ in range(100):
            wire.send(b"get large large large\r\n")
    except BlockingIOError:
        pass
    wire.socket.setblocking(True)
    wire.socket.settimeout(20)


@test("rmmod: clients in the middle of a set, others that read nothing, over TCP and unix", needs="module")
def middle():
    kernel.ensure_loaded()
    with Server() as tcp, Server(unix=True) as unix:
        halves, silent, unread = [], [], []
        for each in (tcp, unix):
            for request in _halves():
                wire = each.wire()
                wire.send(request)
                halves.append(wire)
            silent += [each.wire() for _ in range(20)]
            unread.append(each.wire())
            _unread(unread[-1])
        time.sleep(0.3)
        tcp.forget()
        unix.forget()
        kernel.unload()
        tcp.gone(within=0.1)
        unix.gone(within=0.1)
        for wire in halves + silent:
            equal(wire.closed(within=2), b"", "bytes after rmmod")
        for wire in unread:
            # What is on its way may still come; then it ends.
            wire.closed(within=10)
    kernel.load()


@test("rmmod: under load over TCP and unix, five times", needs="module", timeout=90)
def under_load():
    kernel.ensure_loaded()
    for _ in range(5):
        with Server() as tcp, Server(unix=True) as unix, Load(tcp.endpoint, unix.endpoint) as load:
            check(load.wait_for_rounds(30), "clients do not get on")
            tcp.forget()
            unix.forget()
            kernel.unload()
            tcp.gone(within=0.1)
            equal(load.counts()["wrong"], [], "wrong answers")
        kernel.load()


@test("rmmod: a full cache of 64 MiB is given back", needs="module")
def full():
    kernel.ensure_loaded()
    kernel.unload()
    before = kernel.available_memory()
    kernel.load()
    with Server("-m", "64") as one:
        with one.wire() as wire:
            for number in range(160):
                wire.set(b"full-%d" % number, b"f" * 500000)
            check(int(wire.stats()["evictions"]) > 0, "the cache did not get full")
            during = kernel.available_memory()
            check(before - during > 50 << 20, f"only {(before - during) >> 20} MiB in use by a full cache of 64 MiB")
        one.forget()
        kernel.unload()
    drift = kernel.missing_memory(before, 4 << 20)
    check(drift < 4 << 20 or kernel.keeps_what_is_freed(), f"{drift >> 10} KiB are missing after rmmod")
    kernel.load()


@test("rmmod: the program itself, with an instance and without", needs="module")
def program():
    kernel.ensure_loaded()
    for instances in (1, 0):
        for _ in range(instances):
            succeed("-p", free_port())
        done = subprocess.run(["rmmod", "kmemcache"], capture_output=True, text=True, timeout=60)
        equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "rmmod: status and words")
        check(not kernel.is_loaded(), "the module is there after rmmod")
        subprocess.run(["insmod", kernel.module_file()], check=True, timeout=60)


@test("rmmod: in the middle of starting instances", needs="module")
def starting():
    kernel.ensure_loaded()
    for delay in range(8):
        tools = [subprocess.Popen(["umemcached", "-p", str(free_port()), "-l", "127.0.0.1"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) for _ in range(4)]
        time.sleep(delay * 0.05)
        kernel.unload()
        for tool in tools:
            said = b"".join(tool.communicate(timeout=60))
            check(tool.returncode in (0, 71) and said.count(b"\n") == 1, f"status {tool.returncode}, {said!r}")
        kernel.load()
