# SPDX-License-Identifier: MIT
"""lru_crawler: its switches, crawls, and dumps, also for readers that take their time."""

import re
import time

from lib.peer import Peer
from lib.server import Server
from lib.tap import check, equal, test

# Nobody else takes out what is dead, nor says when the crawler goes.
BY_HAND = ("-o", "no_lru_maintainer,lru_crawler")
LIFE = 8  # seconds: longer than it takes to store what shall live so long
LINE = re.compile(rb"key=(\S+) exp=(-?\d+) la=(\d+) cas=(\d+) fetch=(yes|no) cls=(\d+) size=(\d+)( flags=\d+ )?")

# Both servers are asked this, in this order, and say the same.
WORDS = [
    b"lru_crawler", b"lru_crawler nonsense", b"lru_crawler disable", b"lru_crawler crawl 1",
    b"lru_crawler metadump all", b"lru_crawler enable", b"lru_crawler enable", b"lru_crawler sleep",
    b"lru_crawler sleep 200", b"lru_crawler sleep 1000001", b"lru_crawler sleep x", b"lru_crawler tocrawl",
    b"lru_crawler tocrawl 7", b"lru_crawler tocrawl x", b"lru_crawler crawl", b"lru_crawler crawl 0",
    b"lru_crawler crawl 99", b"lru_crawler crawl x", b"lru_crawler metadump", b"lru_crawler metadump 99",
    b"lru_crawler metadump x",
]


def _dump(wire, what=b"metadump all", end=b"END"):
    """The lines of a dump. That it begins with OK is new since Debian's memcached."""
    wire.send(b"lru_crawler " + what + b"\r\n")
    lines = [wire.raw_line()]
    while lines[-1] != end + b"\r\n":
        lines.append(wire.raw_line())
    return lines[lines[0] == b"OK\r\n":-1]


def _fill(wire):
    for number in range(20):
        wire.set(b"a%%b%d" % number, b"v" * (number * 40), flags=number, expiry=1000 if number % 2 else 0)
    wire.ask(b"get a%b3 a%b4\r\n", b"VALUE a%b3 3 120\r\n" + b"v" * 120 + b"\r\nVALUE a%b4 4 160\r\n" + b"v" * 160 + b"\r\nEND\r\n")


def _meaning(line):
    """What two servers must agree on, of a line of metadump."""
    found = LINE.fullmatch(line.rstrip(b"\n"))
    check(found, f"no line of metadump: {line!r}")
    key, expiry, access, _, fetched, number, size = found.groups()[:7]
    now = time.time()
    check(abs(int(access) - now) < 100, f"la={access}, it is {now}")
    check(expiry == b"-1" or abs(int(expiry) - now - 1000) < 100, f"exp={expiry}, it is {now}")
    return key, expiry == b"-1", fetched, number, size


def _disabled(wire):
    """memcached says OK before it is."""
    limit = time.monotonic() + 100
    while wire.stats(b"settings")["lru_crawler"] != "no":
        check(time.monotonic() < limit, "not disabled after 100 s")
        time.sleep(0.05)


@test("crawler: every refusal and every switch, word for word as memcached")
def words():
    with Peer("-o", "lru_crawler") as peer, peer.wire() as theirs, Server("-o", "lru_crawler") as one, one.wire() as ours:
        for line in WORDS:
            equal(ours.command(line), theirs.command(line), f"reply to {line!r}")
            if line.endswith(b" disable"):
                for wire in ours, theirs:
                    _disabled(wire)
        for wire in ours, theirs:
            rows = wire.stats(b"settings")
            equal([rows[name] for name in ("lru_crawler", "lru_crawler_sleep", "lru_crawler_tocrawl")], ["yes", "200", "7"], "settings")


@test("crawler: metadump tells the same lines as memcached")
def lines():
    with Peer(*BY_HAND) as peer, peer.wire() as theirs, Server(*BY_HAND) as one, one.wire() as ours:
        for wire in ours, theirs:
            _fill(wire)
        found, wanted = (sorted(_meaning(line) for line in _dump(wire)) for wire in (ours, theirs))
        equal(found, wanted, "metadump all")
        equal(len(found), 20, "lines")
        number = found[0][3]
        found, wanted = (sorted(_meaning(line) for line in _dump(wire, b"metadump " + number)) for wire in (ours, theirs))
        equal(found, wanted, "metadump of a class")
        check(0 < len(found) < 20, f"{len(found)} lines of class {number}")
        found, wanted = (sorted(_meaning(line) for line in _dump(wire, b"metadump hash")) for wire in (ours, theirs))
        equal(found, wanted, "metadump hash")


@test("crawler: mgdump tells what to ask for each item", needs="1.6.45")
def mgdump():
    with Server(*BY_HAND) as one, one.wire() as wire:
        _fill(wire)
        wire.ask(b"ms AP8K 1 b\r\nx\r\n", b"HD\r\n")
        lines = _dump(wire, b"mgdump all", b"EN")
        equal(sorted(lines), sorted([b"mg AP8K b\r\n"] + [b"mg a%%b%d\r\n" % number for number in range(20)]), "mgdump all")
        wire.send(b"".join(lines))
        for line in lines:
            equal(wire.line(), b"HD", f"reply to {line!r}")
        for word, answer in ((b"0", b"BADCLASS invalid class id"), (b"x", b"BADCLASS invalid class id"), (b"", b"ERROR")):
            equal(wire.command(b"lru_crawler mgdump " + word), answer, f"mgdump {word!r}")
        wire.ask(b"mg x v\r\nlru_crawler mgdump all\r\n", b"EN\r\nERROR cannot pipeline other commands before mgdump\r\n")
        wire.ask(b"lru_crawler disable\r\n", b"OK\r\n")
        _disabled(wire)
        wire.ask(b"lru_crawler mgdump all\r\n", b"CLIENT_ERROR lru crawler disabled\r\n")


