# SPDX-License-Identifier: MIT
"""watch: each kind of event as memcached's logger tells it, and watchers that do not read."""

import contextlib
import re
import time

from lib.server import Server, version
from lib.tap import check, equal, test

PATIENCE = 100  # seconds; only bounds a hang
HEAD = r"ts=\d+\.\d{1,6} gid=(\d+) "
PROXY = (b"proxyreqs", b"proxyevents", b"proxyuser", b"rawcmds")


class Watcher:
    """A connection that watches, and the lines it has heard."""

    def __init__(self, one, events, window=0):
        self.wire = one.wire(timeout=PATIENCE, window=window)
        self.wire.ask(b"watch " + events + b"\r\n" if events else b"watch\r\n", b"OK\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def line(self):
        """The next line, without its end."""
        return self.wire.raw_line().decode().rstrip("\n")

    def hears(self, pattern):
        """Reads until a line that is HEAD and the whole of `pattern`; others in between may be what they are."""
        end = time.monotonic() + PATIENCE
        passed = []
        while time.monotonic() < end:
            line = self.line()
            if found := re.fullmatch(HEAD + pattern, line):
                return found
            passed.append(line)
        check(False, f"waited in vain for {pattern}; came {passed[-3:]}")

    def next_is(self, pattern):
        line = self.line()
        found = re.fullmatch(HEAD + pattern, line)
        check(found, f"expected {pattern}, found {line!r}")
        return found


@test("watch: fetchers, which is also what no word means", timeout=120)
def fetchers():
    with Server() as one, one.wire() as wire:
        for words in (b"fetchers", b""):
            with Watcher(one, words) as watcher:
                wire.ask(b"get foo\r\n", b"END\r\n")
                watcher.next_is(r"type=item_get key=foo status=not_found clsid=0 cfd=\d+ size=0")
                wire.ask(b"mg foo v\r\n", b"EN\r\n")
                watcher.next_is(r"type=item_get key=foo status=not_found clsid=0 cfd=\d+ size=0")
                wire.set(b"a%b", b"value")
                wire.ask(b"get a%b\r\n", b"VALUE a%b 0 5\r\nvalue\r\nEND\r\n")
                watcher.hears(r"type=item_get key=a%25b status=found clsid=1 cfd=\d+ size=\d+")
                wire.ask(b"delete a%b\r\n", b"DELETED\r\n")


@test("watch: mutations and deletions, numbered in strict order", needs="1.6.45", timeout=120)
def mutations():
    with Server() as one, one.wire() as wire, Watcher(one, b"mutations deletions") as watcher:
        wire.set(b"foo", b"value", expiry=100)
        first = watcher.next_is(r"type=item_store key=foo status=stored cmd=set ttl=100 clsid=1 cfd=\d+ size=\d+")
        wire.ask(b"add foo 0 0 1\r\nx\r\n", b"NOT_STORED\r\n")
        second = watcher.next_is(r"type=item_store key=foo status=not_stored cmd=add ttl=0 clsid=1 cfd=\d+ size=\d+")
        equal(int(second[1]), int(first[1]) + 1, "gid")
        wire.ask(b"ms foo 1 MA\r\nx\r\n", b"HD\r\n")
        watcher.next_is(r"type=item_store key=foo status=stored cmd=append ttl=\d+ clsid=1 cfd=\d+ size=\d+")
        wire.ask(b"cas bar 0 0 1 1\r\nx\r\n", b"NOT_FOUND\r\n")
        watcher.next_is(r"type=item_store key=bar status=not_found cmd=cas ttl=0 clsid=1 cfd=\d+ size=\d+")
        wire.ask(b"set big 0 0 2000000\r\n" + b"b" * 2000000 + b"\r\n", b"SERVER_ERROR object too large for cache\r\n")
        watcher.next_is(r"type=item_store key=big status=too_large cmd=set ttl=\d+ clsid=\d+ cfd=-?\d+ size=\d+")
        wire.ask(b"delete foo\r\n", b"DELETED\r\n")
        watcher.next_is(r"type=deleted key=foo cmd=delete clsid=1 size=\d+")
        wire.set(b"foo", b"value")
        watcher.next_is(r"type=item_store key=foo .*")
        wire.ask(b"md foo\r\n", b"HD\r\n")
        watcher.next_is(r"type=deleted key=foo cmd=md clsid=1 size=\d+")


@test("watch: evictions", timeout=200)
def evictions():
    with Server("-m", "8") as one, one.wire() as wire, Watcher(one, b"evictions") as watcher:
        for number in range(1000):
            wire.send(b"set key%d 0 0 20000 noreply\r\n%s\r\n" % (number, b"e" * 20000))
        wire.alive()
        watcher.next_is(r"type=eviction key=key\d+ fetch=no ttl=-1 la=\d+ clsid=\d+ size=\d+")
        check(int(wire.stats()["evictions"]) > 100, "evictions are counted")


@test("watch: connections that come and go", timeout=120)
def connevents():
    with Server() as one, Watcher(one, b"connevents") as watcher:
        with one.wire() as wire:
            wire.alive()
            port = wire.socket.getsockname()[1]
            came = watcher.next_is(rf"type=conn_new rip=127\.0\.0\.1 rport={port} transport=tcp cfd=(\d+)")
        went = watcher.next_is(rf"type=conn_close rip=127\.0\.0\.1 rport={port} transport=tcp reason=normal cfd=(\d+)")
        equal(went[2], came[2], "cfd")


@test("watch: sysevents: a page that the automover takes", needs="1.6.45", timeout=200)
def slab_moves():
    with Server("-m", "8", "-o", "slab_automove_window=3") as one, one.wire(timeout=PATIENCE) as wire, \
            Watcher(one, b"sysevents") as watcher:
        for number in range(12000):
            wire.send(b"set key%d 0 0 1000 noreply\r\n%s\r\n" % (number, b"s" * 1000))
        for number in range(12000):
            wire.send(b"delete key%d noreply\r\n" % number)
        wire.alive()
        moved = watcher.hears(r"type=slab_move src=(\d+) dst=0 state=ok")
        check(f"{moved[2]}:chunk_size" in wire.stats(b"slabs"), f"class {moved[2]} has pages")


@test("watch: sysevents: what the crawler has found", needs="module", timeout=200)
def crawls():
    with Server() as one, one.wire() as wire, Watcher(one, b"sysevents") as watcher:
        wire.set(b"mortal", b"1", expiry=100)
        wire.set(b"immortal", b"1")
        watcher.hears(r"type=lru_crawler crawler=0 lru=na low_mark=1 next_reclaims=\d since_run=0 next_run=\d+ "
                      r"elapsed=\d+ examined=\d reclaimed=0")


@test("watch: words without meaning here, words that are none, and too many watchers", timeout=120)
def refusals():
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(Server())
        wire = stack.enter_context(one.wire())
        wire.ask(b"watch foo\r\n", b"ERROR\r\n")
        wire.ask(b"watch fetchers nonsense\r\n", b"ERROR\r\n")
        wire.ask(b"mn\r\nmg a v\r\nwatch\r\n", b"MN\r\nEN\r\nERROR cannot pipeline other commands before watch\r\n")
        for word in PROXY if version() >= (1, 6, 45) else PROXY[3:]:
            # As a memcached without proxy: taken, and nothing happens.
            with Watcher(one, word) as watcher:
                wire.set(b"a", b"1")
                watcher.wire.silent()
        wire.until("log_watchers", 0)
        for _ in range(20):
            stack.enter_context(Watcher(one, b"evictions"))
        wire.until("log_watchers", 20)
        wire.ask(b"watch\r\n", b"WATCHER_TOO_MANY log watcher limit reached\r\n")
    with Server("-W") as one, one.wire() as wire:
        wire.ask(b"watch\r\n", b"CLIENT_ERROR watch commands not allowed\r\n")


def _overwhelm(wire, least):
    """Events until a watcher has missed some; how many."""
    for rounds in range(1, 400):
        wire.send(b"".join(b"set %s%d 0 0 1 noreply\r\nx\r\n" % (b"k" * 200, number) for number in range(1000)))
        wire.alive()
        if int(wire.stats()["log_watcher_skipped"]) > least:
            return rounds * 1000
    return check(False, "a watcher that does not read misses nothing")


@test("watch: a slow reader misses lines, is told how many, and holds up nobody", needs="module", timeout=200)
def slow_reader():
    with Server("-o", "watcher_logbuf_size=8") as one, one.wire(timeout=PATIENCE) as wire, \
            Watcher(one, b"mutations", window=4096) as slow, Watcher(one, b"deletions") as other:
        events = _overwhelm(wire, 1000)
        wire.set(b"a", b"1")
        wire.ask(b"delete a\r\n", b"DELETED\r\n")
        other.next_is(r"type=deleted key=a cmd=delete clsid=1 size=1")
        heard, skipped, last = 0, 0, 0
        while heard + skipped < events + 1:
            if not slow.wire.waiting():
                # Only a further line tells how many the last gap has.
                wire.set(b"more", b"1")
                events += 1
            line = slow.line()
            if line.startswith("skipped="):
                skipped += int(line[8:])
            else:
                number = int(re.match(HEAD, line)[1])
                check(number > last, f"gid {number} behind {last}")
                heard, last = heard + 1, number
        check(skipped > 1000 and heard > 10, f"{heard} heard, {skipped} skipped")
        equal(heard + skipped, events + 1, "each event was heard or skipped")


@test("watch: a reader that never reads and goes leaves nothing", timeout=200)
def gone_reader():
    with Server("-o", "watcher_logbuf_size=8") as one, one.wire(timeout=PATIENCE) as wire:
        with Watcher(one, b"mutations", window=4096) as slow:
            _overwhelm(wire, 0)
            slow.wire.reset()
        wire.until("log_watchers", 0)
        wire.alive()
