# SPDX-License-Identifier: MIT
"""What there is so much of on a machine: one tenant takes a share, and others find room."""

import contextlib
import ctypes
import errno
import os
import pathlib
import time

from lib import kmcnl as k
from lib.guest import CLONE_NEWNET, CLONE_NEWUSER, in_child, leave_chroot, unshare
from lib.kmcnl import test
from lib.tap import check, equal

SMALL = (k.u64(k.KMC_S_MEMORY_LIMIT, 2 << 20), k.u32(k.KMC_S_HASHPOWER, 12))
SHARE = 128
_PR_SET_DUMPABLE = 4
_libc = ctypes.CDLL(None)


def _as_user(user, body):
    """body() in a child that is root of its own namespaces, which that user of the host has made."""
    def inside():
        if os.environ.get("KMC_VM"):
            leave_chroot()
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        _libc.prctl(_PR_SET_DUMPABLE, 1)  # so that its /proc/self is its own
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {user} 1")):
            pathlib.Path(f"/proc/self/{name}").write_text(text)
        body()
    in_child(inside)


def _refused(body):
    try:
        body()
    except k.Refused as refusal:
        equal(refusal.errno, errno.EDQUOT, f"errno of {refusal}")
        check("user namespace" in (refusal.sentence or ""), f"sentence {refusal.sentence!r}")
        return
    check(False, "it was granted")


def _make(netlink, sockets, number):
    with k.listen_unix(f"\0kmc-share-{os.getpid()}-{number}") as sock:
        sockets.append(netlink.new([sock], *SMALL, name=f"share.{number}", attached=True))


def _takes_its_share_of_instances():
    made, netlink = [], k.Netlink()
    for number in range(SHARE):
        _make(netlink, made, number)
    _refused(lambda: _make(netlink, made, SHARE))
    _as_it_was(netlink, made)
    # Another namespace of the same owner is no other tenant, nor is one that was made inside.
    unshare(CLONE_NEWUSER | CLONE_NEWNET)
    inner = k.Netlink()
    _refused(lambda: _make(inner, made, SHARE))


def _as_it_was(netlink, made):
    """One goes, and one may come."""
    netlink.delete(made.pop()["id"])
    _make(netlink, made, SHARE + 1)


def _finds_room():
    made = []
    _make(k.Netlink(), made, 0)


def _beside(user, takes, check_others):
    """check_others() while a tenant has all it can."""
    ready, told = os.pipe()
    done, over = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(over)

            def body():
                takes()
                os.write(told, b"x")
                os.read(done, 1)
            _as_user(user, body)
            os._exit(0)
        except RuntimeError as problem:
            print("\n".join(f"# {line}" for line in str(problem).splitlines()), flush=True)
        finally:
            os._exit(1)
    os.close(told)
    os.close(done)
    try:
        took = os.read(ready, 1)
        if took:
            check_others()
    finally:
        os.close(over)
        os.close(ready)
        _, status = os.waitpid(child, 0)
    _until_all_are_gone()
    equal((took, status), (b"x", 0), "what the tenant said, and its status")


def _until_all_are_gone():
    """Instances end by and by when their owner has."""
    netlink, limit = k.Netlink(), time.monotonic() + 100
    while left := netlink.list(k.u32(k.KMC_A_FLAGS, k.KMC_LIST_F_ALL_NETNS)):
        check(time.monotonic() < limit, f"{len(left)} instances are left of tenants that have ended")
        time.sleep(0.02)


@test("a tenant has an eighth of the machine's instances, in however many namespaces; others, and the host, find room", timeout=240)
def _():
    def others():
        _as_user(1001, _finds_room)
        host, made = k.Netlink(), []
        for number in range(3):
            _make(host, made, number)
        for one in made:
            host.delete(one["id"])
    _beside(1000, _takes_its_share_of_instances, others)


@test("a tenant has an eighth of the subscriptions to events; others, and the host, find room")
def _():
    def takes():
        with contextlib.ExitStack() as stack:
            for _ in range(SHARE):
                stack.enter_context(contextlib.closing(k.Netlink())).ask(k.KMC_CMD_SUBSCRIBE)
            last = stack.enter_context(contextlib.closing(k.Netlink()))
            _refused(lambda: last.ask(k.KMC_CMD_SUBSCRIBE))
            keep.append(stack.pop_all())
    keep = []

    def others():
        _as_user(1001, lambda: k.Netlink().ask(k.KMC_CMD_SUBSCRIBE))
        host = k.Netlink()
        host.ask(k.KMC_CMD_SUBSCRIBE)
        host.close()
    _beside(1000, takes, others)