@test("crawler: a crawl takes out what is dead, and only in the classes it is told")
def crawl():
    with Server(*BY_HAND) as one, one.wire() as wire:
        wire.send(b"".join(b"set short%d 0 %d 1 noreply\r\n1\r\nset long%d 0 %d 1000 noreply\r\n%s\r\n"
                           % (number, LIFE, number, LIFE, b"1" * 1000) for number in range(100)))
        wire.set(b"stays", b"1")
        small = [name.split(":")[0] for name in wire.stats(b"slabs") if name.endswith(":total_pages")][0]
        time.sleep(LIFE + 2)
        equal(wire.stats()["curr_items"], "201", "nobody else takes them out")
        wire.ask(b"lru_crawler crawl %s\r\n" % small.encode(), b"OK\r\n")
        wire.until("curr_items", 101)
        wire.until("lru_crawler_running", 0)
        rows = wire.stats(b"items")
        equal((rows[f"items:{small}:crawler_reclaimed"], rows[f"items:{small}:crawler_items_checked"]), ("100", "101"), "counts")
        wire.ask(b"lru_crawler crawl all\r\n", b"OK\r\n")
        wire.until("curr_items", 1)
        wire.until("lru_crawler_running", 0)
        rows = wire.stats()
        equal((rows["crawler_reclaimed"], rows["lru_crawler_starts"]), ("200", "2"), "counts")


@test("crawler: tocrawl bounds a crawl, sleep slows it", needs="module", timeout=120)
def pace():
    with Server(*BY_HAND) as one, one.wire() as wire:
        wire.send(b"".join(b"set key%d 0 %d 1 noreply\r\n1\r\n" % (number, LIFE) for number in range(300)))
        wire.alive()
        time.sleep(LIFE + 2)
        wire.ask(b"lru_crawler tocrawl 100\r\n", b"OK\r\n")
        wire.ask(b"lru_crawler sleep 0\r\n", b"OK\r\n")
        for left in (200, 100, 0):
            wire.ask(b"lru_crawler crawl all\r\n", b"OK\r\n")
            wire.until("lru_crawler_running", 0)
            wire.until("curr_items", left)
        wire.ask(b"lru_crawler tocrawl 0\r\n", b"OK\r\n")
        wire.ask(b"lru_crawler sleep 1000000\r\n", b"OK\r\n")
        for number in range(10000):
            wire.send(b"set key%d 0 0 1 noreply\r\n1\r\n" % number)
        wire.ask(b"lru_crawler crawl all\r\n", b"OK\r\n")
        wire.ask(b"lru_crawler crawl all\r\n", b"BUSY currently processing crawler request\r\n")
        equal(wire.stats()["lru_crawler_running"], "1", "lru_crawler_running")
        wire.ask(b"lru_crawler disable\r\n", b"OK\r\n")
        wire.ask(b"lru_crawler enable\r\n", b"OK\r\n")
        wire.until("lru_crawler_running", 0)


def _many(wire, count):
    for first in range(0, count, 500):
        wire.send(b"".join(b"set %s%d 0 0 1 noreply\r\n1\r\n" % (b"%" * 200, number) for number in range(first, first + 500)))
        wire.alive()


@test("crawler: a slow reader of metadump gets every line, and holds up nobody", needs="module", timeout=200)
def slow_reader():
    with Server() as one, one.wire(timeout=100) as wire, one.wire(timeout=100, window=4096) as slow, one.wire(timeout=100) as other:
        _many(wire, 20000)
        slow.send(b"lru_crawler metadump all\r\n")
        slow.expect(b"OK\r\n")
        time.sleep(2)
        equal(wire.stats()["lru_crawler_running"], "1", "it waits for its reader")
        wire.ask(b"set new 0 0 1\r\nx\r\nget new\r\n", b"STORED\r\nVALUE new 0 1\r\nx\r\nEND\r\n")
        check(len(_dump(other)) >= 20000, "another reader is served meanwhile")
        wire.ask(b"lru_crawler crawl all\r\n", b"OK\r\n")
        keys = set()
        count = 0
        while (line := slow.raw_line()) != b"END\r\n":
            keys.add(_meaningless(line))
            count += 1
        equal(len(keys), count, "no key comes twice")
        check(count >= 20000, f"{count} lines")
        slow.alive()
        wire.until("lru_crawler_running", 0)


def _meaningless(line):
    found = LINE.fullmatch(line.rstrip(b"\n"))
    check(found, f"a torn line: {line!r}")
    return found[1]


@test("crawler: a reader of metadump that never reads and goes leaves nothing", needs="module", timeout=200)
def gone_reader():
    with Server() as one, one.wire(timeout=100) as wire:
        _many(wire, 20000)
        for how in (b"metadump all", b"mgdump all", b"metadump hash"):
            slow = one.wire(timeout=100, window=4096)
            slow.send(b"lru_crawler " + how + b"\r\n")
            slow.expect(b"OK\r\n")
            wire.until("lru_crawler_running", 1)
            slow.reset()
            wire.until("lru_crawler_running", 0)
        wire.alive()


@test("crawler: dumps that are not allowed")
def refused():
    with Server("-X") as one, one.wire() as wire:
        wire.ask(b"lru_crawler metadump all\r\n", b"ERROR metadump not allowed\r\n")
        wire.ask(b"stats cachedump 1 1\r\n", b"CLIENT_ERROR stats cachedump not allowed\r\n")
