# SPDX-License-Identifier: MIT
"""Run a command in a guest whose kernel counts lines, and then say what was counted: after a line of its own, a tar of
all .gcda files as base64. The exit status is the command's."""

import base64
import io
import pathlib
import subprocess
import sys
import tarfile

COUNTS = pathlib.Path("/sys/kernel/debug/gcov")
BEGIN = "--- lines counted by the kernel ---"


def packed(folder):
    """The .gcda files below a folder. They have no size there, so they are read first."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for path in sorted(folder.rglob("*.gcda")):
            data = path.read_bytes()
            entry = tarfile.TarInfo(str(path.relative_to(folder)))
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return base64.encodebytes(whole.getvalue()).decode()


def main():
    status = subprocess.run(sys.argv[1:], check=False).returncode
    # The way out of the module is counted, too; the kernel keeps the counts of a module that has gone.
    subprocess.run(["rmmod", "kmemcache"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    print(f"\n{BEGIN}\n{packed(COUNTS)}", end="", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
