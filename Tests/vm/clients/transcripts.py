# SPDX-License-Identifier: MIT
"""The conversations of transcripts/, in every way of sending, over TCP and unix."""

import pathlib

from lib import transcript
from lib.server import Server, as_numbers, version
from lib.tap import check, test
from lib.wire import Wire

FOLDER = pathlib.Path(__file__).parent / "transcripts"


def _play_all(path, unix):
    known = [one for one in transcript.read(path) if as_numbers(one.since) <= version()]
    check(known, f"no conversation in {path.name}")
    with Server(unix=unix) as server:
        for conversation in known:
            for way in ("turns", "pipelined", "bytes"):
                with server.wire() as wire:
                    wire.ask(b"flush_all\r\n", b"OK\r\n")
                with Wire(server.endpoint, timeout=60) as wire:
                    transcript.play(conversation, wire, way)


def _register(path):
    test(f"transcripts: {path.stem} over TCP")(lambda: _play_all(path, unix=False))
    test(f"transcripts: {path.stem} over unix")(lambda: _play_all(path, unix=True))


for _path in sorted(FOLDER.glob("*.txt")):
    _register(_path)
