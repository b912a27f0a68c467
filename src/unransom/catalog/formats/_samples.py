"""Find blocks of uncompressed samples that look encrypted: only there a flat histogram tells that."""

from __future__ import annotations

import numpy as np

from unransom.catalog.formats._findings import Findings
from unransom.core.messages import Message
from unransom.core.spans import Span, merge
from unransom.core.stats import DEVIATION, block_chi_squares
from unransom.core.streams import CHUNK, Reader

BLOCK = 4096  # aligned in the file, as lockers work
SCREEN = 1024  # bytes of each block looked at first: four times as fast
NEAR = 5 * DEVIATION  # chi-square of random bytes is 255 give or take this, but for one block in a million


def uniform_blocks(reader: Reader, start: int, end: int) -> list[Span]:
    """Return the whole blocks between ``start`` and ``end`` whose bytes are spread like random ones."""
    first, last = -(-start // BLOCK) * BLOCK, min(end, reader.size) // BLOCK * BLOCK
    found = []
    for position in range(first, last, CHUNK):
        data = reader.read_at(position, min(CHUNK, last - position))
        values = np.frombuffer(data, np.uint8)[: len(data) // BLOCK * BLOCK].reshape(-1, BLOCK)
        screened = block_chi_squares(np.ascontiguousarray(values[:, :SCREEN]).data.cast("B"), SCREEN)
        for index in np.flatnonzero(np.abs(screened - 255) < NEAR):
            whole = block_chi_squares(values[index].tobytes(), BLOCK)
            if abs(whole[0] - 255) < NEAR:
                found.append(Span(position + int(index) * BLOCK, position + (int(index) + 1) * BLOCK))
    return merge(found)


def check_samples(reader: Reader, start: int, end: int, findings: Findings, why: Message) -> None:
    """Record a fault wherever uncompressed samples between ``start`` and ``end`` look encrypted."""
    for span in uniform_blocks(reader, start, end):
        findings.fault(span.start, span.end, why)
