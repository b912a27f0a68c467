"""Several stream ciphers that take turns of a fixed number of bytes: Hive v6 and Hunters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unransom.catalog.schemes.family import Decryptor, Keep, Piece, Unlock
from unransom.core.spans import Span

TURN = 512  # bytes


class Turns:
    """Stream ciphers by turns; each goes on where its last turn ended."""

    spill = 0

    def __init__(self, ciphers: Sequence[Decryptor], first: int = 0) -> None:
        """Begin with the cipher of turn ``first``."""
        self._ciphers = ciphers
        self._turn = first
        self._used = 0  # bytes of the turn

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        begun = min(-self._used % TURN, len(data))
        self._part(data[:begun], out[:begun])
        cycle = TURN * len(self._ciphers)
        whole = begun + (len(data) - begun) // cycle * cycle
        self._cycles(data[begun:whole], out[begun:whole])
        for start in range(whole, len(data), TURN):
            self._part(data[start : start + TURN], out[start : start + TURN])

    def _part(self, data: memoryview, out: memoryview) -> None:
        """Decrypt what is within one turn."""
        self._ciphers[self._turn % len(self._ciphers)].decrypt_into(data, out)
        self._used += len(data)
        if self._used == TURN:
            self._used = 0
            self._turn += 1

    def _cycles(self, data: memoryview, out: memoryview) -> None:
        """Decrypt whole rounds of all ciphers, at once what is of one cipher."""
        count = len(self._ciphers)
        source = np.frombuffer(data, np.uint8).reshape(-1, count, TURN)
        target = np.frombuffer(out, np.uint8).reshape(-1, count, TURN)
        for place in range(count):
            lane = source[:, place].copy().reshape(-1)
            cipher = self._ciphers[(self._turn + place) % count]
            cipher.decrypt_into(lane.data, lane.data)
            target[:, place] = lane.reshape(-1, TURN)


def turn_pieces(spans: Sequence[Span], end: int, ciphers: Sequence[Decryptor]) -> Iterator[Piece]:
    """Yield the pieces from the first span's start to ``end``; every span begins a turn.

    Args:
        spans: Sorted; they may touch.
        end: Byte behind the last piece.
        ciphers: In the order of their turns.
    """
    turn, position = 0, spans[0].start if spans else end
    for span in spans:
        if span.start > position:
            yield Keep(position, span.start - position)
        yield Unlock(span.start, span.end - span.start, Turns(ciphers, turn))
        turn += -(-(span.end - span.start) // TURN)
        position = span.end
    if position < end:
        yield Keep(position, end - position)
