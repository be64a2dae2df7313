# SPDX-License-Identifier: GPL-2.0
"""Instances of a memory cgroup in which something cannot be charged."""

import contextlib
import pathlib
import socket
import time

from faults import PARAMETERS, fail, sites
from lib import cgroups
from lib import kmcnl as k
from lib.tap import check, equal
from lib.wire import Wire

MIB = 1 << 20


@contextlib.contextmanager
def _instance(sock, *settings):
    """One that is charged to a group of its own; gives the group."""
    netlink = k.Netlink()
    with cgroups.group() as group:
        group.join()
        try:
            one = netlink.new([sock], *settings)
        finally:
            (cgroups.ROOT / "cgroup.procs").write_text(str(pathlib.Path("/proc/self").readlink()))
        try:
            yield group
        finally:
            netlink.delete(one["id"])


def _site(function):
    found, = [site for site in sites() if site.endswith(f" {function}")]
    return found


def uncharged():
    """What came before a connection is accepted is charged then."""
    site = _site("__sk_mem_schedule")
    with k.listen_tcp() as sock, socket.create_connection(sock.getsockname(), timeout=20) as first:
        first.sendall(b"version\r\n")
        fail(1, site)
        with _instance(sock):
            with contextlib.suppress(ConnectionResetError):
                equal(first.recv(100), b"", "answer")
            equal(sites()[site][1], 1, f"failures of {site}")
            fail(0)
            with Wire(sock.getsockname()) as second:
                second.alive()


def no_room():
    """With less than 2 MiB left the cache asks the cgroup for that much, and gives up pages until it is there."""
    site, value = _site("kvmalloc_node"), bytes(900_000)
    with k.listen_tcp() as sock, _instance(sock) as group:
        with Wire(sock.getsockname()) as wire:
            for number in range(24):
                wire.set(b"k%d" % number, value)
            full = group.current()
            fail(0, site)
            (PARAMETERS / "burst").write_text("1000000")
            group.limit(full + MIB)
            limit = time.monotonic() + 100
            while group.current() > full - 4 * MIB:
                check(time.monotonic() < limit, f"{group.current()} bytes, {full} before")
                time.sleep(0.05)
            check(sites()[site][1] > 0, f"{site} was not asked")
            wire.set(b"another", value)
            wire.alive()
        (PARAMETERS / "burst").write_text("0")
        fail(0)
        equal(group.row("memory.events", "oom_kill"), 0, "processes killed")
