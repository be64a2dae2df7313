# SPDX-License-Identifier: MIT
"""What the comparison makes of two answers, without any server behind it."""

import contextlib
import socket
import tempfile

from lib import explanations
from lib.operations import Operation
from lib.tap import equal, test
from lib.twins import Twins


@contextlib.contextmanager
def _twins():
    """On a socket that nobody answers at."""
    with tempfile.TemporaryDirectory(prefix="kmc-") as folder, socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{folder}/socket")
        silent.listen()
        yield Twins(silent.getsockname(), silent.getsockname(), explanations.ALL)


def _uniques(twins):
    return twins.theirs.uniques, twins.ours.uniques


@test("comparison: uniques that both show are learned, each side its own, also behind a key with a tab")
def learned():
    with _twins() as twins:
        twins.compare(Operation("mg", b"mg t\tab k c\r\n", b"t\tab"), b"HD kt\tab c7\r\n", b"HD kt\tab c8\r\n", set())
        equal(_uniques(twins), ({b"t\tab": b"7"}, {b"t\tab": b"8"}), "uniques")
        twins.compare(Operation("gets", b"gets a b\r\n"), b"VALUE a 0 0 1\r\n\r\nVALUE b 0 1 2\r\nx\r\nEND\r\n",
                      b"VALUE a 0 0 3\r\n\r\nVALUE b 0 1 4\r\nx\r\nEND\r\n", set())
        equal(_uniques(twins), ({b"t\tab": b"7", b"a": b"1", b"b": b"2"}, {b"t\tab": b"8", b"a": b"3", b"b": b"4"}), "uniques")
        equal(twins.differences, [], "differences")


@test("comparison: a unique that an explained difference hides from one side is known to neither")
def hidden():
    with _twins() as twins:
        twins.compare(Operation("mg", b"mg n c\r\n", b"n"), b"HD c5\r\n", b"HD c6\r\n", set())
        twins.compare(Operation("ma", b"ma n N0 q c\r\n", b"n"), b"HD c7\r\n", b"", set())
        equal(_uniques(twins), ({}, {}), "uniques")
        equal(sum(twins.explained.values()), 1, "explained differences")
        equal(twins.differences, [], "differences")


@test("comparison: a key that memcached may have changed before it refused is left alone, also one with a tab")
def parted():
    refused = b"CLIENT_ERROR opaque token too long\r\n"
    for key in (b"a~1", b"t\tab"):
        with _twins() as twins:
            tainted = set()
            twins.compare(Operation("mg", b"mg %s O%s\r\n" % (key, b"y" * 32), key), refused, refused, tainted)
            equal(tainted, {key}, "keys to be left alone")
