"""Content streams of a PDF that stand in the file uncompressed: what locks left of their lines."""

from __future__ import annotations

import re

import numpy as np

from unransom.core.spans import Span, merge

WINDOW = 256  # bytes looked at together
STEP = 32  # from one window to the next
MANY = 130  # different bytes in a window: noise has 162, deviation 7; glyph numbers far fewer
ZEROS = 64  # zeros in a row that are no text
UNREADABLE = 32  # lines beside a hole that are looked at for one that is sound
# A picture between operators may be of any bytes.
PICTURE = re.compile(rb"\bBI\b[^\0]{1,400}?\bID\b")
LINE = re.compile(rb"[\r\n]+|(?<=\bT[jJ])[ \t]+|(?<=\bET)[ \t]+")
ESCAPED = re.compile(rb"\\.", re.DOTALL)
ODD = np.array([(byte < 32 and byte not in b"\t\n\f\r") or byte > 126 for byte in range(256)])


def cleaned(data: bytes, start: int, lost: tuple[Span, ...]) -> bytes | None:
    """Return the whole lines of a content stream, None where nothing of it is lost.

    Args:
        data: The stream.
        start: Its offset in the file.
        lost: Ranges of the file that are known to be lost; noise and zeros are looked for besides.
    """
    size = len(data)
    told = [
        Span(max(span.start - start, 0), min(span.end - start, size))
        for span in lost
        if span.start < start + size and span.end > start
    ]
    holes = merge((*told, *_noise(data)))  # a map may know of some holes only
    if not holes:
        return None
    ends = [found.end() for found in LINE.finditer(data)]
    places = np.array([0, *ends, size] if not ends or ends[-1] != size else [0, *ends])
    kept, position = [], 0
    for hole in holes:
        kept.append(data[position : max(_before(data, places, position, hole.start), position)])
        position = max(_behind(data, places, hole.end), position)
    kept.append(data[position:])
    return b"\n".join(each for each in kept if each)


def _noise(data: bytes) -> list[Span]:
    """Return where bytes are that no content stream has: from the first unprintable one to the last."""
    if PICTURE.search(data):
        return []
    values = np.frombuffer(data, np.uint8)
    found = [
        Span(at, min(at + WINDOW, len(data)))
        for at in range(0, max(len(data) - WINDOW, 0) + STEP, STEP)
        if len(set(data[at : at + WINDOW])) > MANY
    ]
    found += [Span(*each.span()) for each in re.finditer(rb"\0{%d,}" % ZEROS, data)]
    holes = []
    for span in merge(tuple(found)):
        low, high = max(span.start - WINDOW, 0), min(span.end + WINDOW, len(data))
        odd = np.flatnonzero(ODD[values[low:high]])
        if len(odd):
            holes.append(Span(low + int(odd[0]), low + int(odd[-1]) + 1))
    return holes


def _before(data: bytes, places: np.ndarray, least: int, hole: int) -> int:
    """Return the end of the last sound line in front of a hole."""
    index = int(np.searchsorted(places, hole, "right")) - 1
    for _ in range(UNREADABLE):
        if index <= 0 or places[index] <= least or _sound(data[places[index - 1] : places[index]]):
            break
        index -= 1
    return int(places[max(index, 0)])


def _behind(data: bytes, places: np.ndarray, hole: int) -> int:
    """Return the beginning of the first sound line behind a hole, which may have cut the first one."""
    index = int(np.searchsorted(places, hole, "right"))
    for _ in range(UNREADABLE):
        if index + 1 >= len(places) or _sound(data[places[index] : places[index + 1]]):
            break
        index += 1
    return int(places[index]) if index < len(places) else len(data)


def _sound(line: bytes) -> bool:
    """Return whether a line's brackets close."""
    bare = ESCAPED.sub(b"", line)
    return bare.count(b"(") == bare.count(b")") and bare.count(b"[") == bare.count(b"]")
