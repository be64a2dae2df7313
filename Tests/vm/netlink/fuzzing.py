# SPDX-License-Identifier: MIT
"""Every command, attribute and nesting, and what random changes make of them, said by all who can reach the door."""

import errno
import os
import socket

from lib import kmcnl as k
from lib.guest import CLONE_NEWNET, CLONE_NEWUSER, in_child, leave_chroot, unshare, without_rights
from lib.kmcnl import test
from lib.mutants import Mutator, every
from lib.tap import check, equal

SOME, MANY = 3000, 100_000
ATTACHED = k.KMC_INSTANCE_F_ATTACHED


class Door:
    """What was asked, and that each answer is one that the contract knows."""

    def __init__(self):
        self.netlink = k.Netlink()
        self.refusals, self.asked, self.taken = {}, 0, 0

    def ask(self, command, data):
        self.asked += 1
        try:
            found = k.attrs(self.netlink._exchange(self.netlink.family, command, data))
        except k.Refused as refusal:
            check(0 < refusal.errno < 525, f"message {self.asked}, command {command}, {data.hex()}: errno {refusal.errno}")
            self.refusals[refusal.errno] = self.refusals.get(refusal.errno, 0) + 1
            return
        self.taken += 1
        if command == k.KMC_CMD_NEW:
            self.netlink.delete(k.instance(dict(found)[k.KMC_A_INSTANCE])["id"])

    def all(self, seed, count, descriptor):
        """All that there is to ask once, and `count` random messages; then the door must still be one."""
        for command, data in every():
            self.ask(command, data)
        mutator = Mutator(seed, descriptor)
        for _ in range(count):
            self.ask(*mutator.message())

    def tell(self, who):
        names = {errno.errorcode.get(number, number): count for number, count in sorted(self.refusals.items())}
        print(f"# {who}: {self.asked} messages, {self.taken} taken, refused: {names}", flush=True)


def _beside_another(child):
    """Run child(id) in a process of its own, beside an instance that must not notice."""
    netlink = k.Netlink()
    with k.listen_unix("\0kmc-bystander") as sock:
        one = netlink.new([sock], name="bystander")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect("\0kmc-bystander")
            child()
            client.sendall(b"version\r\n")
            check(client.recv(100).startswith(b"VERSION"), "the bystander does not answer")
            found = netlink.get(one["id"])
        equal((found["name"], found["conns"], found["state"]), ("bystander", 1, k.KMC_STATE_RUNNING), "the bystander")
        netlink.delete(one["id"])


def _nobody(seed, count):
    def child():
        door = Door()
        with k.listen_unix("\0kmc-nobody") as sock:
            door.all(seed, count, sock.fileno())
        door.tell("nobody")
        # The kernel itself looks whether there is such a command, and at the layout, before it asks for rights.
        equal((door.taken, set(door.refusals) <= {errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL, errno.ERANGE}), (0, True),
              f"messages taken, and how the others were refused: {door.refusals}")
        check(door.refusals[errno.EPERM] > door.asked // 2, f"refused for want of rights: {door.refusals}")
    without_rights(child)


def _tenant(seed, count):
    def child():
        if os.environ.get("KMC_VM"):
            leave_chroot()
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
        door = Door()
        with k.listen_unix("\0kmc-tenant") as sock:
            door.all(seed, count, sock.fileno())
        door.tell("root of a namespace")
        equal(door.netlink.list(), [], "instances left")
        check(door.taken > 0 and door.refusals[errno.EPERM] > 0, f"taken {door.taken}, refused {door.refusals}")
    in_child(child)


def _root(seed, count):
    door = Door()
    with k.listen_unix("\0kmc-root") as sock:
        door.all(seed, count, sock.fileno())
    door.tell("root")
    check(door.taken > 0, "nothing was taken")
    equal(door.netlink.list(), [], "instances left")


@test("every attribute of every command, and 3,000 random messages: from a user without rights", timeout=240)
def _():
    _beside_another(lambda: _nobody(1, SOME))


@test("every attribute of every command, and 3,000 random messages: from the root of a namespace", timeout=240)
def _():
    _beside_another(lambda: _tenant(2, SOME))


@test("every attribute of every command, and 3,000 random messages: from root", timeout=240)
def _():
    _root(3, SOME)


@test("100,000 random messages from each of them", timeout=2400, long=True)
def _():
    _beside_another(lambda: _nobody(11, MANY))
    _beside_another(lambda: _tenant(12, MANY))
    _root(13, MANY)
