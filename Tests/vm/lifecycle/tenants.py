# SPDX-License-Identifier: MIT
"""Whose memory an instance's is: the cgroup of whoever started it, for pages, index and connections' buffers."""

import contextlib
import signal
import subprocess
import tempfile
import time

from lib import cgroups, server
from lib.server import succeed
from lib.tap import check, equal, patient, test
from lib.wire import Wire

MIB = 1 << 20


@contextlib.contextmanager
def _started(group, *options, unix=None):
    """An attached server whose process is in the cgroup: where it serves, and its process."""
    endpoint = unix or ("127.0.0.1", server.free_port())
    where = ["-s", unix] if unix else ["-l", "127.0.0.1", "-p", str(endpoint[1])]
    command = ["umemcached", "--foreground", *where, *map(str, options)]
    process = subprocess.Popen(command, preexec_fn=group.join, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        check("serves on" in process.stdout.readline(), "does not serve")
        yield endpoint, process
    finally:
        process.kill()
        process.wait()


def _fill(endpoint, count, size=900_000):
    """Store so many large values; returns how many were kept."""
    kept = 0
    with Wire(endpoint) as wire:
        for number in range(count):
            wire.send(b"set k%d 0 0 %d\r\n" % (number, size) + bytes(size) + b"\r\n")
            kept += wire.line() == b"STORED"
    return kept


def _wait_until(condition, seconds, text):
    """Until what takes an idle machine no longer than so many seconds."""
    limit = time.monotonic() + patient(seconds)
    while not condition():
        check(time.monotonic() < limit, text() if callable(text) else text)
        time.sleep(0.02)


@test("tenants: slab pages and index are the starter's, attached or not, and go with the instance", needs="module",
      timeout=120)
def pages():
    with cgroups.group() as group:
        with _started(group, "-m", 256, "-o", "hashpower=20") as (endpoint, process):
            begin = group.current()
            # 2^20 buckets of 4 bytes at least
            check(begin > 4 * MIB, f"the index is not charged: {begin} bytes")
            equal(_fill(endpoint, 64), 64, "values kept")
            grown = group.current() - begin
            check(grown > 50 * MIB, f"64 values of 900,000 bytes have charged {grown} bytes")
            process.send_signal(signal.SIGKILL)
            process.wait()
            _wait_until(lambda: group.held() < 2 * MIB, 5, lambda: f"{group.held()} bytes stay charged")
        port = server.free_port()
        succeed("-p", port, "-l", "127.0.0.1", "-m", 256, preexec_fn=group.join)
        begin = group.current()
        # What is in reserve is charged before it is used.
        _fill(("127.0.0.1", port), 48)
        check(group.current() - begin > 24 * MIB, "a detached instance's pages are not charged to its starter")
        succeed("stop", port)
        _wait_until(lambda: group.held() < 2 * MIB, 5, lambda: f"{group.held()} bytes stay charged")


def _pull(endpoint, count):
    """Clients that ask for a large value again and again, and read nothing."""
    clients = []
    for _ in range(count):
        client = Wire(endpoint)
        # Sent at once: part of it is there before the connection is accepted.
        client.send(b"get k0\r\n" * 20)
        clients.append(client)
    return clients


def _close(clients):
    for client in clients:
        client.close()


@test("tenants: buffers of TCP connections are the starter's, whatever came before they were accepted",
      needs="module", timeout=120)
def tcp_buffers():
    with cgroups.group() as group, _started(group, "-m", 64) as (endpoint, _):
        _fill(endpoint, 1)
        begin = group.row("memory.stat", "sock")
        clients = _pull(endpoint, 20)
        _wait_until(lambda: group.row("memory.stat", "sock") - begin > 4 * MIB, 10,
                    lambda: f"replies that nobody reads charge {group.row('memory.stat', 'sock') - begin} bytes")
        _close(clients)
        _wait_until(lambda: group.row("memory.stat", "sock") <= begin, 10,
                    lambda: f"{group.row('memory.stat', 'sock')} bytes stay charged, {begin} before")


@test("tenants: buffers of unix connections are the starter's, also of replies made in the client's task",
      needs="module", timeout=120)
def unix_buffers():
    with tempfile.TemporaryDirectory() as folder, cgroups.group() as group, \
            _started(group, "-m", 64, unix=f"{folder}/s") as (endpoint, _):
        _fill(endpoint, 1)
        begin = group.current()
        clients = _pull(endpoint, 40)
        _wait_until(lambda: group.current() - begin > 4 * MIB, 10,
                    lambda: f"replies that nobody reads charge {group.current() - begin} bytes")
        _close(clients)
        _wait_until(lambda: group.current() < begin + MIB, 10,
                    lambda: f"{group.current()} bytes stay charged, {begin} before")


@test("tenants: what a connection itself takes, half a line included, is the starter's", needs="module", timeout=120)
def connections():
    with tempfile.TemporaryDirectory() as folder, cgroups.group() as group, \
            _started(group, "-m", 64, unix=f"{folder}/s") as (endpoint, _):
        begin = group.row("memory.stat", "slab")
        clients = [Wire(endpoint) for _ in range(500)]
        for client in clients:
            client.send(b"get half")
        # 2 KiB for the line at least
        _wait_until(lambda: group.row("memory.stat", "slab") - begin > MIB, 10,
                    lambda: f"500 connections charge {group.row('memory.stat', 'slab') - begin} bytes")
        _close(clients)
        _wait_until(lambda: group.row("memory.stat", "slab") < begin + MIB // 2, 10,
                    lambda: f"{group.row('memory.stat', 'slab')} bytes stay charged, {begin} before")


def _crowd(group, endpoint, process):
    """Fill the cache beyond what its cgroup may have, with readers that leave their replies, and judge."""
    group.limit(group.current() + 48 * MIB)
    kept = _fill(endpoint, 120)
    check(kept > 100, f"{kept} of 120 values were kept for a while")
    clients = _pull(endpoint, 40)
    with Wire(endpoint) as wire:
        wire.alive()
        check(int(wire.stats()["evictions"]) > 0, "nothing was evicted")
        # Room is left for whoever else lives there: a program of some size starts and ends.
        done = subprocess.run(["sh", "-c", "head -c 300000 /dev/zero | wc -c"], preexec_fn=group.join, capture_output=True,
                              check=False)
        equal((done.returncode, done.stdout.strip()), (0, b"300000"), "a program in the full cgroup")
        kept = _fill(endpoint, 30)
        check(kept > 15, f"{kept} of 30 values were kept for a while, with replies that nobody reads")
        _close(clients)
        wire.alive()
    equal(process.poll(), None, "the tool's status")
    equal(group.row("memory.events", "oom_kill"), 0, "processes killed")


@test("tenants: a full cgroup makes the cache evict; nobody is killed (TCP)", needs="module", timeout=180)
def full_tcp():
    with cgroups.group() as group, _started(group, "-m", 256) as (endpoint, process):
        _crowd(group, endpoint, process)


@test("tenants: a full cgroup makes the cache evict; nobody is killed (unix)", needs="module", timeout=180)
def full_unix():
    with tempfile.TemporaryDirectory() as folder, cgroups.group() as group, \
            _started(group, "-m", 256, unix=f"{folder}/s") as (endpoint, process):
        _crowd(group, endpoint, process)


@test("tenants: the cache gives pages back when its cgroup is given less", needs="module", timeout=180)
def less():
    with cgroups.group() as group, _started(group, "-m", 256) as (endpoint, process):
        begin = group.current()
        equal(_fill(endpoint, 64), 64, "values kept")
        # Not below what is there: that would be the kernel's to enforce, by killing.
        group.limit(group.current() + MIB)
        _wait_until(lambda: group.current() < begin + 60 * MIB, 30, lambda: f"{group.current()} bytes, {begin} without values")
        with Wire(endpoint) as wire:
            wire.alive()
        equal((process.poll(), group.row("memory.events", "oom_kill")), (None, 0), "the tool's status, processes killed")
