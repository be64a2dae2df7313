# SPDX-License-Identifier: MIT
"""Programs for libFuzzer from kmod/core, kmod/sim and the targets' sources."""
import os
import pathlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

CLANG = os.environ.get("CLANG", "clang")
COMMON = ["-std=gnu11", "-g", "-D_GNU_SOURCE", "-ITests/Fuzz", "-Wall", "-Werror", "-pthread"]
FUZZ = ["-O1", "-fsanitize=fuzzer-no-link,address,undefined", "-fno-sanitize-recover=all"]
COVER = ["-O0", "-fprofile-instr-generate", "-fcoverage-mapping"]


def compile_one(source, output, flags):
    command = [CLANG, *COMMON, *flags, "-c", str(source), "-o", str(output)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"fuzz: {' '.join(command)}\n{done.stdout}")
    return output


class Tree:
    """All objects, compiled in one way; programs are linked when asked for."""

    def __init__(self, folder, flags, kmod=pathlib.Path("kmod")):
        self.folder, self.flags = folder, flags
        folder.mkdir()
        sources = sorted([*kmod.glob("core/**/*.c"), *kmod.glob("sim/*.c")])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self.objects = dict(zip((str(s.relative_to(kmod)) for s in sources), pool.map(self._object, sources)))

    def _object(self, source):
        return compile_one(source, self.folder / (str(source).replace("/", "_") + ".o"), ["-Ikmod", *self.flags])

    def program(self, target, instead=None):
        """The program of a target; instead: another object in the place of a source's."""
        output = self.folder / (target.name + ("-planted" if instead else ""))
        if output.exists():
            return output
        flags = ["-Ikmod", *(f"-D{define}" for define in target.defines), *self.flags]
        main = [compile_one(f"Tests/Fuzz/{source}", self.folder / f"{output.name}-{source}.o", flags)
                for source in (target.main, "harness.c")]
        objects = {**self.objects, **(instead or {})}
        link = [flag for flag in self.flags if flag.startswith("-f") and "coverage" not in flag and "recover" not in flag]
        link = [flag.replace("fuzzer-no-link", "fuzzer") for flag in link]
        if not any("fuzzer" in flag for flag in link):
            link.append("-fsanitize=fuzzer")
        subprocess.run([CLANG, *link, *main, *objects.values(), "-pthread", "-o", output], check=True)
        return output


def planted(tree, target, folder):
    """The program of a target with its bug; the bug's line must be there."""
    name, there, instead = target.plant
    shutil.copytree("kmod", folder / "kmod", ignore=shutil.ignore_patterns("*.o", "*.ko", ".*"))
    source = folder / "kmod" / name
    text = source.read_text()
    if text.count(there) != 1:
        raise SystemExit(f"fuzz: {name} has no line, or several, in which to plant {target.planted}: {there}")
    source.write_text(text.replace(there, instead))
    changed = compile_one(source, folder / "planted.o", [f"-I{folder / 'kmod'}", *tree.flags])
    return tree.program(target, {name: changed})
