"""Windows event logs, by the numbers of the events in their chunks: any number and order of fragments.

The head says which event comes next and in which chunk it is written. Every chunk has the numbers of its
first and last event and two checksums; the chunk before another one ends with the event before. A log goes
round: the oldest chunk may stand behind the newest. A chunk that a fragment ends in is put together with the
bytes before the next chunk.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats import evtx
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Found, Proof, proof_of
from unransom.recover.carve.reassembly.pages import first_bytes
from unransom.recover.carve.space import Spliced, cut

MOST_CHUNKS = 1 << 14
TRIALS = 1 << 12  # ways to put the chunks of one log together
COPIES = 4  # of a chunk that are looked at


class Chunk(NamedTuple):
    """A chunk: where it begins, and the numbers of its first and its last event."""

    place: int
    first: int
    last: int


class Events:
    """The event logs of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._space = board.space
        self._ends: dict[int, list[Chunk]] = defaultdict(list)
        self._begins: dict[int, list[Chunk]] = defaultdict(list)
        self._trials = TRIALS
        self._ambiguous = False
        for chunk in self._chunks():
            self._ends[chunk.last].append(chunk)
            self._begins[chunk.first].append(chunk)

    def _chunks(self) -> Iterator[Chunk]:
        magic = np.frombuffer(evtx.CHUNK_MAGIC, np.uint8)
        for starts, fields in first_bytes(self._board):
            for index in np.flatnonzero((fields[:, :8] == magic).all(1)).tolist():
                first, last = struct.unpack_from("<QQ", fields[index].tobytes(), 24)
                if 0 < first <= last:
                    yield Chunk(int(starts[index]), first, last)

    def find(self, heads: Iterable[int]) -> Iterator[Found]:
        """Yield the logs whose heads stand at ``heads``."""
        for head in heads:
            self._trials, self._ambiguous = TRIALS, False
            if (found := self._assembled(head)) is not None:
                yield found

    def _assembled(self, head: int) -> Found | None:
        page = self._space.read_at(head, evtx.HEADER)
        if not evtx.recognise(page):
            return None
        _, newest, following = struct.unpack_from("<QQQ", page, 8)
        (count,) = struct.unpack_from("<H", page, 42)
        if not 0 < count <= MOST_CHUNKS or newest >= count:
            return None
        chain = self._backwards(following - 1, count, head)
        slots: dict[int, Chunk] = {(newest - step) % count: chunk for step, chunk in enumerate(chain)}
        if len(slots) < count:
            return None
        spans = [Span(head, head + evtx.HEADER)]
        for slot in range(count):
            lies = self._whole(slots[slot], slots.get(slot + 1))
            if lies is None:
                return None
            spans += lies
        return self._judged(cut(spans, evtx.HEADER + count * evtx.CHUNK))

    def _backwards(self, last: int, count: int, near: int) -> Iterator[Chunk]:
        """Yield the chunk that ends with event ``last``, the one before it, and so on."""
        for _ in range(count):
            fitting = sorted(self._ends.get(last, ()), key=lambda chunk: abs(chunk.place - near))
            if not fitting:
                return
            self._ambiguous = self._ambiguous or len(fitting) > 1
            yield fitting[0]
            last, near = fitting[0].first - 1, fitting[0].place

    def _whole(self, chunk: Chunk, following: Chunk | None) -> list[Span] | None:
        """Return where a chunk lies: in one piece, or in two of which one ends before the next chunk."""
        cluster = self._board.cluster
        one = [Span(chunk.place, chunk.place + evtx.CHUNK)]
        ways = [one]
        if following is not None:
            for first in range(cluster, evtx.CHUNK, cluster):
                rest = Span(following.place - evtx.CHUNK + first, following.place)
                ways.append([Span(chunk.place, chunk.place + first), rest])
        for spans in ways:
            self._trials -= 1
            if self._trials < 0 or spans[-1].start < 0:
                continue
            if evtx.chunk_holds(Spliced(self._space, spans).read_at(0, evtx.CHUNK)):
                return spans
        return None

    def _judged(self, spans: list[Span]) -> Found | None:
        if len(spans) < 2:
            return None  # in one piece: found by itself
        verdict = evtx.validate(Spliced(self._space, spans))
        if verdict.grade is not Grade.GOOD:
            return None
        proof, why = proof_of("evtx", verdict.bits), verdict.why
        if self._ambiguous:
            proof, why = Proof.HEURISTIC, say("all chunks hold, but another log has some of the same numbers")
        return Found("evtx", spans, proof, verdict.bits, why)


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the logs of one share of the beginnings."""
    heads = board.free_heads(evtx.MAGIC)[part::parts]
    if len(heads):
        yield from Events(board).find(map(int, heads))
