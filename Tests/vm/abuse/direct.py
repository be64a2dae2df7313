# SPDX-License-Identifier: MIT
"""Requests served where they come in, and from work items: the same answers."""

import os
import re
import socket
import threading
import time

from lib import kernel, tracing
from lib.server import Server
from lib.tap import check, equal, test


@test("direct: threads that share a unix connection get all their answers", needs="module", timeout=120)
def shared_connection():
    with Server(unix=True) as one, one.wire(timeout=120) as wire:
        wire.set(b"key", b"value")
        threads = [threading.Thread(target=lambda: [wire.send(b"get key\r\n") for _ in range(500)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(8 * 500):
            wire.expect(b"VALUE key 0 5\r\nvalue\r\nEND\r\n")
        for thread in threads:
            thread.join()
        wire.alive()


@test("direct: what is too much goes on in a work item, in order", needs="module", timeout=120)
def left_over():
    for unix in (False, True):
        with Server("-m", "64", "-R", "5", unix=unix) as one, one.wire(timeout=120) as wire:
            _more_than_a_turn(wire)
            check(int(wire.stats()["conn_yields"]) > 0, "no turn was used up")


def _more_than_a_turn(wire):
    large = b"x" * 900_000
    wire.set(b"large", large)
    for number in range(300):
        wire.set(b"key-%d" % number, b"%d" % number)
    # More requests, keys and bytes than one turn has, in one write.
    wire.send(b"get large\r\n" * 3 + b"".join(b"get key-%d\r\n" % number for number in range(300))
              + b"get " + b" ".join(b"key-%d" % (number % 300) for number in range(3000)) + b"\r\nget large\r\n")
    for _ in range(3):
        wire.expect(b"VALUE large 0 900000\r\n" + large + b"\r\nEND\r\n")
    for number in range(300):
        wire.expect(b"VALUE key-%d 0 %d\r\n%d\r\nEND\r\n" % (number, len(str(number)), number))
    for number in range(3000):
        text = b"%d" % (number % 300)
        wire.expect(b"VALUE key-%s 0 %d\r\n%s\r\n" % (text, len(text), text))
    wire.expect(b"END\r\nVALUE large 0 900000\r\n" + large + b"\r\nEND\r\n")


@test("direct: a reader that stops is waited for, others are served meanwhile", needs="module", timeout=120)
def waiting():
    for unix in (False, True):
        _waits_for_a_reader(unix)


def _waits_for_a_reader(unix):
    value = b"v" * 100_000
    with Server("-m", "64", unix=unix) as one, one.wire(timeout=120) as slow, one.wire(timeout=120) as quick:
        slow.set(b"large", value)
        sender = threading.Thread(target=slow.send, args=(b"get large\r\n" * 200,))
        sender.start()
        for _ in range(200):
            quick.send(b"get nothing\r\n")
            quick.expect(b"END\r\n")
        for _ in range(200):
            slow.expect(b"VALUE large 0 100000\r\n" + value + b"\r\nEND\r\n")
        sender.join()


@test("direct: a work item that sends many segments lets in what comes meanwhile", needs="module", timeout=240)
def packets_while_sending():
    lines, limit = [], time.monotonic() + 180
    with (kernel.work_items(), Server("-m", "64") as one, one.wire(timeout=120, window=2304) as wire,
          tracing.calls("__sk_flush_backlog") as trace):
        while not lines and time.monotonic() < limit:
            lines = [line for line in trace.lines(lambda: _many_segments(wire)) if tracing.by_worker([line])]
            if os.cpu_count() == 1:
                break       # nobody else runs meanwhile: what the kernel says by itself is all
    check(lines or os.cpu_count() == 1, "the stack has not once stopped to look: this shows nothing")
    # It may rest then (__release_sock): bottom halves are on. A kernel that checks says so itself, in its log.
    masked = [line for line in lines if re.search(r"\[\d+\] [bD]", line)]
    equal(masked, [], "times that the work item had bottom halves off")


def _many_segments(wire):
    """So small a window cuts a reply into small segments, between which the stack looks at what has come meanwhile."""
    value = b"v" * 60_000
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.set(b"large", value)
    requests = [b"get large\r\n" if turn % 20 == 0 else b"mn\r\n" for turn in range(200)]
    sender = threading.Thread(target=lambda: [wire.send(request) for request in requests])
    sender.start()
    for request in requests:
        wire.expect(b"MN\r\n" if request == b"mn\r\n" else b"VALUE large 0 60000\r\n" + value + b"\r\nEND\r\n")
    sender.join()
