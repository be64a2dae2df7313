# SPDX-License-Identifier: MIT
"""Kernels that find bugs, or count lines: built from Debian's sources with a configuration of ours, kept in the cache.

A kernel is built again when its source package or its configuration changes. It takes some minutes on four cores and
about 3 GB while it is being built, 500 MB afterwards.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from . import cache
from .errors import HarnessError

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"


@dataclass(frozen=True)
class Recipe:
    """`source`: Debian's package; `series`: the kernel it belongs to; `config`: of vm/configs, beside guest.config."""
    source: str
    series: str
    config: str


RECIPES = {
    "debug": Recipe("linux-source-6.1", "6.1", "debug"),
    "kcsan": Recipe("linux-source-6.1", "6.1", "kcsan"),
    "debug-6.12": Recipe("linux-source-6.12", "6.12", "debug"),
    "gcov": Recipe("linux-source-6.1", "6.1", "gcov"),
}

def fingerprint(recipe):
    """What a built kernel depends on, as the end of its name."""
    digest = hashlib.sha256()
    for name in ("guest", recipe.config):
        digest.update((CONFIGS / f"{name}.config").read_bytes())
    return f"{recipe.config}-{digest.hexdigest()[:8]}"


def place(name):
    """The folder of a built kernel in the cache, or None."""
    pointer = cache.directory() / "kernels" / name
    if pointer.exists() and pointer.resolve().name.endswith(fingerprint(RECIPES[name])):
        return pointer.resolve()
    return None


def build(name):
    """Build a kernel unless it is there; returns its folder."""
    with cache.lock(f"build-{name}"):
        return place(name) or _build(name, RECIPES[name])


def _step(what, command, folder, log):
    cache.say(what)
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        log.seek(0)
        raise HarnessError(f"{what} failed (have `tools/deps debug` been run?); the end of its output:\n"
                           + log.read()[-3000:].decode("utf-8", "replace"))


def _build(name, recipe):
    pointer = cache.directory() / "kernels" / name
    pointer.parent.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix=".build-", dir=pointer.parent))
    try:
        with tempfile.TemporaryFile() as log:
            tree = _unpack(recipe, scratch, log)
            release = _compile(recipe, tree, scratch / "root", log)
        return _keep(scratch, release, pointer)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpack(recipe, scratch, log):
    _step(f"downloading {recipe.source} (about 140 MB, once)", ["apt-get", "download", "-q", recipe.source], scratch, log)
    package = next(scratch.glob("*.deb"))
    _step(f"unpacking {package.name}", ["bash", "-c", f"dpkg-deb --fsys-tarfile '{package.name}' | tar x && rm '{package.name}'"
          f" && tar xf usr/src/{recipe.source}.tar.xz && rm -r usr"], scratch, log)
    (scratch / recipe.source).rename(scratch / "build")
    return scratch / "build"


def _compile(recipe, tree, root, log):
    """Configure and build; returns the release. Modules and image go below `root`."""
    fragments = [str(CONFIGS / f"{name}.config") for name in ("guest", recipe.config)]
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    _step("configuring", ["make", "defconfig", "kvm_guest.config"], tree, log)
    _step("configuring further", ["scripts/kconfig/merge_config.sh", "-m", ".config", *fragments], tree, log)
    _step("settling the configuration", ["make", "olddefconfig"], tree, log)
    version = f"LOCALVERSION=-kmc-{fingerprint(recipe)}"
    _step(f"building a kernel with {recipe.config}.config from {recipe.source} (some minutes, once)",
          ["make", jobs, version, "bzImage", "modules"], tree, log)
    _step("installing modules into the cache", ["make", version, f"INSTALL_MOD_PATH={root}", "modules_install"], tree, log)
    release = (tree / "include/config/kernel.release").read_text(encoding="ascii").strip()
    (root / "boot").mkdir()
    shutil.copy(tree / "arch/x86/boot/bzImage", root / "boot" / f"vmlinuz-{release}")
    return release


def _keep(scratch, release, pointer):
    """Leave what modules are built with, throw the rest away, and put it under its name."""
    tree = scratch / "build"
    for folder in tree.iterdir():
        if folder.is_dir() and folder.name not in ("scripts", "tools", "include", "arch"):
            for path in folder.rglob("*"):
                if path.is_file() and not path.name.startswith(("Makefile", "Kconfig", "Kbuild")):
                    path.unlink()
    for path in [*tree.glob("vmlinux*"), *(tree / "arch").rglob("*.o"), *(tree / "arch").rglob("*.a"),
                 *(tree / "arch/x86/boot").glob("*Image")]:
        path.unlink(missing_ok=True)
    modules = scratch / "root/lib/modules" / release
    for link in ("build", "source"):
        (modules / link).unlink(missing_ok=True)
    (modules / "kernel").mkdir(exist_ok=True)
    (modules / "build").symlink_to(os.path.relpath(tree, modules))
    place_for_it = pointer.parent / release
    shutil.rmtree(place_for_it, ignore_errors=True)
    scratch.rename(place_for_it)
    place_for_it.chmod(0o755)
    fresh = pointer.with_name(f".{pointer.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(release)
    fresh.rename(pointer)
    return place_for_it
