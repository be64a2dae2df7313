# SPDX-License-Identifier: MIT
"""Size budgets: lines of files and functions, and how deep control flow nests."""

import re
from dataclasses import dataclass

from . import sources

FILE_LINES = {".c": 700, ".h": 700, ".swift": 400, ".py": 400, "": 400}
FUNCTION_LINES = {".c": 100, ".h": 100, ".swift": 80}
NESTING = 3

SWIFT_FUNCTION = re.compile(r"(?:\bfunc\s+(\S+?)\s*[(<]|\b(init)[?!]?\s*[(<]|\b(deinit)\s*\{)")
# Swift's do and catch are the scope of errors, not a loop.
SWIFT_CONTROL = re.compile(r"\b(if|else|for|while|switch|guard|repeat)\b[^;{}]*$")
C_CONTROL = re.compile(r"\b(if|else|for|while|switch|do)\b[^;{}]*$|\b\w*for_each\w*\s*\([^;{}]*$")


@dataclass(frozen=True)
class Function:
    """A function's name, its first line, how many lines it has, and how deep its control flow nests."""
    name: str
    line: int
    lines: int
    nesting: int


def _close(code, opening, control):
    """Index behind the brace that closes the one at `opening`, and the depth of control flow inside."""
    stack, deepest = [], 0
    for place in range(opening, len(code)):
        if code[place] == "{":
            before = code[max(0, place - 400):place]
            stack.append(len(stack) > 0 and bool(control.search(before)))
            deepest = max(deepest, sum(stack))
        elif code[place] == "}":
            stack.pop()
            if not stack:
                return place + 1, deepest
    return len(code), deepest


def _function(code, name, start, opening, control):
    end, nesting = _close(code, opening, control)
    line = code.count("\n", 0, start) + 1
    return Function(name, line, code.count("\n", start, end) + 1, nesting), end


def c_functions(code):
    """Functions in kernel style: the brace alone in the first column, the name before the parenthesis above it."""
    for brace in re.finditer(r"^\{", code, re.MULTILINE):
        head_start = max(code.rfind("\n\n", 0, brace.start()), code.rfind("\n}", 0, brace.start()), 0)
        head = code[head_start:brace.start()]
        name = re.search(r"(\w+)\s*\([^;]*$", head, re.DOTALL)
        if name:
            first = head_start + len(head) - len(head.lstrip())
            yield _function(code, name.group(1), max(first, brace.start() - 600), brace.start(), C_CONTROL)[0]


def swift_functions(code):
    """Functions, initializers and deinitializers that have a body; the signature counts."""
    for found in SWIFT_FUNCTION.finditer(code):
        name = next(group for group in found.groups() if group)
        opening = _body(code, found.end() - 1)
        if opening is not None:
            yield _function(code, name, found.start(), opening, SWIFT_CONTROL)[0]


def _body(code, place):
    """Where the body of a declaration opens, or None if it has none (a protocol's requirement, a call)."""
    depth = 0
    for index in range(place, len(code)):
        char = code[index]
        depth += (char in "([") - (char in ")]")
        if depth < 0 or (depth == 0 and char == "}"):
            return None
        if depth == 0 and char == "{":
            return index
        if depth == 0 and char == "\n" and not re.match(r"\s*(async|throws|rethrows|->|where|\{|borrowing|consuming)",
                                                        code[index + 1:]):
            if not re.search(r"(->|where|,|throws|:)\s*$", code[place:index]):
                return None
    return None


def functions(path):
    """All functions of a C or Swift file."""
    code = sources.code(path)
    return list(swift_functions(code) if path.suffix == ".swift" else c_functions(code))


def _is_script(path):
    return path.suffix == "" and sources.text(path).startswith("#!")


def file_sizes():
    """Files above their budget."""
    for path in sources.files():
        if path.suffix not in FILE_LINES or (path.suffix == "" and not _is_script(path)):
            continue
        lines = sources.text(path).count("\n")
        if lines > FILE_LINES[path.suffix]:
            yield f"{path}: {lines} lines, at most {FILE_LINES[path.suffix]}"


def function_sizes():
    """C and Swift functions above their budget."""
    for path in sources.files():
        for one in functions(path) if path.suffix in FUNCTION_LINES else ():
            if one.lines > FUNCTION_LINES[path.suffix]:
                yield f"{path}:{one.line}: {one.name} has {one.lines} lines, at most {FUNCTION_LINES[path.suffix]}"


def nesting():
    """C and Swift functions whose control flow nests too deep."""
    for path in sources.files():
        for one in functions(path) if path.suffix in FUNCTION_LINES else ():
            if one.nesting > NESTING:
                yield f"{path}:{one.line}: {one.name} nests {one.nesting} deep, at most {NESTING}"
