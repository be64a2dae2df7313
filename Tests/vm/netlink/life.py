# SPDX-License-Identifier: MIT
"""Life of instances as the netlink door shows it: events, attachment, many at once, namespaces that end."""

import contextlib
import errno
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from lib import kernel
from lib import kmcnl as k
from lib.guest import enter, in_child, in_namespace
from lib.kmcnl import test
from lib.tap import below, check, equal

SUBSCRIBERS_MAX = 1024  # kmod/event.c
SMALL = (k.u64(k.KMC_S_MEMORY_LIMIT, 1 << 20), k.u32(k.KMC_S_ITEM_SIZE_MAX, 1 << 16),
         k.u32(k.KMC_S_SLAB_CHUNK_MAX, 1 << 15), k.u32(k.KMC_S_HASHPOWER, 12))
EVERYWHERE = k.u32(k.KMC_A_FLAGS, k.KMC_LIST_F_ALL_NETNS)


def until(condition, what, seconds=60):
    """Wait for condition() to become true."""
    started = time.monotonic()
    while not condition():
        check(time.monotonic() - started < seconds, f"not within {seconds} s: {what}")
        time.sleep(0.01)


def event(netlink):
    """The next event: (event, id, name, reason)."""
    found = netlink.receive_event()
    return tuple(found.get(kind) and k.number(found[kind]) for kind in (k.KMC_A_EVENT, k.KMC_A_ID)) + (
        k.text(found[k.KMC_A_NAME]), k.number(found[k.KMC_A_REASON]) if k.KMC_A_REASON in found else None)


def talk(port, line=b"version\r\n"):
    """One request on a connection of its own; b"" when nobody answers."""
    with socket.socket() as client:
        client.settimeout(60)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(line)
            return client.recv(100)
        except OSError:
            return b""


@test("start and stop are told to the group and to subscribers, each with its reason")
def _():
    netlink, member, subscriber, stranger = k.Netlink(), k.Netlink(), k.Netlink(), k.Netlink()

    def told(one, reason):
        # What is no longer listed may not have been told of yet: only now may the next one start.
        for listening in (member, subscriber):
            equal([event(listening) for _ in range(2)], [(k.KMC_EVENT_STARTED, one["id"], one["name"], None),
                                                         (k.KMC_EVENT_STOPPED, one["id"], one["name"], reason)], "events")
        until(lambda: not netlink.list(), "the end")
    member.join()
    subscriber.ask(k.KMC_CMD_SUBSCRIBE)
    subscriber.ask(k.KMC_CMD_SUBSCRIBE)  # twice is once
    with k.listen_tcp() as sock:
        port = sock.getsockname()[1]
        by_request = netlink.new([sock], name="by.request")
        netlink.delete(by_request["id"])
        told(by_request, k.KMC_REASON_REQUEST)
        by_client = netlink.new([sock], k.u8(k.KMC_S_SHUTDOWN_ENABLED, 1), name="by.client")
        talk(port, b"shutdown\r\n")
        told(by_client, k.KMC_REASON_CLIENT)
        graceful = netlink.new([sock], k.u8(k.KMC_S_SHUTDOWN_ENABLED, 1), name="graceful")
        talk(port, b"shutdown graceful\r\n")
        told(graceful, k.KMC_REASON_CLIENT_GRACEFUL)
        owner = k.Netlink()
        by_owner = owner.new([sock], name="by.owner", attached=True)
        owner.close()
        told(by_owner, k.KMC_REASON_OWNER)
    stranger.socket.settimeout(0.1)
    try:
        stranger.socket.recv(100)
        check(False, "someone who never asked was told")
    except TimeoutError:
        pass


@test("events stay in their namespace")
def _():
    outside = k.Netlink()
    outside.join()

    def child():
        netlink = k.Netlink()
        netlink.join()
        with k.listen_tcp() as sock:
            one = netlink.new([sock], name="inside")
            equal(event(netlink)[2], "inside", "name")
            netlink.delete(one["id"])
    in_namespace(child)
    with k.listen_tcp() as sock:
        outside.delete(outside.new([sock], name="outside")["id"])
    equal(event(outside)[2], "outside", "the first event heard outside")


