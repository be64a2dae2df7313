# SPDX-License-Identifier: MIT
"""Requests served where they come in, and from work items: each is what it says it is. On one CPU, where each count is exact."""

import time

from lib import kernel, tracing
from lib.server import Server
from lib.tap import check, equal, test
from lib.wire import Wire

_ANSWER = b"VALUE key 0 5\r\nvalue\r\nEND\r\n"
# Ethernet, IPv4 and TCP with a time stamp: no other packet of the conversation is as long.
_ONLY_ANSWERS = f"len == {14 + 20 + 32 + len(_ANSWER)}"


def _fifty_gets(endpoint):
    with Wire(endpoint) as wire:
        wire.set(b"key", b"value")
        # What came before the connection was made is a work item's; the next may find that at it still.
        time.sleep(0.2)
        for _ in range(50):
            wire.send(b"get key\r\n")
            wire.expect(_ANSWER)


def _tcp_senders(endpoint):
    """How many of 50 answers left in softirq, how many from a work item."""
    with tracing.event("net/net_dev_queue", _ONLY_ANSWERS) as trace:
        lines = trace.lines(lambda: _fifty_gets(endpoint))
    return sum(map(tracing.in_softirq, lines)), tracing.by_worker(lines)


def _unix_sends(endpoint):
    """How often somebody sent on a unix socket in a conversation of 51 requests, and how many of these a work item was."""
    with tracing.calls("unix_stream_sendmsg") as trace:
        lines = trace.lines(lambda: _fifty_gets(endpoint))
    return len(lines), tracing.by_worker(lines)


@test("direct: a TCP request is served where its packet comes in", needs="module")
def inline():
    with Server() as one:
        equal(_tcp_senders(one.endpoint), (50, 0), "answers that left in softirq, and from a work item")


@test("direct: off, every request is served by a work item", needs="module")
def work_item():
    with kernel.work_items():
        with Server() as one:
            equal(_tcp_senders(one.endpoint), (0, 50), "answers that left in softirq, and from a work item")
        with Server(unix=True) as one:
            _, by_worker = _unix_sends(one.endpoint)
            check(by_worker >= 50, f"{by_worker} of 51 answers over a unix socket came from a work item")


@test("direct: a unix client's request is served in its own task", needs="module")
def in_the_client():
    with Server(unix=True) as one:
        # Each request and each answer, by this very process.
        sends, by_worker = _unix_sends(one.endpoint)
        check(sends - by_worker >= 100, f"{sends} sends, {by_worker} of them from a work item")
