"""Office Open XML: docx, xlsx, pptx and their kin, ZIP archives with agreed members."""

from __future__ import annotations

from unransom.catalog.formats import zip as archives
from unransom.catalog.formats._zip_records import read_local
from unransom.catalog.formats.format import Format, Known, Validation
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.streams import Reader

CONTENT_TYPES = b"[Content_Types].xml"
RELATIONS = b"_rels/.rels"
FOLDERS = (b"word/", b"xl/", b"ppt/", b"visio/")
FIRST = (CONTENT_TYPES, RELATIONS, b"docProps/", b"customXml/", b"theme/", *FOLDERS)


def recognise(head: bytes) -> int:
    """Return the bits of a first local header whose member is one of the agreed ones."""
    entry = read_local(head)
    if entry is None:
        return 0
    name = entry.name.replace(b"\\", b"/")
    prefix = next((first for first in FIRST if name.startswith(first)), None)
    return archives.recognise(head) + 8 * len(prefix) if prefix else 0


def validate(reader: Reader) -> Validation:
    """Check the archive, and that the agreed members are there."""
    archive = archives.Archive(reader)
    verdict = archive.verdict()
    if archive.directory is None or verdict.grade is Grade.BAD:
        return verdict
    names = {name.replace(b"\\", b"/").lstrip(b"/").lower() for name in archive.names}
    for wanted in (CONTENT_TYPES, RELATIONS):
        if wanted.lower() not in names and len(archive.names) < archives.NAMES_CAP:
            why = say("the Office document has no member {name}", name=wanted.decode())
            grade = Grade.PARTIAL if verdict.bits else Grade.BAD
            return Validation(grade, verdict.bits, why, verdict.length, verdict.damage)
    return verdict


FORMAT = Format(
    name="ooxml",
    title="Microsoft Office document (Office Open XML)",
    extensions=(
        *("docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "dotx", "xltx", "potx", "ppsx"),
        *("dotm", "xltm", "potm", "ppsm", "xlam", "ppam", "xlsb", "vsdx"),
    ),
    recognise=recognise,
    measure=archives.measure,
    validate=validate,
    known=(
        Known(0, b"PK\x03\x04", 1.0),
        Known(0, b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\x21\x00", 0.6),  # as Microsoft Office writes
    ),
    compressed=True,
    references=("ECMA-376 part 2 (Open Packaging Conventions)", "PKWARE APPNOTE.TXT 6.3.10"),
    limitations=(
        "The XML inside is checked by its CRC-32, not parsed.",
        "A document with a password is an OLE2 file: see ole2.",
    ),
)
