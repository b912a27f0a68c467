"""Check one member of a ZIP archive: decompress its data and compare length and CRC-32."""

from __future__ import annotations

import bz2
import lzma
import zlib

from unransom.catalog.formats._deflate import (
    RAW,
    Budget,
    Decoder,
    End,
    Exactly,
    Expansion,
    Inflater,
    at_once,
    broken_from,
    expand,
)
from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._zip_records import BZIP2, DEFLATE, ENCRYPTED, LZMA, STORED, XZ, Entry
from unransom.core.messages import say
from unransom.core.streams import Reader, chunks


def check_data(reader: Reader, start: int, entry: Entry, budget: Budget, findings: Findings) -> None:
    """Check the member's data from ``start``; ``entry`` says its sizes and CRC-32."""
    end = start + entry.packed
    if end > reader.size:
        findings.fault(start, reader.size, say("member {name} is cut off", name=entry.title))
        return
    if entry.flags & ENCRYPTED:
        return  # by a password of its owner's: the CRC-32 is of the plain bytes
    if entry.method == STORED:
        _check_stored(reader, start, entry, budget, findings)
        return
    expansion = expand_member(reader, start, end, entry, budget)
    if expansion is not None and expansion.end is not End.CAPPED:
        _judge(start, entry, expansion, findings)


def expand_member(reader: Reader, start: int, end: int, entry: Entry, budget: Budget) -> Expansion | None:
    """Decompress the data from ``start``, ``end`` at most; None where the method is not supported."""
    if entry.method == LZMA:
        head = reader.read_at(start, 9)
        decoder = _lzma_decoder(head)
        return expand(Exactly(decoder, entry.size), reader, start + 9, end, budget) if decoder else None
    if entry.method == DEFLATE and (sound := at_once(reader, start, end, budget, entry.size)) is not None:
        return sound
    decoder = _decoder(entry.method)
    if decoder is None:
        return None
    limit = None if not entry.size and not entry.packed else entry.size
    return expand(decoder, reader, start, end, budget, limit)


def _decoder(method: int) -> Decoder | None:
    if method == DEFLATE:
        return Inflater(RAW)
    if method == BZIP2:
        return bz2.BZ2Decompressor()
    if method == XZ:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << 28)
    return None


def _lzma_decoder(head: bytes) -> Decoder | None:
    """Return a decoder by the member's own LZMA head: version, 5 as length, properties, dictionary size."""
    if len(head) < 9 or head[2:4] != b"\x05\x00":
        return None
    if (options := lzma_options(head[4:9])) is None:
        return None
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, **options}])


def lzma_options(properties: bytes) -> dict[str, int] | None:
    """Return the options of an LZMA1 filter by its five bytes of properties; None where they are no such.

    A dictionary of more than 256 MiB is not made: what is compressed with one stays unchecked.
    """
    packed, dictionary = properties[0], int.from_bytes(properties[1:5], "little")
    if packed >= 9 * 5 * 5 or dictionary > 1 << 28:
        return None
    rest, context = divmod(packed, 9)
    position, literal = divmod(rest, 5)
    if context + literal > 4:
        return None
    return {"lc": context, "lp": literal, "pb": position, "dict_size": max(dictionary, 1 << 12)}


def _check_stored(reader: Reader, start: int, entry: Entry, budget: Budget, findings: Findings) -> None:
    end = start + entry.packed
    if not budget.spend(entry.packed, 0):
        return
    crc = 0
    for piece in chunks(reader, start, end):
        crc = zlib.crc32(piece, crc)
    if crc != entry.crc or entry.packed != entry.size:
        findings.fault(start, end, say("member {name} has a wrong CRC-32", name=entry.title))
    elif entry.size:
        findings.hold(32)


def _judge(start: int, entry: Entry, expansion: Expansion, findings: Findings) -> None:
    """Record what the decompressed member shows."""
    end = start + entry.packed
    if expansion.end is not End.WHOLE:
        why = say(
            "member {name} does not decompress from byte {offset}",
            name=entry.title,
            offset=expansion.position,
        )
        findings.fault(broken_from(expansion, start), end, why)
    elif expansion.crc != entry.crc or expansion.length != entry.size:
        findings.fault(start, end, say("member {name} has a wrong CRC-32", name=entry.title))
    elif expansion.position != end and entry.method != LZMA:  # whose end mark need not be read
        why = say("member {name} is not as long as its header says", name=entry.title)
        findings.fault(expansion.position, end, why)
    elif entry.size:
        findings.hold(32)
