"""Manifests of the files of a case: hashdeep's format, and DFXML (Digital Forensics XML)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from unransom.core.text import shown
from unransom.report.exports.records import File

DFXML = "http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"


def hashdeep(files: Iterable[File], tool: str) -> Iterator[bytes]:
    """Yield the lines of a manifest that ``hashdeep -a -k`` audits; names are the bytes that they are."""
    yield b"%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n"
    yield b"## " + tool.encode() + b"\n## paths are below the case folder\n"
    for file in files:
        yield b"%d,%s,%s,%s\n" % (file.size, file.md5.encode(), file.sha256.encode(), file.path)


def dfxml(files: Iterable[File], tool: str, time: str) -> Iterator[bytes]:
    """Yield a DFXML document, one ``fileobject`` a file, in order."""
    name, _, version = tool.partition(" ")
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<dfxml xmlns="{DFXML}" xmlns:dc="{DUBLIN_CORE}" version="1.0">\n'
        "  <metadata><dc:type>Hash List</dc:type></metadata>\n"
        f"  <creator><program>{escape(name)}</program><version>{escape(version)}</version>"
        f"<execution_environment><start_time>{escape(time)}</start_time></execution_environment></creator>\n"
    ).encode()
    for file in files:
        yield (
            f"  <fileobject><filename>{escape(shown(file.path))}</filename><filesize>{file.size}</filesize>"
            f'<hashdigest type="md5">{file.md5}</hashdigest>'
            f'<hashdigest type="sha256">{file.sha256}</hashdigest></fileobject>\n'
        ).encode()
    yield b"</dfxml>\n"
