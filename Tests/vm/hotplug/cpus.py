# SPDX-License-Identifier: MIT
"""CPUs that go and come back while clients of all transports are served; in a guest of several only.

The kernel changes its code then, so QEMU 7.2 may trap for ever (docs/testing.md): nothing for CI.
"""

import os
import pathlib
import random
import tempfile
import time

from lib import kernel
from lib import kmcnl as k
from lib.datagrams import Datagrams, listen_udp
from lib.load import Load
from lib.tap import check, equal, test
from lib.wire import Wire

ROUNDS = int(os.environ.get("KMC_HOTPLUG_ROUNDS", "12"))
SEED = 5
SYSTEM = pathlib.Path("/sys/devices/system/cpu")


def _turn(cpu, on):
    (SYSTEM / f"cpu{cpu}/online").write_text(str(int(on)))
    equal((SYSTEM / f"cpu{cpu}/online").read_text().strip(), str(int(on)), f"state of CPU {cpu}")


def _others():
    """All that can go: not the first."""
    return [cpu for cpu in range(1, os.cpu_count()) if (SYSTEM / f"cpu{cpu}/online").exists()]


def _kept(wire, datagrams, values):
    """What was stored before is there, over streams and datagrams."""
    equal({key: data for key, (_, data, _) in wire.get(*values).items()}, values, "values")
    key, data = next(iter(values.items()))
    equal(datagrams.ask(b"get %s\r\n" % key), b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(data), data), "value over UDP")


def _go_and_come(dice, cpus, step):
    """Some go, one by one; step() while they are away; they come back in another order."""
    gone = dice.sample(cpus, dice.randint(1, len(cpus)))
    for cpu in gone:
        _turn(cpu, False)
        step()
    for cpu in dice.sample(gone, len(gone)):
        _turn(cpu, True)
        step()


@test(f"CPUs go and come {ROUNDS} times under TCP, unix and UDP: nothing is lost, and the module goes in peace", needs="module", timeout=600)
def go_and_come():
    cpus = _others()
    check(cpus, "no CPU that can go: the guest needs several")
    kernel.ensure_loaded()
    values = {b"kept%d" % number: bytes([65 + number]) * (1 + 300 * number) for number in range(20)}
    dice = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder, k.listen_tcp() as tcp, k.listen_unix(f"{folder}/socket") as unix, listen_udp() as udp:
        netlink = k.Netlink()
        one = netlink.new([tcp, unix, udp])
        with Wire(tcp.getsockname()) as wire, Datagrams(udp.getsockname()) as datagrams, \
                Load(tcp.getsockname(), f"{folder}/socket", clients=3) as load:
            for key, data in values.items():
                wire.set(key, data)
            check(load.wait_for_rounds(50), "clients do not get on")

            def step():
                time.sleep(dice.random() / 10)
                check(load.wait_for_rounds(20), f"clients do not get on: {load.counts()}")
                _kept(wire, datagrams, values)
            try:
                for _ in range(ROUNDS):
                    _go_and_come(dice, cpus, step)
            finally:
                for cpu in cpus:
                    _turn(cpu, True)
            counts = load.counts()
        equal((counts["ends"], counts["wrong"]), (0, []), "connections that ended, wrong answers")
        netlink.delete(one["id"])
        netlink.close()
    print(f"# {counts['rounds']} rounds of 9 checked requests", flush=True)


@test("with CPUs away that have served, the module is unloaded and leaves nothing", needs="module", timeout=300)
def away():
    cpus = _others()
    check(cpus, "no CPU that can go: the guest needs several")
    kernel.ensure_loaded()
    with k.listen_tcp() as tcp, listen_udp() as udp:
        netlink = k.Netlink()
        netlink.new([tcp, udp])
        with Wire(tcp.getsockname()) as wire, Datagrams(udp.getsockname()) as datagrams:
            try:
                for cpu in cpus:
                    os.sched_setaffinity(0, {cpu})
                    wire.set(b"large", bytes(5000))
                    for _ in range(20):
                        wire.get(b"large")
                        datagrams.ask(b"get large\r\n")
                os.sched_setaffinity(0, {0})
                for cpu in cpus:
                    _turn(cpu, False)
                equal(wire.get(b"large")[b"large"][1], bytes(5000), "value")
                netlink.close()
                kernel.unload(within=60)
            finally:
                for cpu in cpus:
                    _turn(cpu, True)
                os.sched_setaffinity(0, set(range(os.cpu_count())))
    kernel.load()
