# SPDX-License-Identifier: MIT
"""The process beside a server: in the background, as another user, under a service manager, told by signals."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from lib import server
from lib.server import Server, refused, succeed
from lib.tap import check, equal, patient, test
from lib.wire import Wire

CAP_NET_ADMIN = 12
NOBODY = 65534


def _wait_until(condition, seconds, text):
    """Until what takes an idle machine no longer than so many seconds."""
    limit = time.monotonic() + patient(seconds)
    while not condition():
        check(time.monotonic() < limit, text)
        time.sleep(0.02)


def _is_refused(port):
    try:
        Wire(("127.0.0.1", port)).close()
        return False
    except ConnectionResetError:
        return False        # it came while the listener was going
    except ConnectionRefusedError:
        return True


def _alive(process):
    """Whether a process that is nobody's child here runs; a zombie does not."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _status(process):
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@contextlib.contextmanager
def _daemon(*options):
    """A server of -d: gives its port, the pid file's path and the process."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        port, path = server.free_port(), pathlib.Path(folder) / "pid"
        succeed("-d", "-P", path, "-p", port, "-l", "127.0.0.1", *options)
        # Clients can connect when the caller has ended; the file was written before.
        text = path.read_text()
        check(re.fullmatch(r"[0-9]+\n", text), f"pid file: {text!r}")
        process = int(text)
        try:
            yield port, path, process
        finally:
            if _alive(process):
                os.kill(process, signal.SIGKILL)
            _wait_until(lambda: _is_refused(port), 5, "still serves")


@test("process: -d serves when the caller ends; pid file, stats and the process agree; it has left the terminal",
      needs="module")
def daemon():
    with _daemon() as (port, path, process):
        with Wire(("127.0.0.1", port)) as wire:
            equal(wire.stats()["pid"], str(process), "stats: pid")
        equal(os.getsid(process), process, "session")
        equal(os.readlink(f"/proc/{process}/cwd"), "/", "directory")
        for number in (0, 1, 2):
            equal(os.readlink(f"/proc/{process}/fd/{number}"), "/dev/null", f"descriptor {number}")
        os.kill(process, signal.SIGTERM)
        _wait_until(lambda: not _alive(process), 10, "runs on after SIGTERM")
        check(_is_refused(port), "still serves when its process is gone")
        check(not path.exists(), "the pid file stays")


@test("process: kill -9 of the background process ends its server, and leaves the pid file", needs="module")
def daemon_killed():
    with _daemon() as (port, path, process):
        os.kill(process, signal.SIGKILL)
        _wait_until(lambda: _is_refused(port), 1, "serves after kill -9")
        check(path.exists(), "the pid file is gone")
    _wait_until(lambda: "no instance" in succeed("list").stdout, 2, "still listed")


@test("process: a background server ends with its pid file on stop, a client's shutdown and SIGUSR1", needs="module")
def daemon_ends():
    def stop(port):
        succeed("stop", port)

    def shutdown(port):
        with Wire(("127.0.0.1", port)) as wire:
            wire.send(b"shutdown\r\n")
            wire.closed(within=3)

    for end in (stop, shutdown, None):
        with _daemon("-A") as (port, path, process):
            if end:
                end(port)
            else:
                os.kill(process, signal.SIGUSR1)
            _wait_until(lambda: not _alive(process), 10, f"{end}: the process runs on")
            check(not path.exists(), f"{end}: the pid file stays")


@test("process: -d whose server cannot start tells it with status and sentence", needs="module")
def daemon_fails():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused("-d", "-p", taken.getsockname()[1], "-l", "127.0.0.1", status=71, words=["taken"])


@test("process: -P of a foreground server is written and stays; one that cannot be written is told", needs="module")
def pid_file():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "pid"
        path.write_text(f"{os.getpid()}\n")
        with Server("-P", path, attached=True) as one:
            # As memcached, it serves first and writes then.
            _wait_until(lambda: path.read_text() == f"{one.process.pid}\n", 5, f"pid file: {path.read_text()!r}")
            check(f"{os.getpid()}" in one.output(), f"says nothing of the process the file named: {one.output()!r}")
        check(path.exists(), "the pid file is gone")
        with Server("-P", f"{folder}/none/pid", attached=True) as one:
            _wait_until(lambda: "pid file" in one.output(), 5, "says nothing of a pid file that cannot be")


@contextlib.contextmanager
def _passwords(text):
    """A password file that nobody, and not the superuser without his capabilities, may read."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = pathlib.Path(folder) / "users"
        path.write_text(text)
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o400)
        yield path


def _admitted(endpoint, user, password):
    """Whether a new connection comes in by this name and password, and is served then."""
    token = f"{user} {password}".encode()
    with Wire(endpoint) as wire:
        if wire.command(b"set x 0 0 %d\r\n%s" % (len(token), token)) != b"STORED":
            return False
        wire.alive()
        return True


