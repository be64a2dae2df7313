# SPDX-License-Identifier: MIT
"""One run of a guest: starts QEMU, carries bytes both ways until it ends, and keeps what the verdict needs."""

import array
import ctypes
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import termios
import time
from dataclasses import dataclass, field

from . import kernel_log, machine

CHANNELS = ("console", "control", "output", "input", "log")
CONSOLE_KEPT = 1 << 20  # bytes; an endless console must not fill the host's memory
PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.05


@dataclass
class Outcome:
    """What was seen of a run; says nothing yet about what it means."""
    loading: bool = False           # the module is being loaded, or was: what goes wrong from here on may be its doing
    started: bool = False           # COMMAND was started
    result: int | None = None       # COMMAND's status, from the guest's line
    failure: str = ""               # the guest's own sentence about why it gave up
    exit_code: int | None = None    # QEMU's; negative is a signal
    timed_out: bool = False
    hung_booting: bool = False      # timed out, and long before COMMAND's own time
    answered: bool = False          # the guest was told that its log has arrived
    console: bytearray = field(default_factory=bytearray)
    log: bytearray = field(default_factory=bytearray)
    stderr: bytes = b""             # QEMU's own


def _die_with_parent():
    """Runs in the child: a killed harness must not leave a guest behind, nor the terminal's Ctrl-C reach it first."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Session:
    """Runs one guest to its end. Use as `Session(...).run()`; not reusable."""

    def __init__(self, nonce, timeout, boot_timeout, stdin, stdout, scratch):
        self._nonce, self._stdin, self._stdout = nonce, stdin, stdout
        self._deadline = time.monotonic() + timeout if timeout else None
        self._boot_deadline = time.monotonic() + boot_timeout
        self._errors = scratch / "qemu-stderr"
        self._selector = selectors.DefaultSelector()
        self._pairs = {name: socket.socketpair() for name in CHANNELS}
        self._ours = {name: pair[0] for name, pair in self._pairs.items()}
        self._lines = b""
        self._pending = b""
        self._input_ended = False  # but QEMU has not read all of it
        self._receivers = {"console": self._on_console, "control": self._on_control,
                                "output": self._on_output, "log": self._on_log}
        self.outcome = Outcome()
        self.on_started = lambda: None

    def channels(self):
        """Channel name -> descriptor that QEMU will inherit."""
        return {name: pair[1].fileno() for name, pair in self._pairs.items()}

    def run(self, arguments):
        """Start QEMU with `arguments` and serve it until it ends, fails or time is over; returns the Outcome."""
        theirs = {name: pair[1] for name, pair in self._pairs.items()}
        with open(self._errors, "wb") as errors:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                                       pass_fds=list(machine.inheritable(theirs).values()),
                                       preexec_fn=_die_with_parent)
        try:
            for one in theirs.values():
                one.close()
            self._register()
            self._serve()
            self._end(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            self.outcome.exit_code = process.returncode
            self.outcome.stderr = self._errors.read_bytes()
        return self.outcome

    def _register(self):
        for name in self._receivers:
            self._ours[name].setblocking(False)
            self._selector.register(self._ours[name], selectors.EVENT_READ, name)
        self._ours["input"].setblocking(False)
        if self._stdin is None:
            self._close_input()
        else:
            self._watch_stdin()

    def _watch_stdin(self):
        try:
            self._selector.register(self._stdin, selectors.EVENT_READ, "stdin")
        except PermissionError:
            # A regular file cannot be polled: it is always ready, and small enough to send at once.
            with os.fdopen(os.dup(self._stdin), "rb") as whole:
                self._pending = whole.read()
            self._stdin = None
            self._selector.register(self._ours["input"], selectors.EVENT_WRITE, "input")

    def _serve(self):
        """Carry bytes until QEMU has closed the console, or the deadline."""
        while self._is_open("console"):
            left = self._seconds_left()
            if left is not None and left <= 0:
                self.outcome.timed_out = True
                self.outcome.hung_booting = not self.outcome.started and self._deadline != self._limit()
                return
            if self._input_ended:
                self._close_input()
                left = POLL_SECONDS
            for key, _ in self._selector.select(left):
                self._ready(key)

    def _limit(self):
        """When this has to end; while the guest boots no later than that may take."""
        limits = [self._deadline, None if self.outcome.started else self._boot_deadline]
        return min((limit for limit in limits if limit is not None), default=None)

    def _seconds_left(self):
        limit = self._limit()
        return None if limit is None else limit - time.monotonic()

    def _is_open(self, name):
        return self._ours[name].fileno() >= 0

    def _ready(self, key):
        if key.data == "stdin":
            self._on_stdin()
        elif key.data == "input":
            self._flush_input()
        else:
            self._receive(key.data)

    def _receive(self, name):
        try:
            data = self._ours[name].recv(1 << 16)
        except ConnectionResetError:
            data = b""
        except BlockingIOError:
            return
        if data:
            self._receivers[name](data)
        else:
            self._selector.unregister(self._ours[name])
            self._ours[name].close()

    def _end(self, process):
        """After the console has closed QEMU is ending; take what is still on the way."""
        if self.outcome.timed_out:
            process.kill()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for name in self._receivers:
            while self._is_open(name):
                self._receive(name)

    def _on_console(self, data):
        self.outcome.console += data
        if len(self.outcome.console) > CONSOLE_KEPT:
            del self.outcome.console[:-CONSOLE_KEPT // 2]

    def _on_output(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self._stdout, view):]

    def _on_log(self, data):
        self.outcome.log += data
        self._answer()

    def _on_control(self, data):
        *lines, self._lines = (self._lines + data).split(b"\n")
        for line in lines:
            self._on_event(line.decode("ascii", "replace").strip())
        self._answer()

    def _on_event(self, line):
        word, _, rest = line.partition(" ")
        nonce, _, status = rest.partition(" ")
        if word == "loading":
            self.outcome.loading = True
        elif word == "started":
            self.outcome.started = True
            self.on_started()
        elif word == "failed":
            self.outcome.failure = rest
        elif word == "result" and nonce == self._nonce and status.isdigit():
            self.outcome.result = int(status)

    def _answer(self):
        """Let the guest go once its result and its whole log are here."""
        outcome = self.outcome
        if outcome.answered or outcome.result is None or not kernel_log.is_complete(outcome.log, self._nonce):
            return
        outcome.answered = True
        self._ours["control"].sendall(f"{self._nonce}\n".encode())

    def _on_stdin(self):
        data = os.read(self._stdin, 1 << 14)
        self._selector.unregister(self._stdin)
        if not data:
            self._close_input()
            return
        self._pending = data
        self._selector.register(self._ours["input"], selectors.EVENT_WRITE, "input")

    def _flush_input(self):
        try:
            self._pending = self._pending[self._ours["input"].send(self._pending):]
        except BlockingIOError:
            return
        except OSError:
            self._pending, self._stdin = b"", None
        if self._pending:
            return
        self._selector.unregister(self._ours["input"])
        if self._stdin is None:
            self._close_input()
        else:
            self._watch_stdin()

    def _close_input(self):
        """COMMAND's input ends when the port's other side is gone; QEMU then drops what it has not yet read."""
        unread = array.array("i", [0])
        fcntl.ioctl(self._ours["input"], termios.TIOCOUTQ, unread)
        self._input_ended = unread[0] > 0
        if not self._input_ended:
            self._ours["input"].close()
