"""gzip: what the streams hold up to their holes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats.gzip import FORMAT, MAGIC, _header_size
from unransom.catalog.formats.repair._holes import BEHIND, MOST, PRINTABLE, Inflated, inflate_rest, marked
from unransom.catalog.formats.repair.repair import Beside, Count, Damaged, Piece, Repair, Repaired
from unransom.core.messages import say
from unransom.core.spans import Origin
from unransom.core.streams import Reader

MEMBERS = 4096  # members looked at
LEAST = 64  # bytes that must come out of one
PLAIN = 0.95  # share of printable bytes in the beginning of a text


def finds(reader: Reader) -> bool:
    """Return whether a member's header is anywhere in the file."""
    return any(True for _ in _starts(reader))


def _starts(reader: Reader) -> Iterator[int]:
    cached = Cached(reader)
    position = -1
    while (position := find(cached, MAGIC, position + 1)) >= 0:
        size = _header_size(cached, position)
        if size is not None:
            yield position + size


def repair(damaged: Damaged) -> Repaired | None:
    """Unpack every member up to its first hole, and pack what comes out."""
    found: list[Inflated] = []
    done = 0
    for start in _starts(damaged.reader):
        if start < done or len(found) >= MEMBERS:
            continue
        inflated = _member(damaged, start)
        if len(inflated.head) >= LEAST:
            found.append(inflated)
            done = inflated.end
    size = sum(len(each.head) for each in found)
    if not found:
        return None
    return Repaired(
        _packed(found),
        say("the streams were unpacked up to their holes, and packed anew"),
        (Count("members", sum(each.whole for each in found), len(found)), Count("bytes", size)),
        tuple(
            say(
                "a stream breaks off at byte {offset}, after {count} bytes of its content",
                offset=each.end,
                count=len(each.head),
            )
            for each in found
            if not each.whole
        ),
        beside=tuple(_behind(found)),
    )


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
