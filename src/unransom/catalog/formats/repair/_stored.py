"""What is left of a text that an archive holds unpacked: its beginning, and what follows each hole."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from unransom.catalog.formats.repair._holes import Inflated, Stretch, sound_end
from unransom.catalog.formats.repair._letters import NARROW
from unransom.core.spans import Span, merge

CALM = 256  # bytes without a control character that are of a text: random ones have one in ten
TRIED = 64  # tags at which a stretch may begin


def stored_rest(
    data: bytes, start: int, size: int, lost: tuple[Span, ...], grammar: re.Pattern[bytes]
) -> Inflated:
    """Return what is left of a text of which some is damaged.

    Args:
        data: The text.
        start: Its offset in the file.
        size: How long it is when it is whole.
        lost: Ranges of the file that are known to be lost.
        grammar: Matches what the text holds as far as it is sound.
    """
    calm = list(_calm(data, [Span(each.start - start, each.end - start) for each in lost]))
    first = calm.pop(0) if calm and calm[0].start == 0 else Span(0, 0)
    end = sound_end(grammar, data[: first.end], cut=True)
    if end == size == len(data):
        return Inflated(data, whole=False, end=start + end)
    stretches = []
    for span in [Span(end, first.end), *calm] if end < first.end else calm:
        if found := _stretch(data, span, grammar):
            text = np.frombuffer(data, np.uint8, len(found), found.start).astype(np.uint16)
            stretches.append(Stretch(start + found.start, start + found.end, text, found.end == size))
    return Inflated(data[:end], whole=False, end=start + end, stretches=tuple(stretches))


def _calm(data: bytes, lost: list[Span]) -> Iterator[Span]:
    """Yield the ranges in which no byte is lost, and none is one that no text has."""
    strange = NARROW.strange()[np.frombuffer(data, np.uint8)]
    for span in merge(lost):
        strange[max(span.start, 0) : max(span.end, 0)] = True
    edges = np.concatenate(([-1], np.flatnonzero(strange), [len(data)]))
    for index in np.flatnonzero(np.diff(edges) > CALM).tolist():
        yield Span(int(edges[index]) + 1, int(edges[index + 1]))


def _stretch(data: bytes, span: Span, grammar: re.Pattern[bytes]) -> Span | None:
    """Return the sound text in ``span`` from its first tag on; what is in front of it may be random."""
    start = span.start
    for _ in range(TRIED):
        start = data.find(b"<", start, span.end)
        if start < 0:
            return None
        if (end := sound_end(grammar, data[start : span.end], cut=True)) >= CALM:
            return Span(start, start + end)
        start += 1
    return None
