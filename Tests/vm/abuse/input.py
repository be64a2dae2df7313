# SPDX-License-Identifier: MIT
"""What no client should send. Each gets a clear error or a clean close, and the next client does not notice."""

import random
import time

from lib.server import Server
from lib.tap import check, equal, test

LINE_LIMIT = 2048  # bytes of a line that is no get, memcached.h: a longer one without an end closes


def _survives(server):
    with server.wire() as wire:
        wire.ask(b"set probe 0 0 1\r\nx\r\nget probe\r\n", b"STORED\r\nVALUE probe 0 1\r\nx\r\nEND\r\n")


def _skip_to_mark(wire):
    """The lines that came before the answer to a request of our own."""
    wire.send(b"version\r\n")
    lines = []
    while not (line := wire.line()).startswith(b"VERSION"):
        lines.append(line)
        check(len(lines) < 10000, f"answers without end: {lines[:5]}")
    return lines


def _send_until_closed(wire, data):
    try:
        wire.send(data)
    except ConnectionError:
        pass


def _each(unix_too=True):
    """A server on TCP and, if asked, one on unix."""
    for unix in (False, True) if unix_too else (False,):
        with Server(unix=unix) as server:
            yield server
            _survives(server)


@test("input: a line that does not end is closed, not collected")
def endless_line():
    for server in _each():
        for start in (b"", b"set ", b"\x01", b" " * 200 + b"get "):
            with server.wire() as wire:
                _send_until_closed(wire, start + b"x" * (1 << 20))
                wire.closed(within=5)


@test("input: a long line that ends is an error, and the connection stays")
def long_line():
    for server in _each():
        with server.wire() as wire:
            wire.ask(b"x" * 1500 + b"\r\n", b"ERROR\r\n")
            wire.ask(b"x" * 1000 + b" " + b"y" * 500 + b"\r\n", b"ERROR\r\n")
            wire.alive()


@test("input: keys with control bytes do not hurt")
def control_bytes():
    for server in _each():
        with server.wire() as wire:
            for byte in [1, 7, 8, 9, 11, 12, 27, 127, 128, 255]:
                key = b"k" + bytes([byte]) + b"k"
                wire.send(b"set %s 0 0 1\r\nx\r\n" % key)
                answer = wire.line()
                check(answer == b"STORED" or answer.startswith(b"CLIENT_ERROR"), f"set of {key!r}: {answer!r}")
                if answer == b"STORED":
                    equal(wire.get(key), {key: (0, b"x", None)}, f"value of {key!r}")
                else:
                    _skip_to_mark(wire)


@test("input: a NUL in a line is an error or an unknown key, never more")
def null_byte():
    for server in _each():
        for request in (b"get a\0b\r\n", b"get\0a\r\n", b"\0\0\0\r\n", b"set a\0b 0 0 1\r\nx\r\n"):
            with server.wire() as wire:
                wire.send(request)
                check(_skip_to_mark(wire), f"no answer to {request!r}")


NUMBERS = (b"-1", b"-2147483648", b"-2147483649", b"-9223372036854775808", b"2147483647", b"2147483648", b"4294967295",
           b"4294967296", b"9223372036854775807", b"18446744073709551615", b"18446744073709551616",
           b"99999999999999999999999999", b"0x10", b"1e3", b"1.5", b"+1", b"--1", b"1-", b"", b"-", b"\xff", b"1\t")


ANSWERS = (b"ERROR", b"CLIENT_ERROR ", b"SERVER_ERROR ", b"VALUE ", b"END", b"STORED", b"EXISTS", b"NOT_", b"TOUCHED",
           b"OK", *(b"%d" % digit for digit in range(10)))


@test("input: numbers that are negative, overflow or are none, in every place of every command")
def numbers():
    for server in _each():
        for number in NUMBERS:
            for request in (b"set a %s 0 1\r\nx\r\n", b"set a 0 %s 1\r\nx\r\n", b"cas a 0 0 1 %s\r\nx\r\n",
                            b"incr a %s\r\n", b"decr a %s\r\n", b"touch a %s\r\n", b"gat %s a\r\n",
                            b"verbosity %s\r\n"):
                with server.wire() as wire:
                    wire.set(b"a", b"1")
                    wire.send(request % number)
                    for line in _skip_to_mark(wire):
                        check(line.startswith(ANSWERS) or line in (b"", b"x", b"1"),
                              f"answer to {request % number!r}: {line!r}")


@test("input: flush_all with numbers that are none")
def flush_numbers():
    with Server() as server, server.wire() as wire:
        for number in NUMBERS:
            wire.send(b"flush_all %s\r\n" % number)
            lines = _skip_to_mark(wire)
            check(len(lines) == 1 and (lines[0] == b"OK" or lines[0].startswith((b"CLIENT_ERROR", b"ERROR"))),
                  f"flush_all {number!r}: {lines}")


