"""JPEG images: what decodes in front of a hole, what restart markers tell behind it, and the preview.

Between restart markers an image is coded anew, so that every interval that is left comes back in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from unransom.catalog.formats import jpeg
from unransom.catalog.formats._jpeg_image import VIOLATION, JpegImage
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats.repair.repair import Beside, Count, Damaged, Piece, Repair, Repaired, copied
from unransom.core.messages import Message, say
from unransom.core.records import Grade
from unransom.core.spans import Origin, Span
from unransom.core.streams import Reader, Window, chunks

if TYPE_CHECKING:
    from unransom.catalog.formats.repair._jpeg_intervals import Placed

START, END = b"\xff\xd8\xff", b"\xff\xd9"
SCAN = b"\xff\xda"
BLOCK = 4096
LAG = 1024  # bytes for which damaged data may decode
PREVIEW = 1 << 20  # bytes of a preview at most
SEGMENTS = 4096
LEAST = 1024  # bytes of a scan that are worth an image
BORROWED = say("how the image is coded is a sibling's: only to look at it shows whether that fits")
RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def finds(reader: Reader) -> bool:
    """Return whether an image begins somewhere in the file."""
    return find(reader, START, 0) >= 0


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild an image: from its own head, else from that of a sibling, else its preview alone."""
    reader = Cached(damaged.reader)
    preview = _preview(reader)
    beside = (Beside(".preview.jpg", preview),) if preview else ()
    own = jpeg.recognise(reader.read_at(0, 4096)) and damaged.lost_from(0, BLOCK) == BLOCK
    if repaired := (_from_own_head if own else _from_siblings)(damaged, beside):
        return repaired
    if preview:
        lost = (say("only the preview inside the image is left"),)
        return Repaired([(preview, Origin.PLAIN)], say("the preview was taken out"), (), lost)
    return None


def _from_own_head(damaged: Damaged, beside: tuple[Beside, ...]) -> Repaired | None:
    """Rebuild an image by its restart intervals, else end it in front of the hole."""
    head, start = _head(Cached(damaged.reader))
    stop = _fault(damaged)
    found = _by_intervals(damaged, [(head, start)], beside)
    if found and found.counts[0].left > stop - start:
        return found
    if stop < LEAST:
        return None
    did = say("the image was ended in front of the hole")
    lost = f"bytes {stop}-{damaged.reader.size}"
    return _cut(damaged, b"", Span(0, stop), did, beside, lost)


def _from_siblings(damaged: Damaged, beside: tuple[Beside, ...]) -> Repaired | None:
    """Rebuild an image by a sibling's head and its restart intervals, else by the head and the rest."""
    from unransom.catalog.formats.repair import _jpeg_intervals as intervals  # noqa: PLC0415  as the decoder

    heads = list(dict.fromkeys(_head(Cached(sibling))[0] for sibling in damaged.siblings))
    if found := _by_intervals(damaged, [(each, 0) for each in heads if each], beside):
        return found
    # Siblings with restart intervals would have shown that they fit.
    head = next((each for each in heads if each and not intervals.head_of(each)), b"")
    start = _first_left(damaged)
    first = RESTART.search(damaged.reader.read_at(start, 1 << 16))
    start += first.end() if first else 0
    left = Span(start, _end_of_scan(damaged.reader, start))
    if not head or len(left) < LEAST:
        return None
    did = say("the head of a sibling was put in front of what is left of the scan")
    cut = _cut(damaged, head, left, did, beside, f"bytes 0-{start}")
    return msgspec.structs.replace(cut, unproven=BORROWED)


def _cut(
    damaged: Damaged, head: bytes, left: Span, did: Message, beside: tuple[Beside, ...], lost: str
) -> Repaired:
    """Return an image of ``head`` and what is ``left`` in one piece."""
    size = damaged.reader.size
    return Repaired(
        _written(damaged, head, left.start, left.end),
        did,
        (Count("bytes", len(left), size),),
        (say("{lost} of {total} bytes of the image are lost", lost=size - len(left), total=size),),
        (lost,),
        beside,
    )


def _written(damaged: Damaged, head: bytes, start: int, stop: int) -> Iterator[Piece]:
    if head:
        yield head, Origin.GUESSED
    yield from copied(damaged.reader, start, stop)
    yield END, Origin.GUESSED


