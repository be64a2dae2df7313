# SPDX-License-Identifier: MIT
"""Who may ask: CAP_NET_ADMIN in the caller's namespace, and on the host for a look into all of them."""

import errno
import os
import socket

from lib import kmcnl as k
from lib.guest import CLONE_NEWNET, CLONE_NEWUSER, in_child, in_namespace, leave_chroot, unshare, without_rights
from lib.kmcnl import test
from lib.tap import check, equal

EVERYWHERE = k.u32(k.KMC_A_FLAGS, k.KMC_LIST_F_ALL_NETNS)
COMMANDS = (k.KMC_CMD_NEW, k.KMC_CMD_DEL, k.KMC_CMD_GET, k.KMC_CMD_LIST, k.KMC_CMD_STATS, k.KMC_CMD_SUBSCRIBE,
            k.KMC_CMD_SET, k.KMC_CMD_LISTENERS, k.KMC_CMD_STREAM_OPEN, k.KMC_CMD_STREAM_READ, k.KMC_CMD_STREAM_WRITE,
            k.KMC_CMD_STREAM_CLOSE, k.KMC_CMD_AUTH)


def refused(expected, body):
    """body() must be refused with `expected`."""
    try:
        body()
    except OSError as refusal:
        equal(errno.errorcode[refusal.errno], errno.errorcode[expected], "errno")
        return
    check(False, "it was not refused")


@test("without CAP_NET_ADMIN every command is refused")
def _():
    def child():
        netlink = k.Netlink()
        for command in COMMANDS:
            refused(errno.EPERM, lambda: netlink.ask(command))
            refused(errno.EPERM, lambda: netlink.ask(command, b"\xff" * 64))
    without_rights(child)


@test("a privileged socket in the hands of someone without rights is no key")
def _():
    netlink = k.Netlink()
    without_rights(lambda: refused(errno.EPERM, lambda: netlink.ask(k.KMC_CMD_LIST)))


@test("joining the event group takes CAP_NET_ADMIN")
def _():
    k.Netlink().join()

    def child():
        refused(errno.EPERM, lambda: k.Netlink().join())
    without_rights(child)


@test("root of a namespace serves there, and sees nothing else", timeout=120)
def _():
    outside = k.Netlink()
    with k.listen_tcp() as sock:
        one = outside.new([sock])

        def child():
            if os.environ.get("KMC_VM"):
                leave_chroot()
            unshare(CLONE_NEWUSER | CLONE_NEWNET)
            netlink = k.Netlink()
            equal(netlink.list(), [], "instances seen")
            refused(errno.ENOENT, lambda: netlink.delete(one["id"]))
            refused(errno.EPERM, lambda: netlink.list(EVERYWHERE))
            refused(errno.EPERM, lambda: netlink.delete(one["id"], EVERYWHERE))
            # Its loopback is down; a unix socket needs none.
            with k.listen_unix("\0kmc-inside") as inside, socket.socket(socket.AF_UNIX) as client:
                # What outlives its maker is not for tenants.
                refused(errno.EPERM, lambda: netlink.new([inside], name="mine"))
                mine = netlink.new([inside], name="mine", attached=True)
                equal([found["id"] for found in netlink.list()], [mine["id"]], "instances seen")
                client.connect("\0kmc-inside")
                client.sendall(b"version\r\n")
                check(client.recv(100).startswith(b"VERSION"), "no answer")
                netlink.delete(mine["id"])
        in_child(child)
        equal([found["id"] for found in outside.list()], [one["id"]], "instances")
        outside.delete(one["id"])


@test("from the host every instance is listed and can be stopped")
def _():
    outside = k.Netlink()
    ready_read, ready_write = os.pipe()
    done_read, done_write = os.pipe()
    if not os.fork():
        try:
            def child():
                netlink = k.Netlink()
                with k.listen_tcp() as sock:
                    os.write(ready_write, b"%d\n" % netlink.new([sock], name="inside")["id"])
                os.read(done_read, 1)
            in_namespace(child)
        finally:
            os._exit(0)
    inside = int(os.read(ready_read, 20))
    equal(outside.list(), [], "instances of the host's own namespace")
    everywhere = outside.list(EVERYWHERE)
    equal([found["id"] for found in everywhere], [inside], "instances of all namespaces")
    check(everywhere[0]["netns"] != os.stat("/proc/self/ns/net").st_ino, "its namespace is not told")
    equal(outside.get(inside, EVERYWHERE)["name"], "inside", "name")
    refused(errno.ENOENT, lambda: outside.get(inside))
    refused(errno.ENOENT, lambda: outside.delete(inside))
    outside.delete(inside, EVERYWHERE)
    equal(outside.list(EVERYWHERE), [], "instances left")
    os.write(done_write, b".")
    os.wait()
