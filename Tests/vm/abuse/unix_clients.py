# SPDX-License-Identifier: MIT
"""What clients of a unix socket may send along, and what must not come back to them."""

import array
import contextlib
import os
import signal
import socket
import time

from lib.server import Server
from lib.tap import check, equal, test


def _hung_up(pipe, within):
    """Whether nobody holds the other end of a pipe any more."""
    os.set_blocking(pipe, False)
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        try:
            if os.read(pipe, 1) == b"":
                return True
        except BlockingIOError:
            time.sleep(0.02)
    return False


@test("descriptors sent over a unix socket are dropped, and closed", needs="module")
def descriptors():
    with Server(unix=True) as server, server.wire() as wire:
        for turn in range(50):
            read, write = os.pipe()
            one, other = socket.socketpair()
            fds = array.array("i", [write, one.fileno()] * 50)
            wire.socket.sendmsg([b"get k%d\r\n" % turn], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            os.close(write)
            one.close()
            equal(wire.line(), b"END", "answer")
            check(_hung_up(read, 60), "the pipe's end that was sent is open still")
            check(_hung_up(other.fileno(), 60), "the socket that was sent is open still")
            os.close(read)
            other.close()


@test("descriptors that nobody reads any more are closed with their connection", needs="module")
def unread():
    with Server(unix=True) as server:
        wire = server.wire()
        read, write = os.pipe()
        # In the middle of a line, behind which nothing comes.
        wire.socket.sendmsg([b"get half"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write]))])
        # Its own other end: a circle, if the server kept it.
        wire.socket.sendmsg([b" and"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [wire.socket.fileno()]))])
        os.close(write)
        wire.close()
        check(_hung_up(read, 60), "the pipe's end that was sent is open still")
        with server.wire() as again:
            again.alive()


def _send_files(sock, data, *files):
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno() for file in files]))])


def _pipe():
    """A pipe's two ends as files."""
    return [os.fdopen(end, mode, 0) for end, mode in zip(os.pipe(), ("rb", "wb"))]


def _deaf(server):
    """A client for whom more answers wait than its socket holds, and that reads none."""
    wire = server.wire()
    wire.set(b"k", b"v" * 500000)
    wire.send(b"get k\r\n" * 20)
    return wire


@test("descriptors sent while replies wait to be read are closed, and their connection with them", needs="module")
def unread_replies():
    with Server(unix=True) as server:
        for late in (False, True):
            wire = _deaf(server)
            # Both in one buffer with a request, and in one that nobody takes.
            for number in range(3):
                read, write = _pipe()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    # Its own other end, too: a circle, if the server kept it.
                    _send_files(wire.socket, b"get k\r\n" if number or late else b"", write, wire.socket)
                write.close()
                check(_hung_up(read.fileno(), 60), f"the pipe's end that was sent as number {number} is open still")
                read.close()
            wire.close()
        limit = time.monotonic() + 60
        while (left := server.stats()["curr_connections"]) != "1":
            check(time.monotonic() < limit, f"{left} connections are left, of one client")
            time.sleep(0.02)


@test("descriptors of who waits to be accepted at the limit are closed", needs="module")
def backlog():
    with Server("-c", 1, "-o", "no_maxconns_fast", unix=True) as server, server.wire() as inside:
        inside.alive()
        read, write = _pipe()
        waiting = server.wire()
        _send_files(waiting.socket, b"version\r\n", write, waiting.socket)
        write.close()
        waiting.close()
        check(_hung_up(read.fileno(), 60), "the pipe's end that was sent is open still")
        # Who waits without them goes on waiting, and gets in.
        with server.wire() as patient:
            patient.send(b"version\r\n")
            inside.alive()
            inside.close()
            check(patient.line().startswith(b"VERSION"), "no answer to who has waited")


@test("a reply to a unix client that has gone raises no SIGPIPE in it", needs="module")
def no_sigpipe():
    with Server(unix=True) as server:
        with server.wire() as wire:
            wire.set(b"k", b"v" * 500000)
        child = os.fork()
        if not child:
            # Python ignores it, a C program does not: as that, it would end us.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            for _ in range(200):
                client = socket.socket(socket.AF_UNIX)
                client.connect(server.path)
                for _ in range(2):
                    # Our own sending may not raise it either, when the server has hung up.
                    with contextlib.suppress(BrokenPipeError):
                        client.send(b"get k\r\n" * 10, socket.MSG_NOSIGNAL)
                    client.shutdown(socket.SHUT_RD)
                client.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        equal(os.waitstatus_to_exitcode(status), 0, "status of the client, below 0 for a signal")
        with server.wire() as wire:
            wire.alive()
