# SPDX-License-Identifier: MIT
"""Which part may know which: the arrows of docs/architecture.md."""

import pathlib
import re

from . import sources

CORE = pathlib.PurePosixPath("kmod/core")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
UAPI = pathlib.PurePosixPath("kmod/include/uapi")

# Swift module -> modules of ours that it may import. A module that is not named here may import none.
IMPORTS = {
    "umemcached": {"UMemcachedCommands"},
    "UMemcachedCommands": {"KMCControl", "KMCConformance", "CLinux", "CKMemcacheUAPI"},
    "KMCControl": {"CKMemcacheUAPI", "CLibNL", "CLinux"},
    "KMCConformance": {"KMCProtocolModel", "CLinux"},
    "KMCProtocolModel": set(),
    "KMCBench": {"CLinux", "KMCControl"},
    "kmcbench": {"KMCBench", "KMCControl"},
}
# No input or output: the oracle is a value.
PURE = {"KMCProtocolModel": {"Foundation", "Glibc", "Dispatch", "SystemPackage", "NIOCore"}}


def _resolved(path, name):
    """A quoted include as a path of the project."""
    parts = []
    for part in (path.parent / name).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return pathlib.PurePosixPath(*parts)


def _core_file(path):
    for bracket, name in INCLUDE.findall(sources.text(path)):
        if bracket == "<":
            if path != CORE / "kernel.h":
                yield f"{path}: includes <{name}>; core/ knows the kernel through kernel.h only"
            continue
        target = _resolved(path, name)
        if target.is_relative_to("kmod/sim") and path == CORE / "kernel.h":
            continue
        # The contract's limits are the core's limits; it compiles anywhere.
        if not target.is_relative_to(CORE) and not target.is_relative_to(UAPI):
            yield f"{path}: includes {name}, which is outside core/"
        for one, other in (("proto", "store"), ("store", "proto"), ("proto", "cmd"), ("store", "cmd")):
            if path.is_relative_to(CORE / one) and target.is_relative_to(CORE / other):
                yield f"{path}: {one}/ includes {name}; they meet in cmd/ only"


def core_includes():
    """core/ includes kernel.h and itself; its protocol and its store do not know each other."""
    for path in sources.below(CORE, ".c", ".h"):
        yield from _core_file(path)


def kernel_includes():
    """The module's own files do not include what is for user space."""
    for path in sources.below("kmod", ".c", ".h"):
        if path.is_relative_to(CORE) or path.is_relative_to("kmod/sim"):
            continue
        for bracket, name in INCLUDE.findall(sources.text(path)):
            if bracket == '"' and _resolved(path, name).is_relative_to("kmod/sim"):
                yield f"{path}: includes {name}, which is for user space"


def swift_imports():
    """Swift modules import only what the arrows allow."""
    ours = {path.parts[1] for path in sources.below("Sources", ".swift", ".modulemap")}
    for path in sources.below("Sources", ".swift"):
        module = path.parts[1]
        code = sources.code(path)
        for name in re.findall(r"^\s*(?:@\w+\s+)*(?:\w+\s+)?import\s+(?:\w+\s+)?(\w+)", code, re.MULTILINE):
            if name in ours and name not in IMPORTS.get(module, set()):
                yield f"{path}: {module} imports {name}"
            if name in PURE.get(module, set()):
                yield f"{path}: {module} imports {name}; it does no I/O"


def swift_strictness():
    """Every Swift target treats warnings as errors."""
    code = sources.text(pathlib.PurePosixPath("Package.swift"))
    if "treatAllWarnings(as: .error)" not in code:
        yield "Package.swift: nothing treats warnings as errors"
    for found in re.finditer(r"\.(target|executableTarget|testTarget)\(", code):
        depth, end = 1, found.end()
        while depth and end < len(code):
            depth += (code[end] == "(") - (code[end] == ")")
            end += 1
        block = code[found.start():end]
        name = re.search(r'name:\s*"(\w+)"', block)
        holds_swift = name and sources.below(f"Sources/{name.group(1)}", ".swift")
        if holds_swift and "strict" not in block:
            yield f"Package.swift: target {name.group(1)} is without `swiftSettings: strict`"
