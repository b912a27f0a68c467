"""What a file of a format for many purposes is for, by names in it, and the extension that goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from unransom.catalog.formats import FORMATS
from unransom.catalog.formats import _zip_records as records
from unransom.core.streams import Reader

LOOKED = 128 << 10  # bytes at the beginning and at the end in which names of parts stand
MOST_MEMBERS = 4096  # of an archive that are looked at
USUAL = {each.name: each.extensions[0] for each in FORMATS}

# Names of parts, the first that is there decides, and the extensions that such files have.
PARTS: dict[str, tuple[tuple[bytes, tuple[str, ...]], ...]] = {
    "ooxml": (
        (b"word/", ("docx", "docm", "dotx", "dotm")),
        (b"xl/", ("xlsx", "xlsm", "xltx", "xltm", "xlsb", "xlam")),
        (b"ppt/", ("pptx", "pptm", "potx", "ppsx", "potm", "ppsm", "ppam")),
        (b"visio/", ("vsdx",)),
    ),
    "zip": (
        (b"application/vnd.oasis.opendocument.text", ("odt",)),
        (b"application/vnd.oasis.opendocument.spreadsheet", ("ods",)),
        (b"application/vnd.oasis.opendocument.presentation", ("odp",)),
        (b"application/vnd.oasis.opendocument.graphics", ("odg",)),
        (b"application/epub+zip", ("epub",)),
        (b".dist-info/WHEEL", ("whl",)),
        (b"META-INF/MANIFEST.MF", ("jar", "war", "ear", "apk")),
    ),
    "vcard": ((b"BEGIN:VCALENDAR", ("ics", "ical", "ifb", "vcs")),),
    "ole2": (
        ("WordDocument".encode("utf-16-le"), ("doc", "dot", "wps")),
        ("Workbook".encode("utf-16-le"), ("xls", "xlt", "et")),
        ("Book\0".encode("utf-16-le"), ("xls", "xlt")),
        ("PowerPoint Document".encode("utf-16-le"), ("ppt", "pps", "pot")),
        ("__nameid_version".encode("utf-16-le"), ("msg",)),
        ("VisioDocument".encode("utf-16-le"), ("vsd",)),
    ),
}


def extension_of(name: str, content: Reader) -> str:
    """Return the extension that a file of format ``name`` should have; ``bin`` for one without a format."""
    if name == "ooxml":
        names = list(_members(content))
        for part, extensions in PARTS[name]:
            if any(each.startswith(part) for each in names):
                return extensions[0]
    if name in PARTS:
        seen = content.read_at(0, LOOKED) + content.read_at(max(LOOKED, content.size - LOOKED), LOOKED)
        for part, extensions in PARTS[name]:
            if part in seen:
                return extensions[0]
    return USUAL.get(name, "bin")


def _members(content: Reader) -> Iterator[bytes]:
    """Yield the names in an archive, not those in archives in it: a presentation may hold a workbook."""
    directory = records.find_directory(content)
    if directory is not None:
        entries = records.central_entries(content, directory.start, directory.records)
        yield from (entry.name for entry in islice(entries, MOST_MEMBERS))


def may_be(extension: str, other: str) -> bool:
    """Return whether a file that should have one extension may have another, of the same format."""
    groups = [set(group) for parts in PARTS.values() for _, group in parts]
    known = [group for group in groups if extension in group]
    return not known or any(other in group for group in known) or not any(other in group for group in groups)
