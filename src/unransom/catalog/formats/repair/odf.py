"""OpenDocument files (odt, ods, odp): what is left of texts, tables and slides, in a document that opens."""

from __future__ import annotations

import html
import re
from xml.sax.saxutils import quoteattr

import msgspec

from unransom.catalog.formats._reading import find
from unransom.catalog.formats.repair import zip as archives
from unransom.catalog.formats.repair._holes import BEHIND, marked
from unransom.catalog.formats.repair._markup import close
from unransom.catalog.formats.repair._members import Member, inflated, members
from unransom.catalog.formats.repair._zip_writer import New, archive
from unransom.catalog.formats.repair.repair import LISTED, Beside, Count, Damaged, Repair, Repaired
from unransom.core.messages import Message, say
from unransom.core.streams import Reader

MIMETYPE = b"mimetype"
CONTENT = b"content.xml"
STYLES = b"styles.xml"
MANIFEST = b"META-INF/manifest.xml"
KINDS = {  # the element that holds the content, and the extension
    b"text": (b"<office:text", "odt"),
    b"spreadsheet": (b"<office:spreadsheet", "ods"),
    b"presentation": (b"<office:presentation", "odp"),
    b"graphics": (b"<office:drawing", "odg"),
}
KIND = b"application/vnd.oasis.opendocument."
NAMED = re.compile(KIND + rb"([a-z]+)")
CELL_END = re.compile(rb"</table:table-cell>|<table:(?:covered-)?table-cell\b[^<>]*/>")
CELL = re.compile(rb"<table:table-cell\b(?=[^<>]*\boffice:value-type=)([^<>]*)>")
TABLE = re.compile(rb'<table:table\b[^<>]*?\btable:name="([^"<>]*)"')
TYPES = {b".xml": "text/xml", b".png": "image/png", b".jpg": "image/jpeg", b".rdf": "application/rdf+xml"}
SPACE = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
BEFORE = re.compile(rb"<table:table\b|<text:(?:p|h)\b")
TEXTS = re.compile(
    rb"(</text:(?:p|h)>|<text:line-break\b[^<>]*>)|(<text:(?:tab|s)\b[^<>]*>)|<[^<>]*>|([^<]+)"
)


def finds(reader: Reader) -> bool:
    """Return whether the names of the parts that only such documents have are in the file."""
    return find(reader, MANIFEST, 0) >= 0 and find(reader, CONTENT, 0) >= 0


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild a document; an archive of what is left where its content is lost, None where nothing is."""
    found: dict[bytes, Member] = {}
    for member in members(damaged):
        if member.name not in found or member.whole:
            found[member.name] = member
    kind = _kind(damaged, found)
    content = found.get(CONTENT)
    head = inflated(damaged, content).head if content else b""
    if content is None or not kind or not BEFORE.search(head):
        parts = archives.repair(damaged)
        return parts and msgspec.structs.replace(parts, extension=".zip")
    missing: list[Message] = []
    if not content.whole:
        head = _cut(head, kind)
        missing.append(_told(head, kind))
    kept = [each for name, each in found.items() if each.whole and name not in {MIMETYPE, CONTENT, MANIFEST}]
    lost = [each for each in found.values() if not each.whole and each.entry.size]
    missing += [
        say("part {name} is left out: it is damaged", name=each.entry.title)
        for each in lost
        if each is not content
    ]
    text = _words(head)
    return Repaired(
        archive(damaged, _contents(kind, content, head, kept)),
        say("the document was put together anew; {count} parts were rebuilt", count=2 + (not content.whole)),
        (
            Count("members", sum(each.whole for each in found.values()), len(found)),
            *((Count("cells", len(CELL.findall(head))),) if kind == b"spreadsheet" else ()),
            Count("characters", len(text)),
        ),
        tuple(missing),
        tuple(each.entry.title for each in lost[:LISTED]),
        tuple(_beside(damaged, content, text)),
    )


def _kind(damaged: Damaged, found: dict[bytes, Member]) -> bytes:
    """Return which of ``KINDS`` it is, b"" for none."""
    for name in (MIMETYPE, MANIFEST):
        head = inflated(damaged, found[name]).head if name in found else b""
        if (named := NAMED.search(head)) and named[1] in KINDS:
            return named[1]
    head = inflated(damaged, found[CONTENT]).head if CONTENT in found else b""
    by_content = (kind for kind, (element, _) in KINDS.items() if element in head)
    name = damaged.name.lower()
    by_name = (kind for kind, (_, extension) in KINDS.items() if name.endswith(extension.encode()))
    return next(by_content, next(by_name, b""))


def _cut(head: bytes, kind: bytes) -> bytes:
    """Return the content with its elements closed; of a table up to the last whole cell."""
    if kind == b"spreadsheet":
        ends = [found.end() for found in CELL_END.finditer(head)]
        head = head[: ends[-1]] if ends else head[: head.rfind(b"<table:table")]
    return close(head)


def _told(head: bytes, kind: bytes) -> Message:
    """Return what is lost behind the last whole cell or text."""
    tables = TABLE.findall(head)
    if kind == b"spreadsheet" and tables:
        row = head[head.rfind(b"<table:table ") :].count(b"<table:table-row")
        return say(
            "sheet {sheet} ends in row {row}: what is behind, and further sheets, are lost",
            sheet=tables[-1].decode("utf-8", "replace"),
            row=row,
        )
    return say("the text of part {name} breaks off after {count} bytes", name="content.xml", count=len(head))


def _words(content: bytes) -> str:
    """Return the texts of the content, a line for each paragraph."""
    start = content.find(b"<office:body")
    parts = (
        b"\n" if found[1] else b"\t" if found[2] else found[3] or b""
        for found in TEXTS.finditer(content, max(start, 0))
    )
    return html.unescape(b"".join(parts).decode("utf-8", "replace")).strip("\n")


def _contents(kind: bytes, content: Member, head: bytes, kept: list[Member]) -> list[Member | New]:
    entries = {"/": (KIND + kind).decode(), "content.xml": "text/xml"}
    for each in kept:
        suffix = each.name[each.name.rfind(b".") :].lower()
        entries[each.name.decode("utf-8", "replace")] = TYPES.get(suffix, "")
    tags = "".join(
        f"<manifest:file-entry manifest:full-path={quoteattr(name)} manifest:media-type={quoteattr(type_)}/>"
        for name, type_ in entries.items()
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<manifest:manifest xmlns:manifest="{SPACE}" manifest:version="1.2">{tags}</manifest:manifest>'
    )
    return [
        New(MIMETYPE, KIND + kind, stored=True),  # programs know the kind by it: it comes first, as it is
        content if content.whole else New(CONTENT, head),
        *kept,
        New(MANIFEST, manifest.encode()),
    ]


def _beside(damaged: Damaged, content: Member, text: str) -> list[Beside]:
    """Return the text as a file of its own, and what is behind holes, with marks for lost bytes."""
    found = [Beside(".txt", text.encode())] if text.strip() else []
    stretches = inflated(damaged, content).stretches
    if stretches:
        found.append(Beside(BEHIND, b"\n".join(marked(each.symbols) for each in stretches)))
    return found


REPAIR = Repair((), ("odt", "ods", "odp", "odg", "ott", "ots", "otp"), repair, finds)
