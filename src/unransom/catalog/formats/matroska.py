"""Matroska and WebM films: the elements down to every block, checksums, cues, and units of pictures."""

from __future__ import annotations

from unransom.catalog.formats._ebml import UNKNOWN, Element, crc_holds, element_at, elements, number_at
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._video_units import Units
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"\x1a\x45\xdf\xa3"
CLUSTER_NAME = b"\x1f\x43\xb6\x75"
SEGMENT, CLUSTER, TRACKS, CUES = 0x18538067, 0x1F43B675, 0x1654AE6B, 0x1C53BB6B
# Besides those: list of what is where, description, attachments, chapters, tags.
LEVEL_1 = {CLUSTER, TRACKS, CUES, 0x114D9B74, 0x1549A966, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF}
SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = 0xA3, 0xA0, 0xA1
# Besides those in a cluster: time, its size and place, tracks without data, encrypted blocks.
IN_CLUSTER = {SIMPLE_BLOCK, BLOCK_GROUP, 0xE7, 0xA7, 0xAB, 0x5854, 0xAF, 0xEC, 0xBF}
IN_GROUP = {BLOCK, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A1, 0x75A2, 0x8E, 0xA2, 0xC8, 0xEC, 0xBF}
TRACK, NUMBER, CODEC, PRIVATE, ENCODINGS = 0xAE, 0xD7, 0x86, 0x63A2, 0x6D80
CUE_POINT, CUE_PLACES, CUE_CLUSTER = 0xBB, 0xB7, 0xF1
CODECS = {b"V_MPEG4/ISO/AVC": b"avc1", b"V_MPEGH/ISO/HEVC": b"hvc1"}
LACED = 6  # flags of a block with several frames
PROOFS_CAP = 256
SMALL = 1 << 20  # bytes of track data that are read


def recognise(head: bytes) -> int:
    """Return the bits of the EBML header that hold."""
    size, width = number_at(head, 4)
    if not head.startswith(MAGIC) or not width or not 0 < size <= 1024:
        return 0
    header = head[: 4 + width + size]
    named = b"\x42\x82\x88matroska" in header or b"\x42\x82\x84webm" in header
    return 32 + 5 + 56 if named else 0