@test("process: -u leaves CAP_NET_ADMIN alone; reload, stop and tidying work after the drop", needs="module")
def user():
    nobody = str(NOBODY)
    with _passwords("who:before\n") as users, _daemon("-u", "nobody", "-Y", users) as (port, path, process):
        found = _status(process)
        for row in ("Uid", "Gid"):
            equal(found[row].split(), [nobody] * 4, row)
        equal(found["Groups"].split(), [], "further groups")
        for row in ("CapEff", "CapPrm"):
            equal(int(found[row], 16), 1 << CAP_NET_ADMIN, row)
        equal(int(found["CapInh"], 16), 0, "CapInh")
        equal(found["NoNewPrivs"].strip(), "1", "NoNewPrivs")
        endpoint = ("127.0.0.1", port)
        check(_admitted(endpoint, "who", "before"), "the first password is refused")
        users.write_text("who:after\n")
        check(not _admitted(endpoint, "who", "after"), "the new password is admitted without SIGHUP")
        os.kill(process, signal.SIGHUP)
        _wait_until(lambda: _admitted(endpoint, "who", "after"), 20, "the new password is refused after SIGHUP")
        check(not _admitted(endpoint, "who", "before"), "the old password is admitted after SIGHUP")
        os.kill(process, signal.SIGUSR1)
        _wait_until(lambda: not _alive(process), 10, "runs on after SIGUSR1")
        check(_is_refused(port), "still serves when its process is gone")
        check(not path.exists(), "the pid file stays")
    _wait_until(lambda: "no instance" in succeed("list").stdout, 2, "still listed")
    with Server("-u", "root", attached=True) as one:
        _wait_until(lambda: int(_status(one.process.pid)["CapEff"], 16) == 1 << CAP_NET_ADMIN, 5, "CapEff with -u root")


@test("process: -p 0 without -s serves nobody, is listed and stopped; -v tells what a signal does", needs="module")
def nothing_to_listen_on():
    process = subprocess.Popen(["umemcached", "--foreground", "-v", "-p", "0", "--name", "mute"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        check("mute" in process.stdout.readline(), "does not tell that it runs")
        check("mute" in succeed("list").stdout, "not listed")
        process.send_signal(signal.SIGHUP)
        check("SIGHUP" in process.stderr.readline(), "-v does not tell of SIGHUP")
        process.send_signal(signal.SIGUSR1)
        check("gracefully" in process.stderr.readline(), "-v does not tell of SIGUSR1")
        equal(process.wait(60), 0, "status")
    finally:
        process.kill()
        process.communicate()
    check("no instance" in succeed("list").stdout, "still listed")


def _with_descriptors(sockets, *options, environment):
    """The tool as a service manager would start it: sockets from descriptor 3 on, LISTEN_PID its own number."""
    exports = " ".join(f"{number}<&{sock.fileno()}" for number, sock in enumerate(sockets, 30))
    moves = " ".join(f"{number}<&{number + 27}" for number in range(3, 3 + len(sockets)))
    script = f"exec {exports}; exec {moves}; LISTEN_PID=$$ LISTEN_FDS={len(sockets)} exec umemcached \"$@\""
    return subprocess.Popen(["bash", "-c", script, "sh", *map(str, options)], env={**os.environ, **environment},
                            pass_fds=[sock.fileno() for sock in sockets], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@test("process: sockets of LISTEN_FDS are served, TCP and unix, and NOTIFY_SOCKET hears READY, RELOADING, STOPPING",
      needs="module")
def service():
    with tempfile.TemporaryDirectory() as folder, _passwords("who:before\n") as users, socket.socket() as tcp, \
            socket.socket(socket.AF_UNIX) as unix, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        unix.bind(f"{folder}/s")
        unix.listen()
        notices.bind(f"{folder}/notify")
        notices.settimeout(60)
        # As /run/systemd/notify: the tool has dropped its privileges when it writes there.
        os.chmod(folder, 0o755)
        os.chmod(f"{folder}/notify", 0o777)
        process = _with_descriptors([tcp, unix], "--foreground", "-u", "nobody", "-Y", users,
                                    environment={"NOTIFY_SOCKET": f"{folder}/notify"})
        try:
            first = notices.recv(200).decode().splitlines()
            equal(first, ["READY=1", f"MAINPID={process.pid}"], "notice")
            for endpoint in (tcp.getsockname(), f"{folder}/s"):
                check(_admitted(endpoint, "who", "before"), f"{endpoint}: the first password is refused")
            users.write_text("who:after\n")
            process.send_signal(signal.SIGHUP)
            check(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", notices.recv(200).decode()), "reloading")
            check(notices.recv(200).startswith(b"READY=1"), "ready again")
            # Who is told so may rely on it.
            check(_admitted(f"{folder}/s", "who", "after"), "the new password is refused")
            check(not _admitted(f"{folder}/s", "who", "before"), "the old password is admitted")
            process.send_signal(signal.SIGTERM)
            equal(notices.recv(200), b"STOPPING=1", "notice")
            equal(process.wait(60), 0, "status")
            # They are the manager's: neither path nor listening goes.
            check(os.path.exists(f"{folder}/s"), "the manager's path was removed")
            socket.create_connection(tcp.getsockname(), 60).close()
        finally:
            process.kill()
            process.communicate()


@test("process: LISTEN_FDS that are no sockets, or for another process", needs="module")
def service_refused():
    with open("/dev/null", "rb") as null:
        process = _with_descriptors([null], "--foreground", environment={})
        _, complaint = process.communicate(timeout=60)
        equal(process.returncode, 71, f"status ({complaint!r})")
        check("LISTEN_FDS" in complaint, complaint)
    port = server.free_port()
    succeed("-p", port, "-l", "127.0.0.1", env={**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": "5"})
    with Wire(("127.0.0.1", port)) as wire:
        wire.alive()
    succeed("stop", port)


@test("process: any name that begins with memcached is memcached's", needs="module")
def named():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/memcached-debug"
        os.symlink(os.path.realpath(shutil.which("umemcached")), path)
        text = subprocess.run([path, "-h"], capture_output=True, text=True, timeout=60, check=True).stdout
        check("--foreground" not in text and "unix-socket" in text, f"help: {text!r}")
