"""gzip: what the streams hold up to their holes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats.gzip import FORMAT, MAGIC, _header_size
from unransom.catalog.formats.repair._gzip_tail import Members, Tail, members, read_tail
from unransom.catalog.formats.repair._holes import (
    BEHIND,
    MOST,
    PRINTABLE,
    Inflated,
    inflate_rest,
    is_text,
    marked,
)
from unransom.catalog.formats.repair.repair import Beside, Count, Damaged, Piece, Repair, Repaired
from unransom.core.messages import Message, say
from unransom.core.spans import Origin
from unransom.core.streams import Reader

MEMBERS = 4096  # members looked at
LEAST = 64  # bytes that must come out of one
PLAIN = 0.95  # share of printable bytes in the beginning of a text


def finds(reader: Reader) -> bool:
    """Return whether a member's header is anywhere in the file."""
    return any(True for _ in _starts(Cached(reader)))


def _starts(cached: Cached) -> Iterator[tuple[int, int]]:
    """Yield where headers begin, and where their streams do."""
    position = -1
    while (position := find(cached, MAGIC, position + 1)) >= 0:
        size = _header_size(cached, position)
        if size is not None:
            yield position, position + size


def repair(damaged: Damaged) -> Repaired | None:
    """Unpack every member up to its first hole, and what leads to the end of one; pack what comes out."""
    found: list[Inflated] = []
    begins: list[int] = []
    done = 0
    for header, start in _starts(Cached(damaged.reader)):
        if header < done or len(found) >= MEMBERS:
            continue
        inflated = _member(damaged, start)
        if len(inflated.head) >= LEAST:
            found.append(inflated)
            begins.append(header)
            done = inflated.end
    tail = _tail(damaged, found, begins)
    if not found and tail is None:
        return None
    size = sum(len(each.head) for each in found)
    archive = members(tail) if tail else None
    pieces, beside = _packed(found), tuple(_behind(found))
    if tail and found and not beside:
        beside = (_beside(tail, archive),)
    elif tail and not found:
        pieces = iter([(gzip.compress(_content(tail, archive), mtime=0), Origin.GUESSED)])
        size = len(tail.symbols) - tail.copies
    counts = [Count("members", sum(each.whole for each in found), max(len(found), 1)), Count("bytes", size)]
    if archive:
        counts.append(Count("files of the archive", archive.whole, None))
    return Repaired(
        pieces,
        say("the streams were unpacked up to their holes, and packed anew")
        if found
        else say("what the end of the stream holds was unpacked, and packed anew"),
        tuple(counts),
        (
            *(
                say(
                    "a stream breaks off at byte {offset}, after {count} bytes of its content",
                    offset=each.end,
                    count=len(each.head),
                )
                for each in found
                if not each.whole
            ),
            *(_lost(tail, bool(found)) if tail else ()),
        ),
        beside=beside,
    )


def _tail(damaged: Damaged, found: list[Inflated], begins: list[int]) -> Tail | None:
    """Return the end of the first member whose own is left and whose beginning or middle is lost.

    That is what is in front of the first header, else what is behind the hole of a member.
    """
    holes = [0, *(each.end for each in found)]
    ends = [*begins, damaged.reader.size]
    whole = [False, *(each.whole for each in found)]
    for hole, end, sound in zip(holes, ends, whole, strict=True):
        begin = max([hole, *(span.end for span in damaged.lost if hole <= span.start < end)])
        if not sound and end - begin > LEAST and (tail := read_tail(damaged.reader, begin, end)):
            return tail
    return None


def _lost(tail: Tail, beside: bool) -> Iterator[Message]:
    if beside:
        yield say(
            "beside are {count} bytes from behind the hole, of which {copies} repeat lost ones",
            count=len(tail.symbols),
            copies=tail.copies,
        )
    elif tail.front is not None:
        yield say(
            "of {total} bytes of the content the first {front} are lost, and {copies} that repeat them",
            total=tail.front + len(tail.symbols),
            front=tail.front,
            copies=tail.copies,
        )
    else:
        yield say(
            "the beginning of the content is lost, and {copies} bytes that repeat it", copies=tail.copies
        )


def _content(tail: Tail, archive: Members | None) -> bytes:
    """Return files of an archive as a new one, text with marks, other content with zeros for lost bytes."""
    if archive:
        return archive.data
    return marked(tail.symbols) if is_text(tail.symbols) else tail.filled()


def _beside(tail: Tail, archive: Members | None) -> Beside:
    if archive:
        return Beside(".behind.tar", archive.data)
    return Beside(BEHIND if is_text(tail.symbols) else ".behind.bin", _content(tail, None))


def _behind(found: list[Inflated]) -> Iterator[Beside]:
    """Yield what is behind the holes, where it is text: many of its bytes are copies of lost ones."""
    pieces = [marked(stretch.symbols) for each in found for stretch in each.stretches]
    if pieces:
        yield Beside(BEHIND, b"\n".join(pieces))


def _member(damaged: Damaged, start: int) -> Inflated:
    reader = damaged.reader
    data = reader.read_at(start, min(reader.size - start, MOST // 4))
    if damaged.lost_from(start, reader.size) == reader.size and (whole := _whole(data)) is not None:
        return Inflated(whole[0], True, start + whole[1])
    inflated = inflate_rest(data, start, reader.size, damaged.lost, None)
    sample = inflated.head[:4096]
    printable = sum(32 <= byte < 127 or byte in {9, 10, 13} for byte in sample)
    if not inflated.whole and sample and printable > PLAIN * len(sample) and sample.isascii():
        return inflate_rest(data, start, reader.size, damaged.lost, PRINTABLE)
    return inflated


def _whole(data: bytes) -> tuple[bytes, int] | None:
    """Return what a member's stream holds and how long it is where its CRC-32 is right, else None."""
    decoder = zlib.decompressobj(-15)
    try:
        out = decoder.decompress(data, MOST)
    except zlib.error:
        return None
    rest = decoder.unused_data
    agrees = decoder.eof and rest[:4] == zlib.crc32(out).to_bytes(4, "little")
    return (out, len(data) - len(rest)) if agrees else None


def _packed(found: list[Inflated]) -> Iterator[Piece]:
    for each in found:
        yield gzip.compress(each.head, mtime=0), Origin.GUESSED


REPAIR = Repair((FORMAT.name,), FORMAT.extensions, repair, finds)
