"""File formats, one per file; ``FORMATS`` is in the order of trial: of two that fit as well the first wins."""

from unransom.catalog.formats import (
    csv,
    gzip,
    html,
    jpeg,
    json,
    ole2,
    ooxml,
    pdf,
    png,
    svg,
    text,
    xml,
    zip,  # noqa: A004 a format's module has the format's name
)
from unransom.catalog.formats.format import Format

FORMATS: tuple[Format, ...] = (
    jpeg.FORMAT,
    png.FORMAT,
    ooxml.FORMAT,
    zip.FORMAT,
    pdf.FORMAT,
    ole2.FORMAT,
    gzip.FORMAT,
    svg.FORMAT,
    html.FORMAT,
    xml.FORMAT,
    json.FORMAT,
    csv.FORMAT,
    text.FORMAT,
)
