# SPDX-License-Identifier: GPL-2.0
"""The fault sites of kmctest.ko (fault.c), and what it says of them."""

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
