"""MP4, MOV, M4A, HEIF and AVIF: the boxes, the tables of samples, and the units of coded pictures."""

from __future__ import annotations

from unransom.catalog.formats._findings import bad
from unransom.catalog.formats._iso_boxes import TOP
from unransom.catalog.formats._iso_film import Film
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

FIRST = {b"ftyp": 52, b"moov": 32, b"wide": 32, b"mdat": 32, b"free": 32, b"skip": 32, b"pnot": 32}
ENDLESS = {0, 1}  # size fields that mean to the end, and 64 bits behind the name
BRANDS_CAP = 1024  # bytes of ftyp


def recognise(head: bytes) -> int:
    """Return the bits of the first box that hold, and of the name of the next."""
    size, name = int.from_bytes(head[:4]), head[4:8]
    if name not in FIRST or (size < 8 and (name == b"ftyp" or size not in ENDLESS)):
        return 0
    if name == b"ftyp" and (size % 4 or size > BRANDS_CAP):
        return 0
    if 8 <= size <= len(head) - 8:
        return FIRST[name] + 24 if head[size + 4 : size + 8] in TOP else 0
    return FIRST[name] if name not in {b"mdat", b"ftyp"} or size in ENDLESS else FIRST[name] - 16


def measure(reader: Reader) -> Measure:
    """Walk the boxes on the top while they are of known names."""
    film = Film(Cached(reader))
    if recognise(reader.read_at(0, HEAD)):
        film.walk()
    if not film.described or not film.findings.clean:
        return Measure(None, say("the boxes of the film do not hold"))
    return Measure(film.end, say("the last of the boxes that follow each other"))


def validate(reader: Reader) -> Validation:
    """Walk all boxes, follow the tables to every sample, and check the units of coded pictures."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no film, sound or picture in ISO boxes"), reader.size)
    film = Film(Cached(reader))
    film.walk()
    if film.described:
        film.check_samples()
    else:
        film.findings.fault(film.end, reader.size, say("no box describes what the media data is"))
    check_trailer(reader, film.end, film.findings)
    why = say("all boxes hold and all samples lie in media data")
    return film.findings.verdict(why, film.end if film.described else None)


FORMAT = Format(
    name="mp4",
    title="ISO media (MP4, MOV, M4A, HEIC, AVIF)",
    extensions=("mp4", "mov", "m4a", "m4v", "3gp", "heic", "heif", "avif", "qt", "m4b", "f4v"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(4, b"ftyp", 0.97),),
    compressed=True,
    references=("ISO/IEC 14496-12", "ISO/IEC 14496-15", "ISO/IEC 23008-12", "Apple QuickTime File Format"),
    limitations=(
        "Of H.264, H.265 and AV1 pictures only the sizes and headers of their units are checked.",
        "Sound samples are checked by their places only.",
    ),
)
