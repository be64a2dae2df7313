# SPDX-License-Identifier: GPL-2.0
"""The fault sites of kmctest.ko (fault.c), and what it says of them."""

import contextlib
import pathlib
import re
import subprocess

from lib.tap import equal

PARAMETERS = pathlib.Path("/sys/module/kmctest/parameters")


def parameter(name):
    return (PARAMETERS / name).read_text()


def fail(nth, site=""):
    """The nth hit of `site` (or of any) from now on fails; 0: none."""
    (PARAMETERS / "only").write_text(site)
    (PARAMETERS / "fail").write_text(str(nth))


@contextlib.contextmanager
def burst(site, hits):
    """The next `hits` hits of `site` fail."""
    fail(0, site)
    (PARAMETERS / "burst").write_text(str(hits))
    try:
        yield
    finally:
        (PARAMETERS / "burst").write_text("0")
        fail(0)


@contextlib.contextmanager
def _switched(name, on):
    before = parameter(name)
    (PARAMETERS / name).write_text("NY"[on])
    try:
        yield
    finally:
        (PARAMETERS / name).write_text(before)


def tx_frags(on):
    """Whether TCP's replies are built in pages and sent from there."""
    return _switched("tx_frags", on)


def frag_spares(on):
    """Whether such pages are kept."""
    return _switched("frag_spares", on)


def sites():
    """Every site as "FILE:LINE WHAT": (hits, failed)."""
    lines = parameter("sites").splitlines()
    equal(lines.pop(), "end", "the end of the list of sites")
    return {name: (int(hits), int(failed)) for name, hits, failed in (line.rsplit(" ", 2) for line in lines)}


def log():
    """What the module has said, line by line."""
    text = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\[ *[\d.]+\] kmctest: (.*)$", text, re.M)


def said_faults():
    """The sites that were made to fail, in order, of all modules loaded so far."""
    return [line.removeprefix("fault ") for line in log() if line.startswith("fault ")]
