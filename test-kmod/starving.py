# SPDX-License-Identifier: GPL-2.0
"""Connections whose answers find no memory: they pause, and answer then."""

import contextlib
import os
import socket
import time

from faults import burst, frag_spares, parameter, sites, tx_frags
from lib import kmcnl as k
from lib.tap import check, equal
from lib.wire import Wire

SMALL, LARGE = bytes(1000), bytes(300000)


def _site(name):
    found, = [site for site in sites() if site.endswith(name)]
    return found


def _hits(site):
    return sites()[site][0]


def _page_site():
    """Where a page is given to TCP; 6.1 has a function of its own for that."""
    own = [site for site in sites() if site.endswith(" tcp_sendpage_locked")]
    return own[0] if own else _site(" tcp_sendmsg_locked")


@contextlib.contextmanager
def _instance(sock):
    netlink = k.Netlink()
    one = netlink.new([sock])
    try:
        yield
    finally:
        netlink.delete(one["id"])
        netlink.close()


def _waits(site, hits, least, family):
    """A client's answer while the next `hits` tries at a site fail: it comes, after pauses, not after spinning."""
    endpoint = f"\0kmctest-{os.getpid()}"
    with k.listen_unix(endpoint) if family == socket.AF_UNIX else k.listen_tcp() as sock, _instance(sock):
        with socket.socket(family) as client:
            client.settimeout(60)
            client.connect(sock.getsockname())
            client.sendall(b"version\r\n")
            check(client.recv(100), "no answer even in good times")
            with burst(site, hits):
                tried, started = _hits(site), time.monotonic()
                client.sendall(b"version\r\n")
                check(client.recv(100).startswith(b"VERSION"), "no answer")
                took, tried = time.monotonic() - started, _hits(site) - tried
                equal(parameter("burst").strip(), "0", "failures that did not happen")
        check(took >= least, f"{hits} failures of {site} were over in {took:.3f} s: it does not pause")
        check(tried <= hits + 2, f"{tried} tries for {hits} failures of {site}")


def sends():
    txbuf, = [site for site in sites() if site.startswith("tx.c") and site.endswith(" kmem_cache_alloc")]
    # Only what is built in a page is sent from one: the first try; later ones copy.
    for on, where, hits, least in ((False, _site(" tcp_sendmsg_locked"), 20, 0.15), (True, _page_site(), 1, 0)):
        with tx_frags(on):
            _waits(where, hits, least, socket.AF_INET)
    for what, family in ((_site(" tcp_sendmsg_locked"), socket.AF_INET), (_site(" kmc_sock_sendmsg"), socket.AF_UNIX),
                         (txbuf, socket.AF_INET), (txbuf, socket.AF_UNIX)):
        with tx_frags(family == socket.AF_UNIX or what == txbuf):
            _waits(what, 20, 0.15, family)


def _comes_back(site, value, gets, failures):
    """Of a reader that does not read until nothing more fits, while `failures` tries of what sends then fail."""
    size = len(b"VALUE key 0 %d\r\n" % len(value) + value + b"\r\nEND\r\n")
    with k.listen_tcp() as sock, _instance(sock), Wire(sock.getsockname(), window=65536) as wire:
        wire.set(b"key", value)
        wire.send(b"get key\r\n" * gets)
        time.sleep(0.5)  # until nothing more fits
        with burst(site, failures):
            started, got = time.monotonic(), 0
            while got < gets * size:
                got += len(wire.socket.recv(1 << 20))
            took = time.monotonic() - started
            equal((parameter("burst").strip(), got), ("0", gets * size), "failures that did not happen, bytes")
    return took


def readers():
    for on in (False, True):
        with tx_frags(on):
            took = _comes_back(_site(" tcp_sendmsg_locked"), LARGE, 40, 100)
        # Some of them an acknowledgement ends early; without pauses it is a matter of milliseconds.
        check(took >= 0.4, f"100 failures were over in {took:.3f} s: it does not pause")
    with tx_frags(True):
        _comes_back(_page_site(), SMALL, 6000, 10)


def no_page():
    """What a tenth of a second is worth, each CPU asks once, and nobody waits."""
    site, asked = _site(" alloc_pages"), 400
    with k.listen_tcp() as sock, _instance(sock), Wire(sock.getsockname()) as wire:
        wire.set(b"key", SMALL)
        with burst(site, 1_000_000):
            tried, started = _hits(site), time.monotonic()
            for _ in range(asked):
                equal(wire.get(b"key")[b"key"][1], SMALL, "value")
            took, tried = time.monotonic() - started, _hits(site) - tried
    most = os.cpu_count() * (1 + took / 0.1)
    check(0 < tried <= most, f"{tried} tries in {took:.2f} s and {asked} requests")


def used_again():
    """2 MiB of replies, all read, fit in what a CPU keeps: 32 pages of 32 KiB hold 1 MiB."""
    site = _site(" alloc_pages")
    with frag_spares(True), k.listen_tcp() as sock, _instance(sock), Wire(sock.getsockname()) as wire:
        wire.set(b"key", SMALL)
        tried = _hits(site)
        for _ in range(2000):
            equal(wire.get(b"key")[b"key"][1], SMALL, "value")
        tried = _hits(site) - tried
    check(tried <= 32, f"2000 requests, one after the other, asked for {tried} pages")
