# SPDX-License-Identifier: MIT
"""Clients that must say who they are: -Y in text, -S in binary; and what SIGHUP renews."""

import contextlib
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time

import pylibmc

from lib.server import START_SECONDS, Server, free_port, refused
from lib.tap import check, equal, test
from lib.wire import Wire

HEADER = struct.Struct("!BBHBBHIIQ")
FAILURE = b"CLIENT_ERROR authentication failure\r\n"
VERSION, LIST, AUTH, STEP, SET = 0x0B, 0x20, 0x21, 0x22, 0x01
MODULE = "module"


@contextlib.contextmanager
def _file(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "users")
        path.write_text(text)
        yield path


def _login(wire, user, password):
    token = f"{user} {password}".encode()
    wire.send(b"set x 0 0 %d\r\n%s\r\n" % (len(token), token))
    return wire.line() + b"\r\n"


def _packet(wire, opcode, key=b"", value=b"", extras=b""):
    """Return: status and body of the answer."""
    wire.send(HEADER.pack(0x80, opcode, len(key), len(extras), 0, 0, len(extras + key + value), 7, 0) + extras + key + value)
    head = HEADER.unpack(wire.exactly(HEADER.size))
    equal(head[:2] + head[7:8], (0x81, opcode, 7), "magic, opcode, opaque")
    return head[5], wire.exactly(head[6])


def _plain(user, password):
    return f"\0{user}\0{password}".encode()


@test("auth -Y: nothing is served before the password, everything after it", needs=MODULE)
def text():
    with _file("foo:bar\nother:a:b c\r\n") as path, Server("-Y", path, "-A") as server:
        with server.wire() as wire:
            for command in (b"get a", b"version", b"stats", b"flush_all", b"mg abc v", b"shutdown", b"set a 0 0 0 noreply x"[:9]):
                wire.ask(command + b"\r\n", b"CLIENT_ERROR unauthenticated\r\n")
            for user, password in (("foo", "baz"), ("foo", "ba"), ("foo", "barr"), ("fo", "bar"), ("other", "a"), ("x" * 200, "y" * 200),
                                   ("foo", "x" * 10000)):
                equal(_login(wire, user, password), FAILURE, f"{user[:9]} {password[:9]}")
            equal(_login(wire, "foo", "bar"), b"STORED\r\n", "the right password")
            wire.alive()
        with server.wire() as wire:
            equal(_login(wire, "other", "a:b c"), b"STORED\r\n", "a password with colon and blank")
            rows = wire.stats()
            equal((rows["auth_cmds"], rows["auth_errors"]), ("9", "7"), "auth_cmds, auth_errors")
            rows = wire.stats(b"settings")
            equal((rows["auth_enabled_ascii"], rows["auth_enabled_sasl"]), (str(path), "no"), "stats settings")
            equal(rows["binding_protocol"], "ascii", "binding_protocol")
        with server.wire() as wire:
            wire.send(b"\r\n\r\n")
            wire.closed()
        with server.wire() as wire:
            wire.send(HEADER.pack(0x80, VERSION, 0, 0, 0, 0, 0, 0, 0) + b"\n")
            equal(wire.line(), b"CLIENT_ERROR unauthenticated", "binary is no way around")


@test("auth -S: nothing is served before PLAIN, everything after it", needs=MODULE)
def sasl():
    with _file("foo:bar:ignored\nno colon\n") as path, Server("-S", environment={"MEMCACHED_SASL_PWDB": str(path)}) as server:
        with server.wire() as wire:
            equal(_packet(wire, VERSION)[0], 0, "version")
            equal(_packet(wire, LIST), (0, b"PLAIN"), "mechanisms")
            for user, password in (("foo", "baz"), ("foo", "bar:ignored"), ("fo", "bar"), ("x" * 3000, "y")):
                equal(_packet(wire, AUTH, b"PLAIN", _plain(user, password)), (0x20, b"Auth failure."), user[:9])
            equal(_packet(wire, AUTH, b"PLAIN", _plain("foo", "bar")), (0, b"Authenticated"), "the right password")
            equal(_packet(wire, SET, b"a", b"value", bytes(8))[0], 0, "set")
        for opcode in set(range(256)) - {VERSION, LIST, AUTH, STEP}:
            with server.wire() as wire:
                equal(_packet(wire, opcode), (0x20, b"Auth failure."), f"opcode {opcode:#x}")
                wire.closed()
        with server.wire() as wire:
            wire.send(b"get a\r\n" * 4)
            wire.closed()


def _enlist(path, name, realm, word):
    subprocess.run(["saslpasswd2", "-p", "-c", "-f", path, "-u", realm, name], input=word.encode(), check=True)


