# SPDX-License-Identifier: MIT
"""The servers that are compared: each can be started, spoken to over each transport, weighed and stopped."""

import os
import pathlib
import re
import socket
import subprocess
import time

SOCKETS = pathlib.Path("/run")
PATIENCE_SECONDS = 20
_free_port = 12000


def _next_port():
    global _free_port
    _free_port += 1
    return _free_port


def _wait_for(family, address):
    """Until something accepts there."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                return probe.connect(address)
            except OSError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.02)


def available_bytes():
    """MemAvailable after what can be dropped is dropped, with the free pages that each CPU keeps for itself, which
    MemAvailable leaves out: several MB on a machine with one CPU."""
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")
    pathlib.Path("/proc/sys/vm/stat_refresh").write_text("1\n", encoding="ascii")
    information = pathlib.Path("/proc/meminfo").read_text(encoding="ascii")
    available = int(re.search(r"^MemAvailable: +(\d+) kB", information, re.MULTILINE).group(1)) * 1024
    kept = re.findall(r"^ +count: +(\d+)$", pathlib.Path("/proc/zoneinfo").read_text(encoding="ascii"), re.MULTILINE)
    return available + sum(map(int, kept)) * os.sysconf("SC_PAGE_SIZE")


class Server:
    """One server for one transport. `threads` is memcached's -t, or None for its default."""
    host = "127.0.0.1"

    def __init__(self, program, transport, memory_mb, threads=None):
        self.program = program
        self.memory_mb = memory_mb
        self.threads = threads
        self.connections = None     # the limit; None: the default
        self.udp = transport == "udp"
        self.port = _next_port()
        self.path = SOCKETS / f"bench-{self.port}.sock" if transport == "unix" else None

    def limit_options(self):
        return ["-m", str(self.memory_mb), *(["-c", str(self.connections)] if self.connections else [])]

    def listen_options(self):
        if self.path:
            return ["-s", str(self.path)]
        return ["-l", self.host, "-p", str(self.port), "-U", str(self.port if self.udp else 0)]

    def client_options(self):
        if self.path:
            return ["--unix", str(self.path)]
        return ["--udp" if self.udp else "--tcp", f"127.0.0.1:{self.port}"]

    def wait_until_it_accepts(self):
        if self.path:
            _wait_for(socket.AF_UNIX, str(self.path))
        else:
            _wait_for(socket.AF_INET, ("127.0.0.1", self.port))

    def statistics(self, what=""):
        """The answer to `stats WHAT`, as a dictionary of strings."""
        family, address = (socket.AF_UNIX, str(self.path)) if self.path else (socket.AF_INET, ("127.0.0.1", self.port))
        with socket.socket(family, socket.SOCK_STREAM) as stream:
            stream.connect(address)
            stream.sendall(f"stats {what}".strip().encode() + b"\r\n")
            answer = stream.makefile("rb")
            rows = {}
            for line in iter(answer.readline, b"END\r\n"):
                words = line.split(maxsplit=2)
                if len(words) < 3 or words[0] != b"STAT":
                    raise RuntimeError(f"stats {what}: {line!r}")
                rows[words[1].decode()] = words[2].decode().strip()
            return rows

    def own_total_bytes(self):
        """What the server says that it holds: slab pages and hash table."""
        return int(self.statistics("slabs")["total_malloced"]) + int(self.statistics().get("hash_bytes", 0))

    def real_bytes(self):
        """Memory in use because of this server, on a scale whose zero does not matter."""
        return -available_bytes()


class Process(Server):
    """memcached, or anything that takes its options and stays in the foreground."""

    def start(self):
        command = [self.program, "-u", "root", *self.limit_options(), *self.listen_options()]
        if self.threads:
            command += ["-t", str(self.threads)]
        self.process = subprocess.Popen(command)
        self.wait_until_it_accepts()
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def real_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


class Instance(Server):
    """An instance in the kernel, started by umemcached."""

    def start(self):
        subprocess.run([self.program, "--name", self.name(), *self.limit_options(), *self.listen_options()],
                       check=True, stdout=subprocess.DEVNULL)
        self.wait_until_it_accepts()
        return self

    def stop(self):
        subprocess.run([self.program, "stop", self.name()], check=True, stdout=subprocess.DEVNULL)

    def name(self):
        return f"bench-{self.port}"
