"""JPEG images: what decodes in front of a hole; behind it, with the head of a sibling; and the preview."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unransom.catalog.formats import jpeg
from unransom.catalog.formats._jpeg_image import VIOLATION, JpegImage
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats.repair.repair import Beside, Count, Damaged, Piece, Repair, Repaired, copied
from unransom.core.messages import Message, say
from unransom.core.records import Grade
from unransom.core.spans import Origin
from unransom.core.streams import Reader, Window, chunks

START, END = b"\xff\xd8\xff", b"\xff\xd9"
SCAN = b"\xff\xda"
BLOCK = 4096
LAG = 1024  # bytes for which damaged data may decode
PREVIEW = 1 << 20  # bytes of a preview at most
SEGMENTS = 4096
LEAST = 1024  # bytes of a scan that are worth an image
RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def finds(reader: Reader) -> bool:
    """Return whether an image begins somewhere in the file."""
    return find(reader, START, 0) >= 0


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild an image: from its own head, else from that of a sibling, else its preview alone."""
    reader = Cached(damaged.reader)
    preview = _preview(reader)
    beside = (Beside(".preview.jpg", preview),) if preview else ()
    if jpeg.recognise(reader.read_at(0, 4096)) and damaged.lost_from(0, BLOCK) == BLOCK:
        head, start = b"", 0
        stop = _fault(damaged)
        did: Message = say("the image was ended in front of the hole")
    else:
        head, start, stop = _with_sibling(damaged)
        did = say("the head of a sibling was put in front of what is left of the scan")
    if stop - start >= LEAST:
        return Repaired(
            _written(damaged, head, start, stop),
            did,
            (Count("bytes", stop - start, reader.size),),
            (
                say(
                    "{lost} of {total} bytes of the image are lost",
                    lost=reader.size - stop + start,
                    total=reader.size,
                ),
            ),
            (f"bytes {stop}-{reader.size}",) if not head else (f"bytes 0-{start}",),
            beside,
        )
    if preview:
        lost = (say("only the preview inside the image is left"),)
        return Repaired([(preview, Origin.PLAIN)], say("the preview was taken out"), (), lost)
    return None


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


def _with_sibling(damaged: Damaged) -> tuple[bytes, int, int]:
    """Return the head of the first sibling that has one, and the range of the scan that is left."""
    heads = (_head(Cached(sibling)) for sibling in damaged.siblings)
    head = next((each for each in heads if each), b"")
    reader = damaged.reader
    start = max((span.end for span in damaged.lost if span.start == 0), default=_behind_noise(reader))
    if not head or start >= reader.size:
        return b"", 0, 0
    first = RESTART.search(reader.read_at(start, 1 << 16))
    start += first.end() if first else 0
    stop = _end_of_scan(reader, start)
    return head, start, stop


def _head(reader: Reader) -> bytes:
    """Return an image up to its first scan's data, without previews; empty where it has none."""
    if not jpeg.recognise(reader.read_at(0, 4096)):
        return b""
    parts, position = [b"\xff\xd8"], 2
    for _ in range(SEGMENTS):
        marker = reader.read_at(position, 2)
        length = int.from_bytes(reader.read_at(position + 2, 2))
        if len(marker) < 2 or marker[0] != 0xFF or length < 2:
            return b""
        if not 0xE1 <= marker[1] <= 0xEF:
            parts.append(reader.read_at(position, 2 + length))
        if marker == SCAN:
            return b"".join(parts)
        position += 2 + length
    return b""


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
