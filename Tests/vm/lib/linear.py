# SPDX-License-Identifier: MIT
"""Whether a history of operations on one key could have happened one after the other.

The method is Wing and Gong's search with Lowe's memory ("Testing for linearizability", 2017): operations are taken in
turn from those that no other had to precede, undone when what follows has no place, and a set of operations taken that
led to a state once is not tried again. Keys are independent of each other, so each has a history of its own.
"""

from dataclasses import dataclass

NEVER = float("inf")


@dataclass(frozen=True)
class Operation:
    """What a client asked for, and what came back.

    `begin` and `end` are instants; an operation without an answer has NEVER as its end and None as its result: it may
    have happened at any time after its beginning, or not at all.
    """
    begin: float
    end: float
    verb: str
    argument: object = None
    result: object = None


def step(state, operation):
    """The state after an operation that does its work on `state` (a value, or None), and what it answers."""
    verb, argument = operation.verb, operation.argument
    present = state is not None
    if verb == "get":
        return state, state
    if verb == "set":
        return argument, True
    if verb == "add":
        return (state, False) if present else (argument, True)
    if verb == "replace":
        return (argument, True) if present else (state, False)
    if verb == "append":
        return (state + argument, True) if present else (state, False)
    if verb == "delete":
        return None, present
    if verb == "incr":
        return (state, None) if not present else (str(int(state) + argument),) * 2
    if verb == "cas":
        expected, value = argument
        if not present:
            return state, "absent"
        return (value, "stored") if state == expected else (state, "exists")
    raise ValueError(verb)


class _Entry:
    """One end of an operation in the list of all, in the order of time."""
    __slots__ = ("operation", "bit", "other", "before", "after")

    def __init__(self, operation, bit, other=None):
        self.operation, self.bit, self.other = operation, bit, other
        self.before = self.after = None


def _listed(history):
    """The head of a list of all beginnings and ends; of equal instants, beginnings come first."""
    ends = []
    for number, operation in enumerate(history):
        finish = _Entry(None, 0)
        start = _Entry(operation, 1 << number, finish)
        ends += [(operation.begin, 0, number, start), (operation.end, 1, number, finish)]
    head = last = _Entry(None, 0)
    for *_, entry in sorted(ends, key=lambda end: end[:3]):
        last.after, entry.before = entry, last
        last = entry
    return head


def _lift(start):
    """Take both ends of an operation out of the list."""
    for entry in (start, start.other):
        entry.before.after = entry.after
        if entry.after:
            entry.after.before = entry.before


def _unlift(start):
    for entry in (start.other, start):
        entry.before.after = entry
        if entry.after:
            entry.after.before = entry


def _fits(operation, result):
    return operation.end == NEVER or operation.result == result


def is_linearizable(history, state=None):
    """Whether there is an order of all operations that agrees with their instants and with step()."""
    wanted = sum(1 << number for number, operation in enumerate(history) if operation.end != NEVER)
    head = _listed(history)
    taken, path, known = 0, [], set()
    entry = head.after
    while taken & wanted != wanted:
        if entry.other:
            next_state, result = step(state, entry.operation)
            seen = (taken | entry.bit, next_state)
            if _fits(entry.operation, result) and seen not in known:
                known.add(seen)
                path.append((entry, state))
                taken, state = seen
                _lift(entry)
                entry = head.after
            else:
                entry = entry.after
        elif not path:
            return False
        else:
            # An operation has ended that is not taken yet: what was taken last was taken too early.
            undone, state = path.pop()
            taken &= ~undone.bit
            _unlift(undone)
            entry = undone.after
    return True
