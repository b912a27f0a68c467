"""AVI films: the RIFF chunks down to every frame, and the index that must point at them."""

from __future__ import annotations

import re

import numpy as np

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._jpeg_image import JpegImage
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._riff import (
    Chunk,
    check_extent,
    chunk_at,
    chunks_between,
    recognise_form,
    riff_end,
)
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader, Window

STREAM = re.compile(rb"[0-9][0-9a-fA-F][A-Za-z0-9]{2}")
PICTURES = re.compile(rb"[0-9]{2}d[bc]")
JPEG_CODECS = {b"MJPG", b"mjpg", b"dmb1", b"AVRn", b"jpeg", b"JPEG"}
LISTS = {b"hdrl", b"strl", b"movi", b"rec ", b"odml", b"INFO"}
DEPTH = 4  # of lists in lists
INDEX_CAP = 1 << 22  # entries that are compared
MARGIN = 512


def recognise(head: bytes) -> int:
    """Return the bits of the header that hold."""
    return recognise_form(head, b"AVI ", (b"LIST", b"JUNK"))


class _Walk:
    """The walk over all chunks of a file.

    Attributes:
        frames: Chunks of streams.
        end: Offset behind the last RIFF chunk.
    """

    def __init__(self, reader: Reader, *, decode: bool) -> None:
        self._reader = Cached(reader)
        self._decode = decode
        self._jpeg = False
        self._movie = 0  # where offsets of the index count from
        self._starts: list[int] = []
        self.findings = Findings(reader.size)
        self.frames = 0
        self.end = 0

    def run(self) -> None:
        """Walk the RIFF chunks that follow each other: long films have several."""
        chunk = chunk_at(self._reader, 0)
        while chunk and chunk.form == (b"AVIX" if self.end else b"AVI ") and self.end < self._reader.size:
            end = riff_end(self._reader, self.end)
            check_extent(self._reader, end, self.findings)
            self._list(self.end + 12, min(end, self._reader.size), 0)
            self.end = end
            chunk = chunk_at(self._reader, end)

    def _list(self, start: int, end: int, depth: int) -> None:
        """Walk the chunks of a list."""
        for chunk in chunks_between(self._reader, start, end, self.findings):
            if chunk.form in LISTS and depth < DEPTH:
                if chunk.form == b"movi" and not self._movie:
                    self._movie = chunk.start
                self._list(chunk.start + 4, min(chunk.start + chunk.size, end), depth + 1)
            elif chunk.name == b"strh":
                kind = self._reader.read_at(chunk.start, 8)
                self._jpeg = self._jpeg or (kind[:4] == b"vids" and kind[4:] in JPEG_CODECS)
            elif chunk.name == b"idx1":
                self._index(chunk)
            elif STREAM.fullmatch(chunk.name):
                self._frame(chunk)

    def _frame(self, chunk: Chunk) -> None:
        self.frames += 1
        if len(self._starts) < INDEX_CAP:
            self._starts.append(chunk.start - 8)
        if self._jpeg and self._decode and chunk.size and PICTURES.fullmatch(chunk.name):
            image = JpegImage(Window(self._reader, chunk.start, chunk.size), 0, decode=True)
            if not image.walk():
                why = say("the picture of the AVI film at byte {offset} is damaged", offset=chunk.start)
                self.findings.fault(chunk.start + max(0, image.broken - MARGIN), chunk.end, why)
            self.findings.hold(image.bits)

    def _index(self, chunk: Chunk) -> None:
        """Compare the index with the chunks that it points at."""
        size = min(chunk.size, 16 * INDEX_CAP) // 16 * 16
        rows = np.frombuffer(self._reader.read_at(chunk.start, size), "<u4").reshape(-1, 4)
        offsets = rows[:, 2].astype(np.int64)
        starts = np.array(self._starts, np.int64)
        if not len(offsets) or not len(starts):
            return
        relative = offsets[0] < self._movie
        known = np.isin(offsets + (self._movie if relative else 0), starts)
        if known.mean() < 0.5:
            why = say("the index of the AVI film points at no chunks")
            self.findings.fault(chunk.start, chunk.end, why)
        else:
            self.findings.hold(min(int(known.sum()), 64) * 16)


def _sound_walk(reader: Reader, *, decode: bool) -> _Walk | None:
    """Return the walk over a film, None where it is none."""
    if not recognise(reader.read_at(0, HEAD)):
        return None
    walk = _Walk(reader, decode=decode)
    walk.findings.hold(88)
    walk.run()
    if not walk.frames:
        walk.findings.fault(12, reader.size, say("the AVI film has no frame"))
    return walk


def measure(reader: Reader) -> Measure:
    """Take the sizes from the headers where the chunks fill them."""
    walk = _sound_walk(reader, decode=False)
    if walk is None or not walk.findings.clean or walk.end > reader.size:
        return Measure(None, say("the RIFF chunks do not fill the size that the header says"))
    return Measure(walk.end, say("the RIFF chunks fill the size that the header says"))


def validate(reader: Reader) -> Validation:
    """Walk every chunk, compare the index with them, and decode the frames of Motion JPEG."""
    walk = _sound_walk(reader, decode=True)
    if walk is None:
        return bad(say("this is no AVI film"), reader.size)
    check_trailer(reader, walk.end, walk.findings)
    why = say("all chunks of the AVI film hold: {count} frames", count=walk.frames)
    return walk.findings.verdict(why, min(walk.end, reader.size))


FORMAT = Format(
    name="avi",
    title="AVI film",
    extensions=("avi",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"RIFF", 1.0), Known(8, b"AVI LIST", 0.99), Known(20, b"hdrlavih8\0\0\0", 0.95)),
    compressed=True,
    references=("Microsoft AVI RIFF File Reference", "OpenDML AVI File Format Extensions 1.02 (1997)"),
    limitations=("Only Motion JPEG frames are decoded; damage within another frame is not seen.",),
)
