"""MP3 sounds: the tags, and the chain of frames in which every header tells where the next is."""

from __future__ import annotations

import re

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

# kbit/s by the header's index, per version (1, or 2 for 2 and 2.5) and layer.
RATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
FREQUENCIES = (44100, 48000, 32000)
SYNC = re.compile(rb"\xff[\xe2-\xff]")
FRAME_BITS = 18  # of a header: sync, and version, layer and frequency that all share
CHAIN = 3  # frames that must follow each other where the chain begins or is taken up again
TAGS_CAP = 16
LYRICS_CAP = 1 << 16
ID3 = b"ID3"


def _sizes() -> dict[int, int]:
    """Return the size of the frame for each legal second and third byte of a header, as one number."""
    found = {}
    for second in range(0xE0, 0x100):
        version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
        if version == 1 or layer == 4:
            continue
        family = 1 if version == 3 else 2
        for third in range(256):
            index, frequency = third >> 4, third >> 2 & 3
            if frequency == 3 or not 1 <= index <= 14:
                continue
            rate = RATES[family, layer][index - 1] * 1000
            hertz = FREQUENCIES[frequency] >> {3: 0, 2: 1, 0: 2}[version]
            if layer == 1:
                size = (12 * rate // hertz + (third >> 1 & 1)) * 4
            else:
                size = (72 if layer == 3 and family == 2 else 144) * rate // hertz + (third >> 1 & 1)
            found[second << 8 | third] = size
    return found


SIZES = _sizes()
SAME = 0xFE0C  # bits of second and third byte that all frames of a file share: version, layer, frequency


def tag_end(reader: Reader, position: int) -> int:
    """Return where the ID3v2 tag at ``position`` ends; ``position`` where there is none."""
    head = reader.read_at(position, 10)
    if len(head) < 10 or head[:3] != ID3 or head[3] == 0xFF or head[4] == 0xFF or max(head[6:]) >= 0x80:
        return position
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return position + 10 + size + (10 if head[5] & 0x10 else 0)


def recognise(head: bytes) -> int:
    """Return the bits of an ID3 tag's header, or of the first frames, that hold."""
    if head[:3] == ID3:
        holds = len(head) >= 10 and head[3] in {2, 3, 4} and not head[5] & 0x0F and max(head[6:10]) < 0x80
        return 24 + 6 + 8 + 4 + 4 if holds else 0
    position, kind = 0, frame_at(head, 0)
    count = 0
    while kind and position + 4 <= len(head):
        following = frame_at(head, position)
        if following == 0 or (following ^ kind) & SAME:
            return 0
        count += 1
        position += SIZES[following]
    return FRAME_BITS * count if count >= CHAIN else 0


def frame_at(data: bytes, position: int) -> int:
    """Return second and third byte of the frame header at ``position`` in ``data``; 0 where there is none."""
    if position + 4 > len(data) or data[position] != 0xFF:
        return 0
    kind = data[position + 1] << 8 | data[position + 2]
    return kind if kind in SIZES and data[position + 3] & 3 != 2 else 0


class _Sound(msgspec.Struct):
    """What was found of a sound.

    Attributes:
        end: Offset behind the last frame.
        frames: How many there are.
        kind: What all their headers share.
        announced: How many the first frame announces, 0 where it does not.
        cut: Bytes that are missing of the last frame.
    """

    end: int
    frames: int = 0
    kind: int = 0
    announced: int = 0
    cut: int = 0


class _Walk:
    """The walk along the frames of ``reader``."""

    def __init__(self, reader: Reader) -> None:
        self.reader = Cached(reader)
        self.findings = Findings(reader.size)
        self.sound = _Sound(0)

    def run(self, *, resume: bool) -> None:
        """Walk the frames; behind a break go on only where ``resume`` says so."""
        start = 0
        for _ in range(TAGS_CAP):
            end = tag_end(self.reader, start)
            if end == start:
                break
            start = end
        first = self._search(start, start + CHUNK)
        if first is None:
            why = say("no frame of the MP3 sound is at byte {offset}", offset=start)
            self.findings.fault(min(start, self.reader.size), self.reader.size, why)
            return
        self._read_announcement(first)
        self.sound.end = first
        while self._chain() and resume:
            following = self._search(self.sound.end, self.reader.size)
            if following is None:
                return
            why = say("the chain of frames of the MP3 sound breaks at byte {offset}", offset=self.sound.end)
            self.findings.fault(self.sound.end, following, why)
            self.sound.end = following

    def _read_announcement(self, position: int) -> None:
        """Take the number of frames from the Xing or Info frame that many writers put first."""
        data = self.reader.read_at(position, 200)
        self.sound.kind = data[1] << 8 | data[2]
        at = max(data.find(b"Xing"), data.find(b"Info"))
        if at > 0 and data[at + 7 : at + 8] and data[at + 7] & 1:
            self.sound.announced = int.from_bytes(data[at + 8 : at + 12])

    def _chain(self) -> bool:
        """Step from frame to frame; return whether the chain broke before the end of the file."""
        sound, size = self.sound, self.reader.size
        base, data = sound.end, b""
        position = 0
        while True:
            if position + 4 > len(data):
                base, position = base + position, 0
                data = self.reader.read_at(base, CHUNK)
            kind = frame_at(data, position)
            if not kind or (kind ^ sound.kind) & SAME:
                sound.end = tag_end(self.reader, base + position)
                if sound.end == base + position:
                    return sound.end < size
                base, position, data = sound.end, 0, b""
                continue
            step = SIZES[kind]
            if base + position + step > size:
                sound.end, sound.cut = base + position, base + position + step - size
                return False
            sound.frames += 1
            position += step

    def _search(self, start: int, end: int) -> int | None:
        """Return where the next frame is that others follow; None where there is none before ``end``."""
        position, end = start, min(end, self.reader.size)
        while position < end:
            data = self.reader.read_at(position, CHUNK)
            for found in SYNC.finditer(data):
                if position + found.start() >= end:
                    return None
                if self._follow(position + found.start()):
                    return position + found.start()
            position += max(len(data) - 1, 1)
        return None

    def _follow(self, position: int) -> bool:
        """Return whether frames of the same kind follow each other from ``position`` on."""
        first = self.sound.kind
        for _ in range(CHAIN):
            kind = frame_at(self.reader.read_at(position, 4), 0)
            if position == self.reader.size and first:
                return True
            first = first or kind
            if not kind or (kind ^ first) & SAME:
                return False
            position += SIZES[kind]
        return True


def _tags_end(reader: Reader, position: int) -> int:
    """Return where the tags end that follow the last frame at ``position``."""
    for _ in range(TAGS_CAP):
        head = reader.read_at(position, 32)
        if head[:3] == b"TAG" and position + 128 <= reader.size:
            position += 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            position += 32 + int.from_bytes(head[12:16], "little")
        elif head[:11] == b"LYRICSBEGIN":
            end = max(
                find(reader, name, position, position + LYRICS_CAP) for name in (b"LYRICS200", b"LYRICSEND")
            )
            if end < 0:
                break
            position = end + 9
        else:
            break
    return position


def measure(reader: Reader) -> Measure:
    """Walk the frames until something else comes; tags of known size behind them belong to the file."""
    if not recognise(reader.read_at(0, HEAD)):
        return Measure(None, say("this is no MP3 sound"))
    walk = _Walk(reader)
    walk.run(resume=False)
    end = walk.sound.end
    if not walk.findings.clean or walk.sound.frames < CHAIN or walk.sound.cut:
        return Measure(None, walk.findings.first or say("the last frame of the MP3 sound is cut off"))
    behind = min(_tags_end(walk.reader, end), reader.size)
    return Measure(behind, say("the last frame of the MP3 sound"), (end,) if behind > end else ())


def validate(reader: Reader) -> Validation:
    """Walk all frames, and compare their number with what the first announces."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no MP3 sound"), reader.size)
    walk = _Walk(reader)
    walk.run(resume=True)
    sound, findings = walk.sound, walk.findings
    findings.hold(FRAME_BITS * sound.frames)
    if sound.cut and sound.announced + 1 != sound.frames:
        findings.fault(reader.size, reader.size, say("the last frame of the MP3 sound is cut off"))
    elif sound.frames < sound.announced:
        why = say(
            "the MP3 sound has {count} of {expected} frames", count=sound.frames, expected=sound.announced
        )
        findings.fault(sound.end, sound.end, why)
    else:
        sound.end = _tags_end(walk.reader, sound.end)
        check_trailer(reader, sound.end, findings)
    why = say("all {count} frames of the MP3 sound follow each other", count=sound.frames)
    return findings.verdict(why, min(sound.end, reader.size))


FORMAT = Format(
    name="mp3",
    title="MP3 sound",
    extensions=("mp3", "mp2", "mpga"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, ID3, 0.8),),
    compressed=True,
    references=("ISO/IEC 11172-3", "ISO/IEC 13818-3", "id3.org ID3v2.4"),
    limitations=(
        "Within a frame of some hundred bytes only the header is checked.",
        "Frames of free bit rate are not followed.",
    ),
)
