# SPDX-License-Identifier: MIT
"""Which lines the kept inputs reach."""
import json
import os
import pathlib
import subprocess

import build

PROFDATA = os.environ.get("LLVM_PROFDATA", "llvm-profdata")
COV = os.environ.get("LLVM_COV", "llvm-cov")


def _measure_one(tree, target, kept, scratch):
    program = tree.program(target)
    raw, merged = scratch / f"{target.name}.profraw", scratch / f"{target.name}.profdata"
    environment = {**os.environ, "LLVM_PROFILE_FILE": str(raw)}
    subprocess.run([program, "-runs=0", kept], env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([PROFDATA, "merge", "-o", merged, raw], check=True)
    said = subprocess.run([COV, "export", "-summary-only", f"-instr-profile={merged}", program], check=True, stdout=subprocess.PIPE)
    files = json.loads(said.stdout)["data"][0]["files"]
    root = pathlib.Path("kmod").absolute()
    return {os.path.relpath(file["filename"], root): file["summary"]["lines"]["percent"] for file in files}


def measure(targets, kept, scratch):
    """For each target: per cent of lines by source, as a path below kmod/."""
    tree = build.Tree(scratch / "cover", build.COVER)
    return {target: _measure_one(tree, target, kept[target], scratch) for target in targets}
