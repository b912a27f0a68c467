"""WAV sounds: the RIFF chunks, the sample format, and the statistics of plain samples."""

from __future__ import annotations

import struct

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._riff import (
    check_extent,
    chunks_between,
    recognise_form,
    riff_end,
)
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._uniform import check_samples
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader

FIRST = (
    b"fmt ",
    b"JUNK",
    b"junk",
    b"bext",
    b"ds64",
    b"LIST",
    b"PAD ",
    b"FLLR",
    b"fact",
    b"iXML",
    b"cart",
    b"minf",
)
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def recognise(head: bytes) -> int:
    """Return the bits of the header that hold."""
    return recognise_form(head, b"WAVE", FIRST)


def _end(reader: Reader) -> int:
    """Return where the file ends by its header; RF64 has the size in a chunk of its own."""
    head = reader.read_at(0, 28)
    if head[:4] == b"RF64" and head[12:16] == b"ds64":
        return 8 + int.from_bytes(head[20:28], "little")
    return riff_end(reader)


def _plain(layout: bytes) -> bool:
    """Return whether a ``fmt `` chunk announces uncompressed samples in a consistent way."""
    if len(layout) < 16:
        return False
    tag, channels, _, rate, frame, bits = struct.unpack_from("<HHIIHH", layout)
    if tag == EXTENSIBLE and len(layout) >= 26:
        tag = int.from_bytes(layout[24:26], "little")
    del rate
    return tag in {PCM, FLOAT} and frame == channels * ((bits + 7) // 8)


def _walk(reader: Reader, end: int, findings: Findings, *, look: bool) -> bool:
    """Walk the chunks, looking at plain samples where that is wanted; return whether there are samples."""
    found = plain = False
    for chunk in chunks_between(reader, 12, end, findings, endless=b"data"):
        if chunk.name == b"fmt ":
            plain = _plain(reader.read_at(chunk.start, min(chunk.size, 64)))
            findings.hold(16 if plain else 0)
        elif chunk.name == b"data":
            found = True
            if plain and look:
                why = say("uncompressed samples of the WAV sound look encrypted")
                check_samples(reader, chunk.start, chunk.start + chunk.size, findings, why)
    return found


def plain_samples(reader: Reader) -> Span | None:
    """Return where uncompressed samples lie, None where there are none."""
    plain = False
    for chunk in chunks_between(reader, 12, _end(reader), Findings(reader.size), endless=b"data"):
        if chunk.name == b"fmt ":
            plain = _plain(reader.read_at(chunk.start, min(chunk.size, 64)))
        elif chunk.name == b"data":
            return Span(chunk.start, min(chunk.start + chunk.size, reader.size)) if plain else None
    return None


def measure(reader: Reader) -> Measure:
    """Take the size from the header where the chunks fill it."""
    findings, end = Findings(reader.size), _end(reader)
    known = recognise(reader.read_at(0, HEAD)) and end <= reader.size
    if not known or not _walk(Cached(reader), end, findings, look=False) or not findings.clean:
        return Measure(None, say("the RIFF chunks do not fill the size that the header says"))
    return Measure(end, say("the RIFF chunks fill the size that the header says"))


def validate(reader: Reader) -> Validation:
    """Walk the chunks; look at the statistics of plain samples."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no WAV sound"), reader.size)
    cached, findings, end = Cached(reader), Findings(reader.size), _end(reader)
    findings.hold(88)
    if not _walk(cached, end, findings, look=True):
        findings.fault(12, reader.size, say("the WAV sound has no samples"))
    check_extent(reader, end, findings)
    check_trailer(reader, end, findings)
    why = say("the chunks of the WAV sound hold, and its samples are as samples are")
    return findings.verdict(why, end if end <= reader.size else None)


FORMAT = Format(
    name="wav",
    title="WAV sound",
    extensions=("wav",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"RIFF", 0.99), Known(8, b"WAVEfmt ", 0.95)),
    references=("Microsoft Multimedia Programming Interface 1.0 (1991)", "EBU Tech 3306 (RF64)"),
    limitations=(
        "Uncompressed samples are checked by their statistics, in blocks of 4096 bytes; "
        "white noise at full level looks encrypted.",
        "Compressed samples are not decoded.",
    ),
)
