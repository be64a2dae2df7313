# SPDX-License-Identifier: MIT
"""Clients that write down what they ask, when, and what they are told, all on the same few keys.

Run as a program, it is one client: its orders come as JSON, and so does its record.
"""

import json
import pathlib
import random
import subprocess
import sys
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lib.linear import NEVER, Operation
from lib.tap import CheckFailed, check
from lib.wire import Wire

# Operations of all clients on a key before they go on to the next one, and how many keys are in use at a time.
KEY_OPERATIONS, KEYS = 240, 3
# Of so many operations one loses its connection before its answer: each such may have happened at any later time.
LOSSES = 120

_REGISTER = ("get",) * 5 + ("gets",) * 3 + ("mg",) * 2 + ("set",) * 3 + ("ms", "add", "replace", "append", "delete") + ("cas",) * 5
_COUNTER = ("get",) * 4 + ("incr",) * 6 + ("ma",) * 2 + ("set", "add", "delete")


class _Client:
    """One client. What it asks is a matter of its seed; what it is told is not."""

    def __init__(self, endpoint, number, clients, seed, count):
        self.endpoint = endpoint if isinstance(endpoint, str) else tuple(endpoint)
        self.number, self.clients, self.count = number, clients, count
        self.dice = random.Random(f"{seed} {number}")
        self.wire = Wire(self.endpoint)
        self.tokens = {}
        self.record = []

    def run(self):
        for turn in range(self.count):
            generation = turn * self.clients // (KEY_OPERATIONS * KEYS)
            key = f"linear-{generation}-{self.dice.randrange(KEYS)}"
            self._one(key, f"{self.number}.{turn}", counter=key.endswith("0"))
        return self.record

    def _one(self, key, unique, counter):
        verb = self.dice.choice(_COUNTER if counter else _REGISTER)
        value = str(1000 * int(unique.replace(".", ""))) if counter else f"<{unique}>"
        if verb == "cas" and key not in self.tokens:
            verb = "gets"
        request, known, argument = self._request(verb, key, value)
        lost = self.dice.randrange(LOSSES) == 0
        begin = time.monotonic_ns()
        self.wire.send(request)
        if lost:
            self._lose()
            self.record.append((key, begin, None, known, argument, None, None))
            return
        result, token = self._answer(verb, key)
        end = time.monotonic_ns()
        self.record.append((key, begin, end, known, argument, result, token))

    def _lose(self):
        if isinstance(self.endpoint, str) or self.dice.random() < 0.5:
            self.wire.close()
        else:
            self.wire.reset()
        self.wire = Wire(self.endpoint)

    def _request(self, verb, key, value):
        """The bytes, and the operation: its verb and argument in the words of linear.step()."""
        plain = f"{verb} {key} 0 0 {len(value)}\r\n{value}\r\n".encode()
        if verb in ("get", "gets"):
            return f"{verb} {key}\r\n".encode(), "get", None
        if verb == "mg":
            return f"mg {key} c v\r\n".encode(), "get", None
        if verb == "ms":
            return f"ms {key} {len(value)}\r\n{value}\r\n".encode(), "set", value
        if verb == "ma":
            return f"ma {key} D7 v\r\n".encode(), "incr", 7
        if verb == "incr":
            return f"incr {key} 3\r\n".encode(), "incr", 3
        if verb == "delete":
            return f"delete {key}\r\n".encode(), "delete", None
        if verb == "cas":
            token, seen = self.tokens.pop(key)
            return f"cas {key} 0 0 {len(value)} {token}\r\n{value}\r\n".encode(), "cas", (seen, value)
        return plain, verb, value

    def _answer(self, verb, key):
        """The result as linear.step() has it, and the unique that came with a value."""
        if verb in ("get", "gets"):
            _, data, token = self.wire.values().get(key.encode(), (0, None, None))
            return self._seen(key, data, token)
        line = self.wire.line()
        if line.startswith(b"VA "):
            token = next((int(word[1:]) for word in line.split()[2:] if word.startswith(b"c")), None)
            data = self.wire.exactly(int(line.split()[1]) + 2)[:-2]
            return self._seen(key, data, token if verb == "mg" else None)
        if line in (b"EN", b"NF") or verb == "incr":
            return None if line in (b"EN", b"NF", b"NOT_FOUND") else line.decode(), None
        known = {b"STORED": True, b"HD": True, b"NOT_STORED": False, b"DELETED": True, b"NOT_FOUND": False}
        if verb == "cas":
            known = {b"STORED": "stored", b"EXISTS": "exists", b"NOT_FOUND": "absent"}
        check(line in known, f"{line!r} to {verb}")
        return known[line], None

    def _seen(self, key, data, token):
        text = None if data is None else data.decode()
        if token is not None:
            self.tokens[key] = token, text
        return text, token


def record(endpoint, clients, seed, count):
    """Let `clients` processes ask `count` operations each; all histories by key, and a dictionary of tokens by key."""
    workers = [subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for _ in range(clients)]
    for number, worker in enumerate(workers):
        worker.stdin.write(json.dumps([endpoint, number, clients, seed, count]) + "\n")
        worker.stdin.flush()
    histories, tokens = {}, {}
    for worker in workers:
        text, _ = worker.communicate()
        if worker.returncode:
            raise CheckFailed(f"a client ended with {worker.returncode}")
        for key, begin, end, verb, argument, result, token in json.loads(text):
            argument = tuple(argument) if isinstance(argument, list) else argument
            histories.setdefault(key, []).append(
                Operation(begin, NEVER if end is None else end, verb, argument, result))
            if token is not None:
                tokens.setdefault(key, set()).add((token, result))
    return histories, tokens


def tokens_agree(pairs):
    """Whether each unique named one value, and each value had one unique: no client stores the same value twice."""
    return len({token for token, _ in pairs}) == len({value for _, value in pairs}) == len(pairs)


if __name__ == "__main__":
    print(json.dumps(_Client(*json.loads(sys.stdin.readline())).run()))
