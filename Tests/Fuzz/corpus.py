# SPDX-License-Identifier: MIT
"""The inputs that are kept: one file for each target, an input a line, with Python's escapes."""
import hashlib
import pathlib

FOLDER = pathlib.Path(__file__).parent / "corpus"
HEAD = "# SPDX-License-Identifier: GPL-2.0\n# Kept inputs, one a line, escaped; Tests/Fuzz/run --grow writes this file.\n"


def path(target):
    return FOLDER / f"{target.name}.txt"


def unpack(file, folder):
    """Write each input to a file of its own, as libFuzzer wants it. Returns the folder."""
    folder.mkdir()
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith("#"):
            continue
        data = line.encode("ascii").decode("unicode_escape").encode("latin-1")
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return folder


def pack(folder, file):
    """The inputs of a folder as one file. Returns how many they are."""
    inputs = {entry.read_bytes() for entry in folder.iterdir()}
    # A number sign at the beginning is a comment's.
    lines = [data.decode("latin-1").encode("unicode_escape").decode("ascii").replace("#", "\\x23") for data in inputs]
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEAD + "".join(line + "\n" for line in sorted(lines)))
    return len(lines)
