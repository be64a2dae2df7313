# SPDX-License-Identifier: MIT
"""Turns what was seen of a run into one exit status and, unless all is well, a sentence."""

import re
import signal

from . import errors, kernel_log, machine

SHOWN_LINES = 200
PLACES = 16


def _panicked(outcome):
    return re.search(rb"Kernel panic - not syncing[^\r\n]*", bytes(outcome.console))


def died_while_booting(outcome):
    """Whether the kernel panicked or hung, or QEMU broke off, before COMMAND began and before anything of ours was loaded.

    QEMU's emulation of several CPUs now and then runs the breakpoint that a booting kernel has put into code which it is
    patching ("Oops: int3"), has all of them spin, or fails an assertion of its own (msix_table_mmio_write). That says
    nothing about COMMAND: such a guest may be booted again.
    """
    if outcome.loading or outcome.started:
        return False
    broke_off = outcome.exit_code in (-signal.SIGABRT, -signal.SIGSEGV)
    return outcome.hung_booting or (not outcome.timed_out and (broke_off or bool(_panicked(outcome))))


def _console_tail(outcome):
    """What the console showed since the run began; it has what a dying kernel could no longer log."""
    text = bytes(outcome.console).decode("utf-8", "backslashreplace").replace("\r", "").strip()
    return "\n".join(text.rpartition("vm: begin ")[2].split("\n")[-SHOWN_LINES:])


def _places(outcome):
    """Functions of the kernel that its traces were taken in, in their order; "" without any. Said last, where it is read."""
    found = re.findall(rb"RIP: 0010:([\w.]+)", bytes(outcome.console).rpartition(b"vm: begin ")[2])
    names = [name.decode() for name in dict.fromkeys(found)]
    return f"\nthe kernel's traces were taken in {', '.join(names[-PLACES:])}" if names else ""


def _without_result(outcome, options):
    """The status and sentence of a run whose two witnesses are not both there."""
    panic = _panicked(outcome)
    if panic:
        return errors.STATUS_PANIC, f"the guest's kernel panicked: {panic.group().decode('utf-8', 'replace')}"
    if outcome.hung_booting:
        return errors.STATUS_NO_BOOT, "the guest had not finished booting when that had taken far too long"
    if outcome.timed_out and outcome.result is None:
        what = "COMMAND was still running" if outcome.started else "the guest had not finished booting"
        return errors.STATUS_TIMEOUT, f"time is over: {what} after {options.timeout} s"
    if outcome.failure:
        return errors.STATUS_NO_BOOT, f"the guest gave up: {outcome.failure}"
    if outcome.timed_out:
        return errors.STATUS_TIMEOUT, f"time is over: COMMAND had ended, the guest had not, after {options.timeout} s"
    if not outcome.started:
        return errors.STATUS_NO_BOOT, (f"the guest never started COMMAND; QEMU ended with {outcome.exit_code}: "
                                       f"{outcome.stderr.decode('utf-8', 'replace').strip()[-400:] or 'no word'}")
    if outcome.result is None:
        return errors.STATUS_NO_RESULT, f"the guest ended without a result (QEMU's exit code {outcome.exit_code})"
    return errors.STATUS_NO_RESULT, (f"the guest's two witnesses disagree: the line says {outcome.result}, "
                                     f"QEMU's exit code is {outcome.exit_code}")


def _log_faults(outcome, nonce, options):
    records = kernel_log.parse(bytes(outcome.log))
    lost = kernel_log.gaps(records)
    if lost:
        return [f"{count} records from number {first} on were lost" for first, count in lost]
    return [str(record) for record in kernel_log.faults(records, nonce, options.allow_log)]


def judge(outcome, nonce, options):
    """(exit status, text for the terminal or "")."""
    agreed = outcome.result is not None and outcome.exit_code == machine.debug_exit_code(outcome.result)
    faults = _log_faults(outcome, nonce, options)
    shown = "\n".join(faults[:SHOWN_LINES])
    if not agreed:
        status, sentence = _without_result(outcome, options)
        return status, f"{sentence}\n{_console_tail(outcome)}".rstrip() + _places(outcome)
    if faults:
        return errors.STATUS_LOG, (f"{len(faults)} bad lines in the guest's kernel log "
                                   f"(COMMAND's own status was {outcome.result}):\n{shown}")
    return outcome.result, ""
