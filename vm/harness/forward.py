# SPDX-License-Identifier: MIT
"""Carries TCP connections from 127.0.0.1 of the host to ports of the guest.

QEMU's user-mode network does that without privileges, but listens with a backlog of one: clients that connect at the
same time are reset or wait for retransmissions. So the harness accepts in its stead and opens the connections to QEMU
one after another, each once QEMU has taken the one before.
"""

import asyncio
import random
import socket
import threading
import time
from dataclasses import dataclass

from .errors import HarnessError

BACKLOG = 4096
CHUNK = 1 << 16
LISTEN = "0A"           # TCP_LISTEN in /proc/net/tcp
POLL_SECONDS = 0.002
CONNECT_SECONDS = 120
IDLE_SECONDS = 20


@dataclass
class Forward:
    """One port of the host, the guest's port behind it, and where QEMU listens in between."""
    host_port: int
    guest_port: int
    listener: socket.socket
    relay: tuple[str, int]


def parse(text):
    """HOSTPORT:PORT as a Forward that already owns its port of the host."""
    host, _, guest = text.partition(":")
    if not (host.isdigit() and guest.isdigit() and 0 < int(host) < 65536 and 0 < int(guest) < 65536):
        raise HarnessError(f"--forward {text!r}: give HOSTPORT:PORT, each 1 to 65535")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", int(host)))
        listener.listen(BACKLOG)
    except OSError as error:
        raise HarnessError(f"port {host} of 127.0.0.1 cannot be used: {error.strerror}") from error
    return Forward(int(host), int(guest), listener, _free_address())


def _free_address():
    """An address of the loopback network that nothing else uses: 127/8 is wide."""
    with socket.socket() as probe:
        probe.bind((f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}", 0))
        return probe.getsockname()


def qemu_arguments(forwards):
    """A network card whose only connections are the forwarded ones."""
    if not forwards:
        return []
    rules = "".join(f",hostfwd=tcp:{one.relay[0]}:{one.relay[1]}-:{one.guest_port}" for one in forwards)
    return ["-netdev", f"user,id=net,restrict=on,ipv6=off{rules}", "-device", "virtio-net-pci,netdev=net,romfile="]


def _waiting(address):
    """Connections that QEMU has not accepted yet (rx_queue of a listening socket in /proc/net/tcp)."""
    packed = int.from_bytes(socket.inet_aton(address[0]), "little")
    wanted = f"{packed:08X}:{address[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if fields[1] == wanted and fields[3] == LISTEN:
                return int(fields[4].split(":")[1], 16)
    return 0


async def _connect(forward, turn):
    async with turn:
        streams = await asyncio.open_connection(*forward.relay, limit=CHUNK)
        while _waiting(forward.relay):
            await asyncio.sleep(POLL_SECONDS)
        return streams


class _Connection:
    """One client: both directions, and when to give up on them."""

    def __init__(self, client, guest):
        self._client, self._guest = client, guest
        self._moved = time.monotonic()
        self._ended = False

    async def _copy(self, reader, writer):
        while data := await reader.read(CHUNK):
            self._moved = time.monotonic()
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        self._ended = True

    async def _watch(self):
        """Once one side has ended, a long silence means that the other's end was lost in QEMU's network."""
        while not self._ended or time.monotonic() - self._moved < IDLE_SECONDS:
            await asyncio.sleep(IDLE_SECONDS / 4)
        raise asyncio.TimeoutError

    async def run(self):
        """Copy both ways until both have ended."""
        watch = asyncio.create_task(self._watch())
        copies = asyncio.gather(self._copy(self._client[0], self._guest[1]),
                                self._copy(self._guest[0], self._client[1]))
        try:
            await asyncio.wait({watch, copies}, return_when=asyncio.FIRST_COMPLETED)
            if not copies.done():
                copies.cancel()
                await watch
            await copies
        finally:
            watch.cancel()


async def _serve_client(forward, turn, reader, writer):
    writers = [writer]
    try:
        guest = await asyncio.wait_for(_connect(forward, turn), CONNECT_SECONDS)
        writers.append(guest[1])
        await _Connection((reader, writer), guest).run()
    except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
        # What breaks one side is shown to the other as a reset.
        for one in writers:
            one.transport.abort()
    finally:
        for one in writers:
            one.close()


class Relay:
    """Serves forwards in a thread of its own, from start() to stop()."""

    def __init__(self, forwards):
        self._forwards = forwards
        self._stopped = None
        self._loop = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self):
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        for forward in self._forwards:
            turn = asyncio.Lock()

            async def accept(reader, writer, forward=forward, turn=turn):
                await _serve_client(forward, turn, reader, writer)

            await asyncio.start_server(accept, sock=forward.listener, limit=CHUNK, backlog=BACKLOG)
        await self._stopped.wait()

    def start(self):
        """Accept from now on; connections made before have waited in the backlog."""
        if self._forwards:
            self._thread.start()

    def stop(self):
        """Close every connection; does nothing if never started."""
        if self._loop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(5)