def _fault(damaged: Damaged) -> int:
    """Return the offset up to which the image holds."""
    image = JpegImage(Cached(damaged.reader), 0, decode=True)
    sound = image.walk()
    broken = image.end if sound else image.broken
    edge = broken // BLOCK * BLOCK
    if not sound and broken < damaged.reader.size:
        broken = edge if broken - edge <= LAG else max(broken - LAG // 2, 0)
    return min(broken, damaged.lost_from(0, damaged.reader.size))


def _by_intervals(
    damaged: Damaged, heads: list[tuple[bytes, int]], beside: tuple[Beside, ...]
) -> Repaired | None:
    """Rebuild an image by its restart intervals, None where none is left.

    Args:
        damaged: The file.
        heads: Which may be the image's, and where its data begins; 0 for those of siblings.
        beside: Further files.
    """
    from unransom.catalog.formats.repair import _jpeg_intervals as intervals  # noqa: PLC0415  as the decoder

    fitting: list[tuple[intervals.Placed, int]] = []
    for data, own in heads:
        if head := intervals.head_of(data):
            start = own or _first_left(damaged)
            found = intervals.placed(damaged.reader, start, head, damaged.lost, whole=bool(own))
            fitting += [(found, own)] if found else []
    best, own = max(fitting, key=lambda each: each[0].left, default=(None, 0))
    if best is None or best.left < LEAST or (flat := intervals.flat(best)) is None:
        return None
    lost = best.head.total - len(best.found)
    missing = [
        say("{lost} of {total} parts of the image are lost, and grey", lost=lost, total=best.head.total)
    ]
    if best.guessed:
        missing.append(
            say("{count} parts between holes stand where their distance puts them", count=best.guessed)
        )
    rivals = sum(each.left == best.left for each, _ in fitting) - 1
    if rivals:
        missing.append(
            say(
                "{count} siblings that are coded in other ways fit as well: give the right one alone",
                count=rivals,
            )
        )
    return Repaired(
        _spread(damaged, best, own, flat),
        say("the parts between restart markers that are left were put in their places"),
        (Count("bytes", best.left, damaged.reader.size),),
        tuple(missing),
        (),
        beside,
        unproven=None if own else BORROWED,
    )


def _spread(damaged: Damaged, placed: Placed, own: int, flat: tuple[bytes, bytes]) -> Iterator[Piece]:
    """Yield an image of the intervals that are left, others grey; ``own`` is the length of its own head."""
    yield from copied(damaged.reader, 0, own) if own else [(placed.head.data, Origin.GUESSED)]
    left = {each.number: each for each in placed.found}
    for number in range(placed.head.total):
        if number in left:
            yield from copied(damaged.reader, left[number].start, left[number].end)
        else:
            yield flat[number == placed.head.total - 1], Origin.GUESSED
        if number < placed.head.total - 1:
            yield bytes((0xFF, 0xD0 + number % 8)), Origin.GUESSED
    yield END, Origin.GUESSED


def _first_left(damaged: Damaged) -> int:
    """Return where a file whose head is lost begins to hold what a scan may hold."""
    return max((span.end for span in damaged.lost if span.start == 0), default=_behind_noise(damaged.reader))


def _head(reader: Reader) -> tuple[bytes, int]:
    """Return an image up to its first scan's data, without previews, and where that is; empty without one."""
    if not jpeg.recognise(reader.read_at(0, 4096)):
        return b"", 0
    parts, position = [b"\xff\xd8"], 2
    for _ in range(SEGMENTS):
        marker = reader.read_at(position, 2)
        length = int.from_bytes(reader.read_at(position + 2, 2))
        if len(marker) < 2 or marker[0] != 0xFF or length < 2:
            return b"", 0
        if not 0xE1 <= marker[1] <= 0xEF:
            parts.append(reader.read_at(position, 2 + length))
        position += 2 + length
        if marker == SCAN:
            return b"".join(parts), position
    return b"", 0


def _behind_noise(reader: Reader) -> int:
    """Return the end of the last block in a row from the start on that holds what no scan holds."""
    position = end = 0
    for piece in chunks(reader, step=1 << 16):
        found = [each.start() for each in VIOLATION.finditer(piece)]
        if not found:
            break
        position += len(piece)
        end = position
    return end


def _end_of_scan(reader: Reader, start: int) -> int:
    """Return where the scan from ``start`` ends: at the end mark, or at what no scan holds."""
    position = start
    for piece in chunks(reader, start):
        found = re.search(rb"\xff[^\x00\xd0-\xd7\xff]", piece)
        if found:
            return position + found.start()
        position += len(piece)
    return position


def _preview(reader: Reader) -> bytes:
    """Return the first sound image inside of the file, empty where there is none."""
    position = 0
    for _ in range(8):
        position = find(reader, START, position + 1, PREVIEW)
        if position < 0:
            return b""
        length = jpeg.measure(Window(reader, position, PREVIEW)).length
        if length:
            data = reader.read_at(position, length)
            if jpeg.validate(Window(reader, position, length)).grade is Grade.GOOD:
                return data
    return b""


REPAIR = Repair((jpeg.FORMAT.name,), jpeg.FORMAT.extensions, repair, finds)