class _Walk:
    """The walk over a file.

    Attributes:
        end: Offset behind the segment, or what was walked of it.
        blocks: How many there are.
    """

    def __init__(self, reader: Reader, *, decode: bool) -> None:
        self._reader = Cached(reader)
        self._decode = decode
        self._units: dict[int, Units] = {}
        self._clusters: set[int] = set()
        self._cues: list[int] = []
        self.findings = Findings(reader.size)
        self.end = 0
        self.blocks = 0

    def run(self) -> None:
        """Walk the header and the segment."""
        header = element_at(self._reader, 0)
        segment = element_at(self._reader, header.end) if header else None
        if header is None or segment is None or segment.id != SEGMENT:
            self.findings.fault(0, self._reader.size, say("the Matroska film has no segment"))
            return
        limit = self._reader.size if segment.end == UNKNOWN else min(segment.end, self._reader.size)
        if segment.end > self._reader.size:
            self._cut()
        self._segment(segment.start, limit, open_ended=segment.end == UNKNOWN)
        self._check_cues(segment.start)

    def _cut(self) -> None:
        self.findings.fault(self._reader.size, self._reader.size, say("the Matroska film is cut off"))

    def _segment(self, start: int, limit: int, *, open_ended: bool) -> None:
        """Walk the elements of the segment, over breaks where a cluster is found behind them."""
        self.end = start
        while self.end < limit:
            element = element_at(self._reader, self.end)
            if element and element.id in LEVEL_1 and element.end <= limit:
                self.findings.hold(8 * (element.start - element.begin - 1))
                self.end = self._level_1(element, limit)
                continue
            if element and element.id in LEVEL_1 and limit == self._reader.size:
                self._cut()
                self.end = limit
                return
            following = find(self._reader, CLUSTER_NAME, self.end + 1, limit)
            if following < 0 and open_ended and self.blocks:
                return  # the film ended before
            following = following if following >= 0 else limit
            why = say("the elements of the Matroska film break at byte {offset}", offset=self.end)
            self.findings.fault(self.end, following, why)
            self.end = following

    def _level_1(self, element: Element, limit: int) -> int:
        """Check an element of the segment; return where it ends."""
        if element.id == CLUSTER:
            self._clusters.add(element.begin)
            return self._cluster(element, limit)
        if element.end == UNKNOWN:
            return limit
        if self._decode:
            holds = crc_holds(self._reader, element)
            self.findings.hold(32 if holds else 0)
            if holds is False:
                why = say("the checksum of the element at byte {offset} is wrong", offset=element.begin)
                self.findings.fault(element.begin, element.end, why)
        if element.id == TRACKS:
            self._tracks(element)
        elif element.id == CUES:
            self._read_cues(element)
        return element.end

    def _cluster(self, cluster: Element, limit: int) -> int:
        """Check the blocks of a cluster; return where it ends."""
        end = limit if cluster.end == UNKNOWN else cluster.end
        for element in elements(self._reader, cluster.start, end):
            if isinstance(element, int) or element.id not in IN_CLUSTER:
                at = element if isinstance(element, int) else element.begin
                if cluster.end == UNKNOWN:
                    return at  # the walk over the segment sees whether something else follows
                why = say("the blocks of the Matroska film break at byte {offset}", offset=at)
                self.findings.fault(at, end, why)
                return end
            self.findings.hold(6)
            if element.id == SIMPLE_BLOCK:
                self._block(element)
            elif element.id == BLOCK_GROUP:
                self._group(element)
        return end

    def _group(self, group: Element) -> None:
        for element in elements(self._reader, group.start, group.end):
            if isinstance(element, int) or element.id not in IN_GROUP:
                why = say("the blocks of the Matroska film break at byte {offset}", offset=group.begin)
                self.findings.fault(group.begin, group.end, why)
                return
            if element.id == BLOCK:
                self._block(element)

    def _block(self, block: Element) -> None:
        """Check the units of the picture in a block."""
        self.blocks += 1
        head = self._reader.read_at(block.start, min(12, block.end - block.start))
        track, width = number_at(head, 0)
        units = self._units.get(track) if width and self._decode else None
        if units is None or len(head) < width + 3 or head[width + 2] & LACED:
            return
        broken = units.broken_at(self._reader, block.start + width + 3, block.end)
        if broken is None:
            self.findings.hold(16)
        else:
            why = say(
                "the coded picture at byte {offset} does not consist of whole units", offset=block.start
            )
            self.findings.fault(broken, block.end, why)

    def _tracks(self, tracks: Element) -> None:
        """Learn which tracks have pictures whose units are known."""
        for track in elements(self._reader, tracks.start, tracks.end):
            if isinstance(track, int):
                why = say("the elements of the Matroska film break at byte {offset}", offset=track)
                self.findings.fault(track, tracks.end, why)
            elif track.id == TRACK:
                parts = {
                    part.id: self._reader.read_at(part.start, min(part.end - part.start, SMALL))
                    for part in elements(self._reader, track.start, track.end)
                    if not isinstance(part, int)
                }
                codec = CODECS.get(parts.get(CODEC, b"").rstrip(b"\0"))
                units = Units(codec, parts.get(PRIVATE, b"")) if codec and ENCODINGS not in parts else None
                if units and units.checks:
                    self._units[int.from_bytes(parts.get(NUMBER, b""))] = units

    def _read_cues(self, cues: Element) -> None:
        """Note where the cues say that clusters are."""
        for point in elements(self._reader, cues.start, cues.end):
            if isinstance(point, int) or point.id != CUE_POINT:
                continue
            for places in elements(self._reader, point.start, point.end):
                if isinstance(places, int) or places.id != CUE_PLACES:
                    continue
                self._cues.extend(
                    int.from_bytes(self._reader.read_at(each.start, min(each.end - each.start, 8)))
                    for each in elements(self._reader, places.start, places.end)
                    if not isinstance(each, int) and each.id == CUE_CLUSTER
                )

    def _check_cues(self, base: int) -> None:
        """Check that the cues point at clusters."""
        known = sum(base + cue in self._clusters for cue in self._cues)
        if known < len(self._cues) and self.findings.clean:
            why = say("cues of the Matroska film point at no cluster")
            self.findings.fault(self.end, self.end, why)
        self.findings.hold(24 * min(known, PROOFS_CAP))


def measure(reader: Reader) -> Measure:
    """Take the end of the segment, or of its last known element where its size is not said."""
    walk = _Walk(reader, decode=False)
    if recognise(reader.read_at(0, HEAD)):
        walk.run()
    if not walk.end or not walk.findings.clean:
        return Measure(None, walk.findings.first or say("this is no Matroska film"))
    return Measure(walk.end, say("the end of the segment of the Matroska film"))


def validate(reader: Reader) -> Validation:
    """Walk every block, check the checksums that there are, and the units of coded pictures."""
    head = reader.read_at(0, HEAD)
    if not recognise(head):
        return bad(say("this is no Matroska film"), reader.size)
    walk = _Walk(reader, decode=True)
    walk.findings.hold(recognise(head))
    walk.run()
    check_trailer(reader, walk.end, walk.findings)
    why = say("all {count} blocks of the Matroska film hold", count=walk.blocks)
    return walk.findings.verdict(why, walk.end or None)


FORMAT = Format(
    name="matroska",
    title="Matroska or WebM film",
    extensions=("mkv", "webm", "mka", "mks"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC, 1.0),),
    compressed=True,
    references=("RFC 8794", "RFC 9559"),
    limitations=(
        "Of H.264 and H.265 pictures only the sizes and headers of their units are checked; "
        "of other codecs the blocks around them.",
    ),
)
