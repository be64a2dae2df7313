# SPDX-License-Identifier: MIT
"""UDP and the forms of -l, as a person starts them."""

import contextlib
import os
import socket
import subprocess
import tempfile

from lib import kmcnl as k
from lib.datagrams import Datagrams, listen_udp
from lib.kmcnl import test
from lib.server import free_port, refused, succeed
from lib.tap import check, equal
from lib.wire import Wire


@contextlib.contextmanager
def _started(*options, **how):
    """An instance by the tool; gives its description and what the tool said."""
    said = succeed("--name", "udp-suite", *options, **how).stdout
    netlink = k.Netlink()
    try:
        yield netlink.get(netlink.list()[0]["id"]), said
    finally:
        netlink.close()
        succeed("stop", "udp-suite")


def _listeners(instance):
    return [(k.number(one[k.KMC_L_TYPE]), k.number(one[k.KMC_L_FAMILY]), k.number(one[k.KMC_L_PORT])) for one in instance["listeners"]]


@test("-U: a port for UDP, and for TCP when nothing else is said of that")
def ports():
    port, other = free_port(), free_port()
    tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
    for options, expected in ((("-U", port), [(tcp, port), (udp, port)]), (("-U", port, "-p", other), [(tcp, other), (udp, port)]),
                              (("-U", port, "-p", 0), [(udp, port)]), (("-p", port), [(tcp, port)]), (("-p", port, "-U", 0), [(tcp, port)]),
                              (("-U", port, "-l", f"127.0.0.1,127.0.0.1:{other}"), [(tcp, port), (tcp, other), (udp, port), (udp, other)])):
        with _started(*options, *(() if "-l" in options else ("-l", "127.0.0.1"))) as (one, said):
            equal([(kind, number) for kind, _, number in _listeners(one)], expected, f"listeners of {options}")
            for kind, number in expected:
                if kind == udp:
                    check(f"127.0.0.1:{number} (UDP)" in said, f"{options}: {said!r}")
                    with Datagrams(("127.0.0.1", number)) as client:
                        equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer over UDP")
                else:
                    with Wire(("127.0.0.1", number)) as wire:
                        wire.alive()


@test("-U without -l: IPv4 and IPv6, any free port, the port file")
def everywhere():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/ports"
        with _started("-U", -1, "-p", -1, environment(path)[0], **environment(path)[1]) as (one, _):
            found = _listeners(one)
            equal(sorted((kind, family) for kind, family, _ in found),
                  sorted((kind, family) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)),
                  "kinds and families")
            names = {socket.SOCK_STREAM: "TCP", socket.SOCK_DGRAM: "UDP"}, {socket.AF_INET: "INET", socket.AF_INET6: "INET6"}
            with open(path, encoding="ascii") as file:
                equal(sorted(file.read().splitlines()), sorted(f"{names[0][kind]} {names[1][family]}: {port}" for kind, family, port in found),
                      "the port file")
            for kind, family, port in found:
                if kind == socket.SOCK_DGRAM:
                    with Datagrams(("127.0.0.1" if family == socket.AF_INET else "::1", port)) as client:
                        equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer")


def environment(path):
    """An option without effect, and how the tool is called with a port file."""
    return "-v", {"env": {**os.environ, "MEMCACHED_PORT_FILENAME": path}}


@test("-U: a port that is taken is refused")
def taken():
    with listen_udp() as sock:
        refused("-l", "127.0.0.1", "-p", 0, "-U", sock.getsockname()[1], status=71, words=["-U"])


@test("-l: tags and protocols go to their listeners")
def prefixes():
    one, two, three = free_port(), free_port(), free_port()
    with _started("-p", one, "-l", f"proto[ascii]:127.0.0.1,tag_b_:127.0.0.1:{two};proto[binary]:tag[longest8]:127.0.0.1:{three}") as (found, _):
        told = [(k.number(listener[k.KMC_L_PORT]), k.number(listener[k.KMC_L_PROTOCOL]), k.text(listener.get(k.KMC_L_TAG, b"")))
                for listener in found["listeners"]]
        equal(told, [(one, k.KMC_PROTOCOL_TEXT, ""), (two, k.KMC_PROTOCOL_AUTO, "b"), (three, k.KMC_PROTOCOL_BINARY, "longest8")], "listeners")
        noop = b"\x80\x0a" + bytes(22)
        for port, speaks_text, speaks_binary in ((one, True, False), (two, True, True), (three, False, True)):
            with Wire(("127.0.0.1", port)) as wire:
                if speaks_text:
                    wire.alive()
                else:
                    wire.send(b"get a-key-that-fills-a-binary-head\r\n")
                    equal(wire.closed(), b"", "answer to text")
            with Wire(("127.0.0.1", port)) as wire:
                wire.send(noop)
                if speaks_binary:
                    equal(wire.exactly(24)[:2], b"\x81\x0a", "answer to a binary noop")
                else:
                    wire.send(b"\r\n")
                    check(not wire.line().startswith(b"\x81"), "a binary answer")


@test("LISTEN_FDS: a UDP socket that a service manager holds, with its first datagram")
def service_manager():
    with listen_udp() as sock, Datagrams(sock.getsockname()) as client:
        client.send(b"mn\r\n")
        script = 'exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 exec umemcached --foreground --name inherited' % sock.fileno()
        with subprocess.Popen(["sh", "-c", script], pass_fds=[sock.fileno()]) as process:
            try:
                equal(client.datagrams()[0][8:], b"MN\r\n", "answer to what came before")
                equal(client.ask(b"mn\r\n"), b"MN\r\n", "answer")
            finally:
                process.terminate()
