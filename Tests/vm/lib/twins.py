# SPDX-License-Identifier: MIT
"""Two servers that are told the same, and where their answers part."""

import base64
import collections
import re
import socket

from lib.explanations import PARTED
from lib.operations import UNIQUE
from lib.tap import CheckFailed
from lib.wire import Wire

SYNC = b"mn\r\n"
SYNCED = b"MN\r\n"
# A bundle is sent before its answers are read: neither it nor they may fill the sockets' buffers.
BUNDLE_OPERATIONS = 100
BUNDLE_BYTES = 60_000


class Side:
    """One of the two servers, its connection, and the uniques that it has shown for each key."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.wire = Wire(endpoint)
        self.uniques = {}

    def send(self, operations):
        """All operations, each with a `mn` behind it, whose answer parts the answers."""
        parts = []
        for one in operations:
            data = one.data
            if UNIQUE in data:
                data = data.replace(UNIQUE, self.uniques.get(one.key, b"18446744073709551613"))
            parts += [data, SYNC]
        try:
            self.wire.socket.sendall(b"".join(parts))
        except OSError:
            pass  # it has closed, which receive() will see

    def receive(self, count):
        """The answers, one for each operation; fewer if some could not be told apart or the server closed."""
        answer = bytearray()
        found = 0
        while found < count:
            try:
                more = self.wire.socket.recv(1 << 18)
            except ConnectionResetError:
                more = b""
            except socket.timeout:
                raise CheckFailed(f"no answer from {self.endpoint}, after {bytes(answer[-300:])!r}") from None
            if not more:
                self.wire.close()
                self.wire = Wire(self.endpoint)
                return bytes(answer).split(SYNCED)[:-1] + [b"", b"(closed)"]
            start = max(0, len(answer) - len(SYNCED) + 1)
            answer += more
            found += answer.count(SYNCED, start)
        return bytes(answer).split(SYNCED)[:count]


def shown(operation, answer):
    """Uniques by key, as gets, gats and the flag c show them."""
    found = dict(re.findall(rb"(?:^|\n)VALUE ([^ ]+) \d+ \d+ (\d+)\r\n", answer)) if answer.startswith(b"VALUE") else {}
    own = re.match(rb"(?:HD|VA \d+)(?: [^ \r\n]+)*? c(\d+)", answer)
    if own and own[1] != b"0":
        found[operation.key] = own[1]
    return found


_HEAD = re.compile(rb"\A(?:HD|VA \d+|EN|NF|NS|EX|ME)\b[^\r]*")


def masked(answer):
    """What may differ is replaced: uniques, times and what counts from them, slab classes, versions."""
    if answer.startswith(b"VALUE"):
        return re.sub(rb"((?:\A|\n)VALUE [^ ]+ \d+ \d+) \d+\r\n", rb"\1 #\r\n", answer)
    if answer.startswith(b"VERSION"):
        return b"VERSION #\r\n"
    found = _HEAD.match(answer)
    if not found:
        return answer
    head = re.sub(rb" c[1-9]\d*(?= |$)", b" c#", found[0])
    head = re.sub(rb" t\d{9,}(?= |$)", b" t#", head)
    head = re.sub(rb" t([1-9]\d*)(?= |$)", lambda time: b" t~%d" % ((int(time[1]) + 30) // 100), head)
    head = re.sub(rb" l\d+(?= |$)", b" l#", head)
    head = re.sub(rb" exp=-?\d+ la=\d+ cas=\d+", b" exp=# la=# cas=#", head)
    head = re.sub(rb" cls=\d+", b" cls=#", head)
    return head + answer[found.end():]


KEPT = "a key in base64 is kept (kmemcache)"


def without_base64(answer, key):
    """The answer with the operation's key as it is, where it stands in base64."""
    text = base64.b64encode(key)
    return answer.replace(b" k" + text + b" b", b" k" + key).replace(b"ME " + text + b" ", b"ME " + key + b" ")


class Twins:
    """Runs operations at both and keeps the account."""

    def __init__(self, theirs, ours, explanations):
        self.theirs, self.ours = Side(theirs), Side(ours)
        self.explanations = explanations
        self.explained = collections.Counter()
        self.kinds = collections.Counter()
        self.compared = self.followed = self.hits = 0
        self.differences = []

    def run(self, operations):
        """One bundle."""
        self.theirs.send(operations)
        self.ours.send(operations)
        answers = [side.receive(len(operations)) for side in (self.theirs, self.ours)]
        tainted = set()
        if len(answers[0]) != len(operations) or len(answers[1]) != len(operations):
            self._compare_whole(operations, answers)
        else:
            for one, theirs, ours in zip(operations, *answers):
                self.compare(one, theirs, ours, tainted)
        if tainted:
            self._mend(tainted)

    def _compare_whole(self, operations, answers):
        """An operation has closed the connection, or taken a marker for its data: both must have done the same."""
        self.compared += len(operations)
        theirs, ours = [b"|".join(masked(answer) for answer in side) for side in answers]
        if theirs != ours and not (len(operations) == 1 and self._explain(operations[0], theirs, ours)):
            self.differences.append((operations[-1].data, theirs[-300:], ours[-300:]))

    def _learn(self, one, theirs, ours):
        """Only what both have shown: where an explained difference hides it from one, neither knows it from then on."""
        found = [shown(one, answer) for answer in (theirs, ours)]
        for key in found[0].keys() | found[1].keys():
            for side, uniques in zip((self.theirs, self.ours), found):
                side.uniques.pop(key, None)
                if key in found[0] and key in found[1]:
                    side.uniques[key] = uniques[key]

    def compare(self, one, theirs, ours, tainted):
        """One operation's answers. Keys that the two may hold different items of come to `tainted`."""
        self._learn(one, theirs, ours)
        self.kinds[one.kind] += 1
        self.hits += ours[:5] == b"VALUE" or ours[:2] in (b"VA", b"HD")
        if tainted and (one.key in tainted or any(key in one.data for key in tainted)):
            self.followed += 1
            return
        self.compared += 1
        if theirs == ours:
            if PARTED.matches(one.data, theirs, ours):
                self.explained[PARTED.subject] += 1
                tainted.add(one.key)
            return
        theirs, ours = masked(theirs), masked(ours)
        if theirs == ours:
            return
        if without_base64(theirs, one.key) == without_base64(ours, one.key):
            self.explained[KEPT] += 1
            return
        explanation = self._explain(one, theirs, ours)
        if not explanation:
            self.differences.append((one.data, theirs[:300], ours[:300]))
        if one.key and (not explanation or explanation.parts):
            tainted.add(one.key)

    def _explain(self, one, theirs, ours):
        for explanation in self.explanations:
            if explanation.matches(one.data, theirs, ours):
                self.explained[explanation.subject] += 1
                return explanation
        return None

    def _mend(self, keys):
        """After a difference both are brought to the same state again."""
        line = b"".join(b"delete %s noreply\r\n" % key for key in keys) + SYNC
        for side in (self.theirs, self.ours):
            side.wire.socket.sendall(line)
        for side in (self.theirs, self.ours):
            side.receive(1)


def bundles(traffic, count):
    """Operations in bundles; what may close stands alone."""
    bundle, size = [], 0
    for _ in range(count):
        one = traffic.next()
        if bundle and (one.closes or len(bundle) == BUNDLE_OPERATIONS or size + len(one.data) > BUNDLE_BYTES):
            yield bundle
            bundle, size = [], 0
        bundle.append(one)
        size += len(one.data)
        if one.closes:
            yield bundle
            bundle, size = [], 0
    if bundle:
        yield bundle
