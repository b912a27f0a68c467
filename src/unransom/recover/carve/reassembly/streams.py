"""Files that are checked as they come, from their first byte on: the cut is where the check fails.

gzip by the deflated data itself, its CRC-32 and length; SQLite by its pages and its trees; MP3 by its frames,
where the first says how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import gzip, mp3, sqlite
from unransom.catalog.formats.format import Format
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.streams import Reader, Window
from unransom.recover.carve.board import Board, in_order
from unransom.recover.carve.classes import DENSE, OTHER, TEXT
from unransom.recover.carve.found import Found, Proof, proof_of
from unransom.recover.carve.reassembly import frames, trees
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.borders import settled
from unransom.recover.carve.reassembly.checks import GZIP, Inflation
from unransom.recover.carve.reassembly.seams import Cost, Part, Seamstress, spans_of
from unransom.recover.carve.space import Spliced

LONGEST = 1 << 32
WAYS = 64  # in which one file may lie that are looked at


Test = Callable[[Reader], bool]


class Flow(NamedTuple):
    """A format whose files are checked as they come.

    Attributes:
        format: The format.
        magic: What its files begin with.
        begin: Yields what to check of the file that begins a reader, the stricter check first.
        kinds: Of clusters that such files have.
        allowance: Bytes that may be read for one file.
        tried: Clusters that are tried behind a cut.
        back: Clusters before a failure in which the cut is looked for.
        depth: Cuts of one file.
        test: Returns what tells quickly whether a way in which the file may lie can be right; one test sees
            all ways of one file.
        proof: Returns how far a whole file is proven, given its bits.
    """

    format: Format
    magic: bytes
    begin: Callable[[Reader], Iterable[Part]]
    kinds: tuple[int, ...]
    allowance: int
    tried: int
    back: int
    depth: int
    test: Callable[[], Test]
    proof: Callable[[int], Proof]


def _deflated(reader: Reader) -> Iterator[Part]:
    yield Part(0, reader.size, Inflation(GZIP))


def _all() -> Test:
    return lambda _reader: True


def _trees() -> Test:
    memory: trees.Memory = {}
    return lambda reader: trees.hangs_together(reader, memory)


def _of_sums(bits: int) -> Proof:
    return proof_of("gzip", bits)


def _accepted(_bits: int) -> Proof:
    """A database of another company with the same program has the same trees."""
    return Proof.DECODER


GZIPPED = Flow(gzip.FORMAT, gzip.MAGIC, _deflated, (DENSE, OTHER), 3 << 20, 512, 6, 2, _all, _of_sums)
DATABASE = Flow(
    sqlite.FORMAT, sqlite.MAGIC, trees.begin, (DENSE, OTHER, TEXT), 256 << 20, 1024, 3, 3, _trees, _accepted
)
SOUND = Flow(mp3.FORMAT, mp3.ID3, frames.begin, (DENSE, OTHER), 16 << 20, 2048, 2, 3, _all, _accepted)
FLOWS = (GZIPPED, DATABASE, SOUND)


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the files of one share of the beginnings."""
    for flow in FLOWS:
        free = board.free(flow.kinds)
        for head in map(int, board.free_heads(flow.magic)[part::parts]):
            room = min(LONGEST, board.space.size - head)
            for begun in flow.begin(Window(board.space, head, room)):
                end = begun.end if begun.end < room else min(LONGEST, board.space.size)
                found = _joined(board, free, flow, head, begun._replace(end=end))
                if found is not None:
                    yield found
                    break


def _joined(board: Board, free: NDArray[np.int64], flow: Flow, head: int, begun: Part) -> Found | None:
    """Return the file that begins at ``head``, put together; None where that does not come out."""
    seams = Seamstress(board.space, board.cluster, Cost(flow.allowance), flow.back)
    others = _apart(board, free, head, begun)
    ways = seams.ways(begun, head, lambda before: in_order(others, before, flow.tried), flow.depth)
    test = flow.test()
    for cuts in islice(ways, WAYS):
        latest = [Placed(0, head), *cuts]
        pieces, certain = settled(board, begun, latest)
        found = _judged(board, flow, test, pieces)
        if found is None and not certain:
            found = _judged(board, flow, test, latest)
        if found is not None and not certain:
            found.proof = Proof.HEURISTIC
            found.why = say("everything holds, but no check tells at which cluster a piece ends")
        if found is not None:
            return found
    return None


def _apart(board: Board, free: NDArray[np.int64], head: int, begun: Part) -> NDArray[np.int64]:
    """Return the free clusters but for those with which the file begins."""
    check, at = begun.check.fork(), begun.start
    while at < begun.end:
        stop = min(begun.end, at - at % board.cluster + board.cluster)
        if check.ended or not check.feed(board.space.read_at(head + at, stop - at)):
            break
        at = stop
    first, last = head // board.cluster, (head + at) // board.cluster
    return free[(free < first) | (free >= last)]


def _judged(board: Board, flow: Flow, test: Test, pieces: list[Placed]) -> Found | None:
    """Return the file that lies as ``pieces`` say, with its end; None where it does not hold."""
    room = min(LONGEST, board.space.size - pieces[-1].shift)
    length = flow.format.measure(Spliced(board.space, spans_of(pieces, room))).length or 0
    if length <= pieces[-1].offset:
        return None
    spans = spans_of(pieces, length)
    content = Spliced(board.space, spans)
    if not test(content):
        return None
    verdict = flow.format.validate(content)
    if verdict.grade is not Grade.GOOD:
        return None
    return Found(flow.format.name, spans, flow.proof(verdict.bits), verdict.bits, verdict.why)