@test("unloading is told as the reason")
def _():
    member = k.Netlink()
    member.join()
    with k.listen_tcp() as sock:
        one = member.new([sock])
        equal(event(member)[0], k.KMC_EVENT_STARTED, "event")
        kernel.unload()
        kernel.load()
        equal(event(member), (k.KMC_EVENT_STOPPED, one["id"], one["name"], k.KMC_REASON_UNLOAD), "event")


@test("unloading is told of every instance, to each of many subscribers, before the module goes")
def unload_is_told():
    subscribers = [k.Netlink() for _ in range(200)]
    with contextlib.ExitStack() as opened:
        ids = [subscribers[0].new([opened.enter_context(k.listen_tcp())], *SMALL)["id"] for _ in range(12)]
        for subscriber in subscribers:
            subscriber.ask(k.KMC_CMD_SUBSCRIBE)
        kernel.unload()
        kernel.load()
        for subscriber in subscribers:
            heard = [event(subscriber) for _ in ids]
            equal(sorted(one[1] for one in heard), ids, "ids")
            equal({(one[0], one[3]) for one in heard}, {(k.KMC_EVENT_STOPPED, k.KMC_REASON_UNLOAD)}, "events")
            subscriber.close()


@test("so many sockets may subscribe, and no more until one of them goes")
def _():
    subscribers = [k.Netlink() for _ in range(SUBSCRIBERS_MAX + 1)]
    *all_, last = subscribers
    for subscriber in all_:
        subscriber.ask(k.KMC_CMD_SUBSCRIBE)
    try:
        last.ask(k.KMC_CMD_SUBSCRIBE)
        check(False, "one more was taken")
    except k.Refused as refusal:
        equal(refusal.errno, errno.ENOSPC, "errno")
    all_[0].ask(k.KMC_CMD_SUBSCRIBE)  # it is one of them
    all_.pop().close()
    last.ask(k.KMC_CMD_SUBSCRIBE)
    for subscriber in [*all_, last]:
        subscriber.close()


@test("an attached instance outlives a fork, and ends with the last copy of its socket")
def _():
    netlink, owner = k.Netlink(), k.Netlink()
    with k.listen_tcp() as sock:
        port = sock.getsockname()[1]
        owner.new([sock], attached=True)
    copy = os.dup(owner.socket.fileno())
    owner.close()
    time.sleep(0.2)
    check(talk(port), "it ended though its socket is open")
    os.close(copy)
    check(not talk(port), "it still lets clients in when close() has returned")
    until(lambda: not netlink.list(), "the end of the instance")


@test("a port id that is used again does not end someone else's instance", timeout=120)
def _():
    watcher = k.Netlink()
    portid = 0x4b4d4301
    for _ in range(40):
        first, second = k.Netlink(portid), None
        with k.listen_tcp() as one, k.listen_tcp() as other:
            first.new([one], attached=True)
            closer = threading.Thread(target=first.close)
            closer.start()
            while not second:
                try:
                    second = k.Netlink(portid)
                except OSError as problem:
                    equal(problem.errno, errno.EADDRINUSE, "errno of bind()")
            kept = second.new([other], attached=True)
            closer.join()
        until(lambda: [found["id"] for found in watcher.list()] == [kept["id"]], "only the second is left")
        second.close()
        until(lambda: not watcher.list(), "the end of the second")


@test("hundreds of instances are listed page by page, in order, whole", timeout=240)
def _():
    netlink = k.Netlink()
    made = []
    for number in range(300):
        with k.listen_unix(f"\0kmc-many-{number}" + "x" * 60) as sock:
            made.append(netlink.new([sock], *SMALL, name=f"many.{number}")["id"])
    equal(made, sorted(made), "ids")
    equal([found["id"] for found in netlink.list()], made, "ids listed")
    for id_ in made[::2]:
        netlink.delete(id_)
    equal([found["id"] for found in netlink.list()], made[1::2], "ids listed")
    for id_ in made[1::2]:
        netlink.delete(id_)


