# SPDX-License-Identifier: MIT
"""The files of the project, and their text without comments and strings."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Longest first, so that a comment inside a string, or a quote inside a comment, is no beginning.
NO_CODE = re.compile(
    r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|\'\\[^\']*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def files():
    """Every file that is, or is about to be, part of the project, relative to its root."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, check=True,
                            stdout=subprocess.PIPE).stdout.splitlines()
    return [pathlib.PurePosixPath(name) for name in sorted(set(listed)) if (ROOT / name).is_file()]


def below(folder, *suffixes):
    """Those in a folder with one of the suffixes."""
    return [path for path in files() if path.is_relative_to(folder) and path.suffix in suffixes]


def text(path):
    """A file's text; a file that is no text is empty."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def code(path):
    """A C or Swift file's text with comments and strings blanked; lines stay where they are."""
    return NO_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text(path))