@test("input: lengths that are negative, overflow or are none")
def lengths():
    for server in _each():
        for number in NUMBERS:
            with server.wire() as wire:
                # What follows may be read as the value: only a refusal, silence or a close are right.
                wire.send(b"set a 0 0 %s\r\n" % number)
                wire.socket.settimeout(0.1)
                try:
                    line = wire.line()
                    check(line.startswith((b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")), f"{number!r}: {line!r}")
                except TimeoutError:
                    pass


@test("input: a value longer or shorter than announced", timeout=90)
def wrong_lengths():
    for server in _each():
        for announced, sent in ((3, 6), (0, 5), (10, 3), (5000, 6000), (6000, 5000), (600000, 600003), (600000, 599999),
                                (1, 1 << 20)):
            with server.wire() as wire:
                wire.set(b"a", b"old")
                request = b"set a 0 0 %d\r\n%s\r\n" % (announced, b"v" * sent)
                if sent - announced > LINE_LIMIT:
                    # What is too much is read as a command, and this one is too long for a line.
                    _send_until_closed(wire, request)
                    check(wire.closed(within=5) in (b"CLIENT_ERROR bad data chunk\r\n", b""), "before a line too long")
                    continue
                # What is missing comes from what follows.
                wire.send(request + b"x" * max(0, announced + 2 - sent) + b"\r\n")
                lines = _skip_to_mark(wire)
                equal(lines[0], b"CLIENT_ERROR bad data chunk", f"{sent} instead of {announced}: {lines[:5]}")
                check(all(line.startswith((b"ERROR", b"CLIENT_ERROR")) for line in lines), f"{lines[:5]}")
            with server.wire() as wire:
                check(wire.get(b"a").get(b"a", (0, b"old", None))[1] == b"old",
                      f"{sent} instead of {announced} was stored")


@test("input: a refused value is swallowed, also when it is huge")
def swallow():
    for server in _each():
        with server.wire() as wire:
            wire.set(b"a", b"old")
            size = 3 << 20
            wire.send(b"set a 0 0 %d\r\n" % size)
            for _ in range(size >> 16):
                wire.send(b"get a\r\n\0" * 8192)
            wire.send(b"\r\nmark\r\n")
            equal((wire.line(), wire.line()), (b"SERVER_ERROR object too large for cache", b"ERROR"), "answers")
            equal(wire.get(b"a"), {}, "the old value after a set that was too large")
            wire.alive()


@test("input: commands cut at every byte, then closed or reset")
def cut():
    whole = b"set cut 1 100 12\r\nhello world!\r\ngets cut other\r\nincr cut 5\r\ncas cut 0 0 3 7\r\nxyz\r\nflush_all 5\r\n"
    for server in _each():
        for position in range(1, len(whole)):
            wire = server.wire()
            wire.send(whole[:position])
            if position % 2 and not server.path:
                wire.reset()
            else:
                wire.close()
        with server.wire() as wire:
            wire.ask(whole[:whole.index(b"gets")], b"STORED\r\n")


@test("input: values cut at many places, then closed; their memory is not lost")
def cut_values():
    for server in _each():
        before = int(server.stats()["curr_items"])
        for size in (100, 5000, 600000, 1000000):
            for part in (0, 1, 2, 3):
                wire = server.wire()
                wire.send(b"set never 0 0 %d\r\n" % size + b"n" * (size * part // 3))
                wire.close()
        limit = time.monotonic() + 60
        while int(server.stats()["curr_connections"]) > 3:
            check(time.monotonic() < limit, "connections are left")
            time.sleep(0.05)
        with server.wire() as wire:
            equal(wire.get(b"never"), {}, "a value that never came whole")
            equal(int(wire.stats()["curr_items"]), before, "curr_items")


@test("input: binary garbage", timeout=90)
def garbage():
    source = random.Random(20)
    for server in _each():
        for number in range(150):
            data = source.randbytes(source.choice((1, 24, 100, 3000, 20000)))
            if number % 3 == 0:
                data = b"\x80" + data
            if number % 3 == 1:
                data = data.replace(b"\n", b"\r\n")
            wire = server.wire()
            try:
                wire.send(data)
                wire.end_sending()
                wire.closed(within=5)
            except OSError:
                pass
            wire.close()


@test("input: text of random commands, words and lengths")
def random_text():
    source = random.Random(45)
    words = [b"get", b"gets", b"set", b"add", b"append", b"cas", b"incr", b"decr", b"touch", b"gat", b"delete", b"stats",
             b"a", b"b", b"0", b"1", b"5", b"-1", b"noreply", b"k" * 250, b"k" * 251, b" ", b"\r", b"", b"items", b"mg",
             b"ms", b"version", b"verbosity"]
    for server in _each():
        for _ in range(60):
            lines = [b" ".join(source.choice(words) for _ in range(source.randint(0, 8))) for _ in range(60)]
            data = source.choice((b"\r\n", b"\n")).join(lines) + b"\r\n"
            wire = server.wire()
            try:
                wire.send(data)
                wire.end_sending()
                wire.closed(within=5)
            except OSError:
                pass
            wire.close()