@contextlib.contextmanager
def _sasldb():
    """What -S needs to find a sasldb with two users: one of this host, one of another realm."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "sasldb")
        _enlist(path, "alice", socket.gethostname(), "secret")
        _enlist(path, "bob", "else.example", "word")
        pathlib.Path(folder, "memcached.conf").write_text(f"mech_list: plain\nsasldb_path: {path}\n")
        yield {"SASL_CONF_PATH": folder}


@test("auth -S: users of a sasldb, by name or with their realm", needs=MODULE)
def sasldb():
    with _sasldb() as environment, Server("-S", environment=environment) as server:
        host = socket.gethostname()
        for user, password, answer in (
                ("alice", "secret", 0), (f"alice@{host}", "secret", 0), ("bob@else.example", "word", 0),
                ("bob", "word", 0x20), ("alice", "word", 0x20), ("alice@else.example", "secret", 0x20),
                ("alice", "secre", 0x20), ("alice", "", 0x20)):
            with server.wire() as wire:
                equal(_packet(wire, AUTH, b"PLAIN", _plain(user, password))[0], answer, f"{user} with {password}")
                equal(_packet(wire, SET, b"a", b"value", bytes(8))[0], answer, f"set by {user}")


@test("auth -S: libmemcached says who it is", needs=MODULE)
def libmemcached():
    with _file("user:secret\n") as path, Server("-S", environment={"MEMCACHED_SASL_PWDB": str(path)}) as server:
        address = f"127.0.0.1:{server.port}"
        client = pylibmc.Client([address], binary=True, username="user", password="secret")
        check(client.set("a", "text"), "set")
        equal(client.get("a"), "text", "get")
        for name, word in (("user", "wrong"), ("nobody", "secret")):
            try:
                pylibmc.Client([address], binary=True, username=name, password=word).set("a", "x")
                check(False, f"{name} with {word} may set")
            except pylibmc.Error:
                pass
        equal(client.get("a"), "text", "after others have failed")


@contextlib.contextmanager
def _attached(*options, environment=None):
    """Under the tool; clients cannot say much to it, so that only the port is waited for."""
    port = free_port()
    process = subprocess.Popen(["umemcached", "--foreground", "-l", "127.0.0.1", "-p", str(port), *options],
                               env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            Wire(("127.0.0.1", port)).close()
            break
        except OSError:
            check(process.poll() is None and time.monotonic() < limit, "no server")
            time.sleep(0.05)
    try:
        yield process, lambda: Wire(("127.0.0.1", port))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)


def _until(wire, user, password, answer):
    limit = time.monotonic() + START_SECONDS
    while (said := _login(wire, user, password)) != answer:
        check(time.monotonic() < limit, f"{user}: still {said!r}")
        time.sleep(0.05)


@test("auth: SIGHUP reads the file again: who is in stays in, who comes meets the new one", needs=MODULE)
def reload():
    with _file("foo:bar\n") as path, _attached("-Y", str(path)) as (process, connect), connect() as inside, connect() as later:
        equal(_login(inside, "foo", "bar"), b"STORED\r\n", "before")
        path.write_text("new:word\n")
        equal(_login(later, "new", "word"), FAILURE, "the file alone changes nothing")
        process.send_signal(signal.SIGHUP)
        _until(later, "new", "word", b"STORED\r\n")
        inside.alive()
        with connect() as wire:
            equal(_login(wire, "foo", "bar"), FAILURE, "the old password")
        path.write_text("none of these is a user\n")
        process.send_signal(signal.SIGHUP)
        check("NAME:PASSWORD" in process.stderr.readline(), "what is wrong with the file is told")
        with connect() as wire:
            equal(_login(wire, "new", "word"), b"STORED\r\n", "a file that is none changes nothing")
        inside.alive()


def _plain_status(connect, user, password):
    with connect() as wire:
        return _packet(wire, AUTH, b"PLAIN", _plain(user, password))[0]


@test("auth -S: SIGHUP reads the sasldb again; one that is none changes nothing", needs=MODULE)
def reload_sasldb():
    with _sasldb() as environment, _attached("-S", environment=environment) as (process, connect), connect() as inside:
        equal(_packet(inside, AUTH, b"PLAIN", _plain("alice", "secret"))[0], 0, "alice, before")
        path = pathlib.Path(environment["SASL_CONF_PATH"], "sasldb")
        _enlist(path, "carol", "else.example", "new")
        _enlist(path, "bob", "else.example", "other")
        equal(_plain_status(connect, "carol@else.example", "new"), 0x20, "the file alone changes nothing")
        process.send_signal(signal.SIGHUP)
        limit = time.monotonic() + START_SECONDS
        while _plain_status(connect, "carol@else.example", "new"):
            check(time.monotonic() < limit, "carol is still nobody")
            time.sleep(0.05)
        for user, password, answer in (("alice", "secret", 0), ("bob@else.example", "other", 0), ("bob@else.example", "word", 0x20)):
            equal(_plain_status(connect, user, password), answer, f"{user} with {password}, after")
        path.write_bytes(path.read_bytes()[:100])
        process.send_signal(signal.SIGHUP)
        check("no sasldb" in process.stderr.readline(), "what is wrong with the file is told")
        equal(_plain_status(connect, "carol@else.example", "new"), 0, "carol, after a file that is none")
        equal(_packet(inside, SET, b"a", b"value", bytes(8))[0], 0, "who was in before has stayed in")


@test("auth: files and options that do not go together are refused with a sentence", needs=MODULE)
def refusals():
    with _file("foo:bar\n") as path, _file("foo\n") as bad:
        environment = {**os.environ, "MEMCACHED_SASL_PWDB": str(path)}
        port = ("-p", free_port())
        refused(*port, "-Y", "/nowhere/at/all", status=1, words=["/nowhere/at/all"])
        refused(*port, "-Y", bad, status=1, words=["line 1"])
        refused(*port, "-Y", path, "-B", "auto", status=64, words=["-Y"])
        refused(*port, "-Y", path, "-B", "binary", status=64, words=["-Y"])
        refused(*port, "-S", "-B", "ascii", status=64, words=["-S"], env=environment)
        refused(*port, "-S", "-B", "binary", "-B", "ascii", status=64, words=["-S"], env=environment)
        refused(*port, "-S", "-Y", path, status=64, words=["exclude"], env=environment)
        refused(*port, "-S", status=1, words=["MEMCACHED_SASL_PWDB"])
        for options in (["-Y", path], ["-S"]):
            refused(*port, *options, "-U", "11211", status=64, words=["UDP"], env=environment)
