# SPDX-License-Identifier: MIT
"""What several clients were told about a key could have happened one after the other; and no compare-and-swap is lost."""

import itertools
import json
import os
import pathlib
import random
import subprocess
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lib.linear import NEVER, Operation, is_linearizable, step
from lib.recorder import record, tokens_agree
from lib.server import Server
from lib.tap import check, equal, test
from lib.wire import Wire

CLIENTS = 8
CONTESTANTS, WORKERS, WINS = 64, 4, 4  # clients of one number, in so many processes, and how often each adds one


def _brute(history):
    """Whether any order at all will do: what linearizable means, for histories of a few operations."""
    pending = [one for one in history if one.end == NEVER]
    done = [one for one in history if one.end != NEVER]
    return any(_agrees(order) for left in range(len(pending) + 1) for chosen in itertools.combinations(pending, left)
               for order in itertools.permutations(done + list(chosen)))


def _agrees(order):
    state = None
    for number, one in enumerate(order):
        state, result = step(state, one)
        if one.end != NEVER and result != one.result or any(later.end < one.begin for later in order[number + 1:]):
            return False
    return True


def _random_history(dice):
    """Up to six operations that overlap, with answers of which about half could be."""
    history = []
    for number in range(dice.randint(2, 6)):
        begin = dice.randint(0, 12)
        end = NEVER if dice.random() < 0.15 else begin + dice.randint(1, 8)
        verb, value = dice.choice(("set", "get", "get", "delete", "cas", "add")), f"v{number}"
        result = {"set": True, "get": dice.choice((None, "v0", "v1", "v2")), "delete": dice.random() < 0.5,
                  "cas": dice.choice(("stored", "exists", "absent")), "add": dice.random() < 0.5}[verb]
        argument = (dice.choice(("v0", "v1")), value) if verb == "cas" else value
        history.append(Operation(begin, end, verb, argument, None if end == NEVER else result))
    return history


# Each is a right history but for its last operation, in which the one that must be refused differs.
PLANTED = (
    ("a value that was replaced is read again", [(0, 1, "set", "a", True), (2, 3, "set", "b", True)],
     (4, 5, "get", None, "b"), (4, 5, "get", None, "a")),
    ("a value that was deleted is read again", [(0, 1, "set", "a", True), (2, 3, "delete", None, True)],
     (4, 5, "get", None, None), (4, 5, "get", None, "a")),
    ("two cas of one unique are both stored", [(0, 1, "set", "a", True), (2, 5, "cas", ("a", "b"), "stored")],
     (2, 5, "cas", ("a", "c"), "exists"), (2, 5, "cas", ("a", "c"), "stored")),
    ("an increment is lost", [(0, 1, "set", "1", True), (2, 5, "incr", 1, "2")],
     (2, 5, "incr", 1, "3"), (2, 5, "incr", 1, "2")),
    ("a value nobody stored", [(0, 1, "set", "a", True)], (2, 3, "get", None, "a"), (2, 3, "get", None, "b")),
    ("what was lost on its way comes and goes", [(0, 1, "set", "a", True), (2, NEVER, "set", "b", None), (3, 4, "get", None, "b")],
     (5, 6, "get", None, "b"), (5, 6, "get", None, "a")),
)


@test("linearizable: histories with a planted mistake are refused, the same without it are not")
def planted():
    for what, before, right, wrong in PLANTED:
        check(is_linearizable([Operation(*one) for one in (*before, right)]), f"refused, without: {what}")
        check(not is_linearizable([Operation(*one) for one in (*before, wrong)]), f"not refused: {what}")


@test("linearizable: 300 small random histories are judged as by trying every order", timeout=120)
def against_brute_force():
    dice, found = random.Random(1), [0, 0]
    for _ in range(300):
        history = _random_history(dice)
        expected = _brute(history)
        equal(is_linearizable(history), expected, f"verdict on {history}")
        found[expected] += 1
    check(min(found) > 30, f"refused and taken: {found}")


def _begin(operation):
    return operation.begin


