# SPDX-License-Identifier: MIT
"""The kernels a guest can boot: Debian's packages, unpacked in a cache and never installed, and debug kernels."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from . import built_kernels, cache, payload
from .errors import HarnessError

# Short name -> Debian's meta packages. Every kernel the project promises has one row.
SERIES = {
    "6.1": ("linux-image-amd64", "linux-headers-amd64"),
    "6.12": ("linux-image-6.12-amd64", "linux-headers-6.12-amd64"),
}


@dataclass(frozen=True)
class Kernel:
    """A bootable kernel: its release, its image and the tree that holds its modules (or None)."""
    release: str
    image: pathlib.Path
    modules: pathlib.Path | None
    pvh: bool


def _run(arguments, **options):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise HarnessError(f"`{' '.join(map(str, arguments))}` failed: {done.stdout.strip()[-600:]}")
    return done.stdout


def _depends(package):
    """Names a package depends on, first alternatives and others alike."""
    text = _run(["apt-cache", "depends", package])
    return re.findall(r"Depends: (\S+)", text)


def _first(names, pattern, package):
    for name in names:
        if re.fullmatch(pattern, name):
            return name
    raise HarnessError(f"{package} names no package like {pattern}; is `apt-get update` done?")


def _packages(series):
    """The real packages behind a series' meta packages: image, headers, common headers, kbuild."""
    image_meta, headers_meta = SERIES[series]
    image = _first(_depends(image_meta), r"linux-image-\d.*", image_meta)
    headers = _first(_depends(headers_meta), r"linux-headers-\d.*", headers_meta)
    needed = _depends(headers)
    common = _first(needed, r"linux-headers-.*-common", headers)
    kbuild = _first(needed, r"linux-kbuild-.*", headers)
    return [image, headers, common, kbuild]


def _relocate_headers(root):
    """Debian's header Makefile includes the common tree by an absolute path: make it relative."""
    for makefile in root.glob("usr/src/linux-headers-*-amd64/Makefile"):
        text = makefile.read_text(encoding="ascii")
        makefile.write_text(
            re.sub(r"^include /usr/src/(\S+)$",
                   r"include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../\1", text, flags=re.M),
            encoding="ascii")


def _usr_merged(root):
    """Where a package keeps its modules: 6.1 has /lib/modules, later ones may have /usr/lib/modules."""
    for place in ("lib/modules", "usr/lib/modules"):
        found = [entry for entry in (root / place).glob("*/kernel") if entry.is_dir()]
        if found:
            return found[0].parent
    raise HarnessError(f"no modules in {root}")


def _prepare(directory):
    """Derive from an unpacked image what booting needs: module index, build link, vmlinux."""
    root = directory / "root"
    modules = _usr_merged(root)
    release = modules.name
    base = root if modules.is_relative_to(root / "lib") else root / "usr"
    depmod = shutil.which("depmod", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not depmod:
        raise HarnessError("depmod is missing: apt-get install kmod")
    _run([depmod, "-b", base, release])
    for link, target in (("build", f"linux-headers-{release}"), ("source", None)):
        (modules / link).unlink(missing_ok=True)
        if target:
            (modules / link).symlink_to(os.path.relpath(root / "usr/src" / target, modules))
    image = (root / "boot" / f"vmlinuz-{release}").read_bytes()
    vmlinux = payload.extract_vmlinux(image)
    if vmlinux and payload.has_pvh_entry(vmlinux):
        (directory / "vmlinux").write_bytes(vmlinux)
    return release


def fetch(series, update=False):
    """Download and unpack a series' packages unless that is done; returns its Kernel."""
    if series not in SERIES:
        raise HarnessError(f"no kernel series {series!r}: there are {', '.join(SERIES)}")
    pointer = cache.directory() / "kernels" / series
    if update or not pointer.exists():
        with cache.lock(f"fetch-{series}"):
            if update or not pointer.exists():
                _download(series, pointer)
    return _cached(pointer.resolve())


def _download(series, pointer):
    packages = _packages(series)
    pointer.parent.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix=".fetch-", dir=pointer.parent))
    try:
        cache.say(f"downloading {' '.join(packages)} (about 100 MB, once)")
        _run(["apt-get", "download", "-q", "-o", "Acquire::Retries=5", *packages], cwd=scratch)
        for deb in sorted(scratch.glob("*.deb")):
            cache.say(f"unpacking {deb.name}")
            _run(["dpkg-deb", "-x", deb, scratch / "root"])
            deb.unlink()
        _relocate_headers(scratch / "root")
        release = _prepare(scratch)
        place = pointer.parent / release
        if not place.exists():
            scratch.rename(place)
            place.chmod(0o755)
        fresh = pointer.with_name(f".{series}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(release)
        fresh.rename(pointer)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _cached(directory):
    release = directory.name
    modules = _usr_merged(directory / "root")
    vmlinux = directory / "vmlinux"
    if vmlinux.exists():
        return Kernel(release, vmlinux, modules, True)
    return Kernel(release, directory / "root/boot" / f"vmlinuz-{release}", modules, False)


def _modules_near(image, release):
    """Modules of a kernel given by path: beside it, in the cache, or installed."""
    candidates = [parent / "lib/modules" / release for parent in (image.parent, image.parent.parent)]
    candidates += [cache.directory() / "kernels" / release / "root/lib/modules" / release,
                   pathlib.Path("/lib/modules") / release]
    for candidate in candidates:
        if (candidate / "modules.dep").exists():
            return candidate
    return None


def names():
    """All names that find() knows."""
    return [*SERIES, *built_kernels.RECIPES]


def find(name):
    """The Kernel behind a `--kernel` argument: a name (fetched or built if need be) or a path to an image."""
    if name in SERIES:
        return fetch(name)
    if name in built_kernels.RECIPES:
        return _cached(built_kernels.place(name) or built_kernels.build(name))
    image = pathlib.Path(name)
    if not image.is_file():
        raise HarnessError(f"no kernel {name!r}: give {', '.join(names())} or the path of a bzImage or vmlinux")
    data = image.read_bytes()
    release = payload.release(data)
    if release is None:
        raise HarnessError(f"{name} is not a Linux kernel image for x86")
    pvh = data.startswith(payload.ELF_MAGIC)
    return Kernel(release, image.resolve(), _modules_near(image.resolve(), release), pvh)
