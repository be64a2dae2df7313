# SPDX-License-Identifier: MIT
"""Memory that connections hold which have been served once and say nothing more."""

import resource
import socket
import time

import scenarios
import servers

SPARE = 64  # descriptors and connections that are not idle ones


def _connect(server):
    """A connection that has had an answer."""
    family, address = (socket.AF_UNIX, str(server.path)) if server.path else (socket.AF_INET, ("127.0.0.1", server.port))
    stream = socket.socket(family, socket.SOCK_STREAM)
    stream.connect(address)
    stream.sendall(b"mn\r\n")
    answer = b""
    while not answer.endswith(b"MN\r\n"):
        more = stream.recv(64)
        if not more:
            raise SystemExit("idle: the server closed a connection")
        answer += more
    return stream


def _rise(server, count):
    """(real bytes of the server, bytes of the whole machine, the client's end among them) for each of `count`."""
    with _connect(server):
        time.sleep(scenarios.SETTLING_SECONDS)
        real, available = server.real_bytes(), servers.available_bytes()
        streams = [_connect(server) for _ in range(count)]
        time.sleep(scenarios.SETTLING_SECONDS)
        rise = (server.real_bytes() - real) / count, (available - servers.available_bytes()) / count
        for stream in streams:
            stream.close()
    return rise


def weigh(server, count):
    """As a result: what each of `count` idle connections to `server`, which is not started yet, holds."""
    files = count + SPARE
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    server.connections = files
    server.start()
    try:
        real, available = _rise(server, count)
    finally:
        server.stop()
    return {"kind": "idle", "connections": count, "real": real, "available": available}