@test("statistics come page by page, and as a client sees them")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as sock:
        one = netlink.new([sock], pid=4711)
        port = sock.getsockname()[1]
        talk(port, b"set key 0 0 1\r\n1\r\n")
        equal(talk(port, b"get key\r\n"), b"VALUE key 0 1\r\n1\r\nEND\r\n", "answer")
        rows = netlink.stats(one["id"])
        for name, value in {"pid": "4711", "cmd_set": "1", "get_hits": "1", "curr_items": "1", "total_connections": "2"}.items():
            equal(rows.get(name), value, name)
        equal(netlink.stats(one["id"], "settings")["maxconns"], "1024", "maxconns")
        try:
            netlink.stats(one["id"], "nonsense")
            check(False, "a group that does not exist was shown")
        except k.Refused as refusal:
            equal(refusal.errno, errno.ENOENT, "errno")
        netlink.delete(one["id"])


@test("asking, making and ending from many sockets at once", timeout=180)
def _():
    def worker(number):
        netlink = k.Netlink()
        for _ in range(20):
            with k.listen_tcp() as sock:
                one = netlink.new([sock], *SMALL)
            others = [found["id"] for found in netlink.list()]
            check(one["id"] in others, "not listed")
            for id_ in others:
                for ask in (netlink.stats, netlink.get) if number % 2 else (netlink.get,):
                    try:
                        ask(id_)
                    except k.Refused as refusal:
                        equal(refusal.errno, errno.ENOENT, "errno")
            netlink.delete(one["id"])

    def child(number):
        in_child(lambda: worker(number))
    failures = []

    def guarded(number):
        try:
            child(number)
        except RuntimeError as problem:
            failures.append(str(problem))
    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [], "failures")
    equal(k.Netlink().list(), [], "instances left")


@test("a stopped caller's DEL can be killed, and the instance ends all the same")
def _():
    netlink = k.Netlink()
    with k.listen_tcp() as sock:
        one = netlink.new([sock])
        asker = os.fork()
        if not asker:
            k.Netlink().delete(one["id"])
            os._exit(0)
        os.kill(asker, signal.SIGKILL)
        os.waitpid(asker, 0)
        try:
            netlink.delete(one["id"])
        except k.Refused as refusal:
            equal(refusal.errno, errno.ENOENT, "errno")
        equal(netlink.list(), [], "instances left")


def _orphaned(netlink):
    """An instance whose namespace is deleted; the seconds from its own end to that of the namespace."""
    name = f"kmc-{os.getpid()}"
    place = f"/run/netns/{name}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    inode = os.stat(place).st_ino
    # A veth pair tells when the namespace is gone: its end here goes with the end there.
    pair = f"kmc{os.getpid() % 100000}"
    subprocess.run(["ip", "link", "add", pair, "type", "veth", "peer", "name", "kmcinside", "netns", name], check=True)

    def child():
        enter(place)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        inner = k.Netlink()
        with k.listen_tcp(port=11399) as sock:
            inner.new([sock], name="orphan")
        with socket.create_connection(("127.0.0.1", 11399)) as client:
            client.sendall(b"set key 0 0 1\r\n1\r\n")
            equal(client.recv(100), b"STORED\r\n", "answer")
    in_child(child)
    subprocess.run(["ip", "netns", "del", name], check=True)
    time.sleep(1.5)
    found = netlink.list(EVERYWHERE)
    equal([(one["name"], one["netns"]) for one in found], [("orphan", inode)], "instances of all namespaces")
    check(os.path.exists(f"/sys/class/net/{pair}"), "the namespace is gone though its instance lives")
    netlink.delete(found[0]["id"], EVERYWHERE)
    started = time.monotonic()
    until(lambda: not os.path.exists(f"/sys/class/net/{pair}"), "the end of the namespace")
    return time.monotonic() - started


@test("a namespace lives as long as its instance, and is gone within a second after it", timeout=120)
def _():
    subprocess.run(["modprobe", "veth"], check=True)
    netlink = k.Netlink()
    below(1, "from the end of an instance to that of its namespace", lambda: _orphaned(netlink))
    check(pathlib.Path("/sys/module/kmemcache").exists(), "the module is gone")

