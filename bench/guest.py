# SPDX-License-Identifier: MIT
"""Runs bench/inside.py in a guest, for bench/run and bench/gate."""

import json
import pathlib
import shutil
import subprocess
import sys

from inside import RESULT_MARK

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def add_options(parser):
    """What all runs can be told."""
    parser.add_argument("--kernel", default="6.1", help="as vm/run (default 6.1)")
    parser.add_argument("--memory", type=int, default=1024, metavar="MB", help="guest memory (default 1024)")
    parser.add_argument("--peer", action="append", metavar="PROGRAM",
                        help="another side; may be repeated (default memcached)")
    parser.add_argument("--tool", type=pathlib.Path, default=ROOT / ".build/release/umemcached", metavar="FILE",
                        help="umemcached to load with (default .build/release/umemcached)")
    parser.add_argument("--timeout", type=int, default=1800, metavar="S", help="for the whole run (default 1800)")


def program(name):
    """Absolute path of a program, or a sentence about its absence."""
    found = shutil.which(name)
    if not found:
        raise SystemExit(f"bench: there is no program {name}: apt-get install memcached, or name another one")
    return str(pathlib.Path(found).resolve())


def peers(names):
    """Side -> program; the first one is called "peer"."""
    return {f"peer{number or ''}": program(name) for number, name in enumerate(names or ["memcached"])}


def version(peer):
    """What a memcached says it is."""
    return subprocess.run([peer, "-V"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()[-1]


def settings(options, **more):
    """What bench/inside.py is told."""
    if not options.tool.is_file():
        raise SystemExit(f"bench: there is no {options.tool}: `make` builds it, --tool names another one")
    defaults = {"tool": str(options.tool.resolve()), "ours": None, "ours_only": False, "rows": "", "titles": None, "gate_rows": False,
                "memory_items": [], "idle_connections": 0, "client_threads": 0, "repeats": 1, "icount": True, "peer_threads": [None]}
    return {**defaults, **more}


def run(options, told, machine, add):
    """Boots with the options `machine` of vm/run, passes on what the guest says, gives each result to `add`."""
    command = [ROOT / "vm/run", "--kernel", options.kernel, "--memory", str(options.memory), "--timeout",
               str(options.timeout), *machine, "--", "/usr/bin/python3", str(HERE / "inside.py"), json.dumps(told)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as guest:
        for line in guest.stdout:
            if line.startswith(RESULT_MARK):
                add(json.loads(line.removeprefix(RESULT_MARK)))
            else:
                sys.stderr.write(line)
    if guest.returncode != 0:
        raise SystemExit(f"bench: the guest ended with status {guest.returncode}")
