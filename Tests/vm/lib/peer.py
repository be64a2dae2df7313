# SPDX-License-Identifier: MIT
"""Debian's memcached, beside the server under test."""

import subprocess
import tempfile
import time

from lib.server import START_SECONDS
from lib.tap import check
from lib.wire import Wire


class Peer:
    """Debian's memcached on a unix socket; a context manager. `options` are its own."""

    def __init__(self, *options):
        self._folder = tempfile.TemporaryDirectory(prefix="kmc-peer-")
        self._command = ["memcached", "-u", "root", *options]
        self.endpoint = f"{self._folder.name}/socket"

    def __enter__(self):
        self._process = subprocess.Popen([*self._command, "-s", self.endpoint], stdin=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        limit = time.monotonic() + START_SECONDS
        while True:
            try:
                with Wire(self.endpoint) as wire:
                    wire.alive()
                return self
            except OSError as problem:
                check(self._process.poll() is None and time.monotonic() < limit, f"memcached does not answer: {problem}")
                time.sleep(0.05)

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def wire(self, **how):
        return Wire(self.endpoint, **how)
