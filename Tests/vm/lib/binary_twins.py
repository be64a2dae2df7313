# SPDX-License-Identifier: MIT
"""As lib.twins, for the binary protocol: connections of their own to the same two servers."""

import socket
import struct

from lib import frames
from lib.operations import UNIQUE
from lib.tap import CheckFailed
from lib.wire import Wire


class BinarySide:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.wire = Wire(endpoint)
        self.uniques = {}

    def send(self, operations):
        parts = []
        for one in operations:
            data = one.data
            if UNIQUE in data:
                data = data.replace(UNIQUE, struct.pack("!Q", self.uniques.get(one.key, frames.NO_UNIQUE)))
            parts += [data, frames.SYNC]
        try:
            self.wire.socket.sendall(b"".join(parts))
        except OSError:
            pass  # it has closed, which receive() will see

    def receive(self, operations):
        """For each operation the list of its replies; and whether the connection has ended."""
        answers, current, rest = [], [], b""
        while len(answers) < len(operations):
            try:
                more = self.wire.socket.recv(1 << 18)
            except ConnectionResetError:
                more = b""
            except socket.timeout:
                raise CheckFailed(f"no answer from {self.endpoint} to {operations[len(answers)].data[:60]!r}") from None
            if not more:
                self.wire.close()
                self.wire = Wire(self.endpoint)
                return [*answers, current], True
            replies, rest = frames.cut(rest + more)
            for reply in replies:
                if frames.is_sync(reply):
                    answers.append(current)
                    current = []
                else:
                    current.append(reply)
        for one, replies in zip(operations, answers):
            if one.key and replies and frames.unique_of(replies[0]):
                self.uniques[one.key] = frames.unique_of(replies[0])
        return answers, False


class BinaryTwins:
    """Adds to the account of `twins`."""

    def __init__(self, twins, theirs, ours):
        self.twins = twins
        self.sides = [BinarySide(theirs), BinarySide(ours)]

    def run(self, operations):
        if not operations:
            return
        for side in self.sides:
            side.send(operations)
        (theirs, ended), (ours, has_ended) = [side.receive(operations) for side in self.sides]
        twins = self.twins
        twins.compared += len(operations)
        if ended != has_ended or len(theirs) != len(ours):
            twins.differences.append((operations[-1].data, b"closed" if ended else b"open", b"closed" if has_ended else b"open"))
            return
        for one, wanted, got in zip(operations, theirs, ours):
            twins.kinds[one.kind] += 1
            twins.hits += one.kind in ("binary get", "binary timed") and bool(got) and got[0][7] == 0
            if [frames.masked(reply) for reply in wanted] != [frames.masked(reply) for reply in got]:
                twins.differences.append((one.data, b"".join(wanted)[:300], b"".join(got)[:300]))