def _histories_of(endpoint, seed, count):
    histories, tokens = record(endpoint, CLIENTS, seed, count // CLIENTS)
    operations = sum(map(len, histories.values()))
    lost = sum(one.end == NEVER for history in histories.values() for one in history)
    equal(operations, count, "operations")
    check(lost > count // 400, f"only {lost} of {count} operations lost their connection")
    for key, history in histories.items():
        pairs = tokens.get(key, set())
        check(tokens_agree(pairs), f"seed {seed}: uniques of {key}: {sorted(pairs)}")
        check(is_linearizable(history), f"seed {seed}: no order of what happened to {key}: {sorted(history, key=_begin)}")
    overlaps = sum(two.begin < one.end for history in histories.values()
                   for one, two in itertools.pairwise(sorted(history, key=_begin)))
    # One CPU may well serve each before the next client gets its turn.
    check(overlaps or os.cpu_count() == 1, "no operation overlaps the next one")
    _refuses_a_change(histories)
    print(f"# {operations} operations on {len(histories)} keys, {lost} without an answer, {overlaps} overlap the next one")


def _refuses_a_change(histories):
    """A read in the middle of a real history is made to say what nobody stored."""
    key, history = max(histories.items(), key=lambda item: len(item[1]))
    reads = [one for one in history if one.verb == "get" and one.end != NEVER]
    victim = reads[len(reads) // 2]
    changed = [Operation(one.begin, one.end, "get", None, "no such value") if one is victim else one for one in history]
    check(not is_linearizable(changed), f"a wrong read of {key} was not refused")


@test("linearizable: 2,000 operations of eight clients, over TCP and unix", timeout=240)
def some():
    for unix in (False, True):
        with Server("-t", "4", unix=unix) as server:
            _histories_of(server.path or list(server.endpoint), 1 + unix, 1000)


@test("linearizable: 200,000 operations of eight clients, over TCP and unix", timeout=1200, long=True)
def many():
    for unix in (False, True):
        for seed in (100, 101):
            with Server("-t", "4", unix=unix) as server:
                _histories_of(server.path or list(server.endpoint), seed + 10 * unix, 50_000)


def _contend(endpoint, count, wins):
    """Clients that each add one to "sum", `wins` times. Who loses tries again. Returns how often any did not win."""
    wires = [Wire(endpoint) for _ in range(count)]
    left, lost = dict.fromkeys(wires, wins), 0
    while left:
        for wire in left:
            wire.send(b"gets sum\r\n")
        seen = {wire: wire.values()[b"sum"] for wire in left}
        for wire, (_, data, token) in seen.items():
            text = b"%d" % (int(data) + 1)
            wire.send(b"cas sum 0 0 %d %d\r\n%s\r\n" % (len(text), token, text))
        for wire in seen:
            line = wire.line()
            check(line in (b"STORED", b"EXISTS"), f"{line!r} to cas")
            lost += line == b"EXISTS"
            left[wire] -= line == b"STORED"
            if not left[wire]:
                del left[wire]
    return lost


@test("64 clients add to one number by cas, and the sum is exact", timeout=240)
def sum_by_cas():
    with Server("-t", "4") as server:
        with server.wire() as wire:
            wire.set(b"sum", b"0")
        workers = [subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                   for _ in range(WORKERS)]
        for worker in workers:
            worker.stdin.write(json.dumps([server.endpoint, CONTESTANTS // WORKERS, WINS]) + "\n")
            worker.stdin.flush()
        lost = [json.loads(worker.communicate()[0]) for worker in workers]
        with server.wire() as wire:
            equal(wire.get(b"sum")[b"sum"][1], b"%d" % (CONTESTANTS * WINS), "the sum")
            stats = wire.stats()
        equal((int(stats["cas_hits"]), int(stats["cas_badval"])), (CONTESTANTS * WINS, sum(lost)), "cas that were stored, refused")
        check(sum(lost) > CONTESTANTS, f"only {sum(lost)} were too late")


if __name__ == "__main__":
    _endpoint, *_rest = json.loads(sys.stdin.readline())
    print(json.dumps(_contend(tuple(_endpoint), *_rest)))
