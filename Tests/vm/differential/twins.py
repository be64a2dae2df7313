# SPDX-License-Identifier: MIT
"""The differential run: random operations of all three protocols to Debian's memcached and to the server under test, compared byte by byte."""

import contextlib
import io
import multiprocessing

from lib import explanations
from lib.binary_twins import BinaryTwins
from lib.frames import Frames
from lib.operations import Traffic
from lib.peer import Peer
from lib.server import Server, is_ours
from lib.tap import check, test
from lib.twins import Twins, bundles

# No maintainer: it holds items for a moment, and a number that is held is not written in place.
PEER = ["-m", "128", "-o", "no_lru_maintainer"]
HIT_PERCENT = 20
# A million, at four pairs of servers at once.
PARTS, PART = 4, 250_000


def _run(seed, count, most=25):
    options = [] if is_ours() else ["-o", "no_lru_maintainer"]
    with Peer(*PEER) as peer, Server("-m", "128", *options, unix=True) as server:
        known = explanations.ALL + ([] if is_ours() else explanations.NOT_OURS)
        twins = Twins(peer.endpoint, server.endpoint, known)
        binary = BinaryTwins(twins, peer.endpoint, server.endpoint)
        # A quarter is binary, on connections beside the text's, in turn.
        more = bundles(Frames(seed), count // 4)
        for number, bundle in enumerate(bundles(Traffic(seed), count - count // 4)):
            twins.run(bundle)
            if number % 2:
                binary.run(next(more, []))
            if len(twins.differences) >= most:
                break
        for bundle in more:
            binary.run(bundle)
    _report(twins, seed)


def _report(twins, seed):
    for request, theirs, ours in twins.differences:
        print(f"# {request[:200]!r}\n#   memcached {theirs!r}\n#   ours      {ours!r}")
    check(not twins.differences, f"seed {seed}: {len(twins.differences)} differences")
    print(f"# {twins.compared} operations compared, {twins.followed} left out behind an explained difference, {twins.hits} hits")
    releases = {explanation.subject: explanation.release for explanation in twins.explanations}
    for subject, count in twins.explained.most_common():
        print(f"#   {count:7} {releases.get(subject, 'ours'):6} {subject}")
    check(twins.hits * 100 >= HIT_PERCENT * twins.compared, f"only {twins.hits} hits in {twins.compared} operations")
    check(twins.followed * 10 < twins.compared, f"{twins.followed} operations were left out, {twins.compared} compared")


@test("20,000 random operations: the answers are memcached's", timeout=900)
def some():
    _run(seed=1, count=20_000)


def _part(seed, result):
    """A part of a million in a process of its own: what it says, and what failed."""
    said, problem = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            _run(seed, PART)
    except Exception as failure:
        problem = f"seed {seed}: {failure}"
    result.put((said.getvalue(), problem))


@test("a million random operations: the answers are memcached's", timeout=7200, long=True)
def million():
    here = multiprocessing.get_context("fork")
    results = [here.SimpleQueue() for _ in range(PARTS)]
    parts = [here.Process(target=_part, args=(1000 + number, result), daemon=True) for number, result in enumerate(results)]
    try:
        for part in parts:
            part.start()
        found = [result.get() for result in results]
    finally:
        for part in parts:
            part.terminate()
    for said, _ in found:
        print(said, end="", flush=True)
    check(not any(problem for _, problem in found), "; ".join(problem for _, problem in found if problem))
