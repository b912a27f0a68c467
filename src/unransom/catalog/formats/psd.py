"""PSD and PSB pictures: the sections, every layer's channels, and the runs of the merged picture."""

from __future__ import annotations

from unransom.catalog.formats._findings import bad
from unransom.catalog.formats._psd_walk import PsdWalk, header_of
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader


def recognise(head: bytes) -> int:
    """Return the bits of the header that hold."""
    return 32 + 15 + 48 + 11 + 12 + 12 if header_of(head) else 0


def measure(reader: Reader) -> Measure:
    """Walk the sections to the end of the merged picture."""
    header = header_of(reader.read_at(0, HEAD))
    if header is None:
        return Measure(None, say("this is no PSD picture"))
    walk = PsdWalk(Cached(reader), header)
    walk.run(decode=False)
    if not walk.findings.clean or walk.end > reader.size:
        return Measure(None, walk.findings.first or say("the PSD picture is cut off"))
    return Measure(walk.end, say("the end of the merged picture of the PSD file"))


def validate(reader: Reader) -> Validation:
    """Walk the sections and follow the runs of all channels."""
    head = reader.read_at(0, HEAD)
    header = header_of(head)
    if header is None:
        return bad(say("this is no PSD picture"), reader.size)
    walk = PsdWalk(Cached(reader), header)
    walk.findings.hold(recognise(head))
    walk.run(decode=True)
    check_trailer(reader, walk.end, walk.findings)
    return walk.findings.verdict(
        say("all sections and channels of the PSD picture hold"), min(walk.end, reader.size)
    )


FORMAT = Format(
    name="psd",
    title="Photoshop picture",
    extensions=("psd", "psb"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"8BPS\0\1" + bytes(6), 0.97),),
    compressed=True,
    references=("Adobe Photoshop File Formats Specification (2019)",),
    limitations=(
        "Uncompressed channels are checked by their statistics, in blocks of 4096 bytes.",
        "Image resources and additional layer information are checked by their sizes and signatures only.",
    ),
)
