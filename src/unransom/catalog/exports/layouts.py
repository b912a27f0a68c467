"""How tables of channels look, and where in a file the header is: above it stand lines of other things."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from unransom.catalog.exports.channel import HEAD, Source, UnreadableExportError
from unransom.catalog.exports.encodings import UTF8, Encoded, detect, text_of
from unransom.core.messages import say

MOST_LINES = 200  # that may stand above a header
ANY = "cp1252"  # in which nearly any bytes are valid
LONGEST_LINE = 8 << 20  # bytes; nothing behind a longer one is read
_BRACKETS = str.maketrans("（）：　\u00a0\ufeff", "():   ")


class Layout(msgspec.Struct, frozen=True):
    """How a channel's table looks.

    Attributes:
        columns: Names of a field's column, in every language; compared without case and spaces around.
        required: Fields without which it is not this channel's table.
        delimiters: In the order of trial.
        quoted: Cells may stand in quotation marks, even where tabs are between them.
        encodings: In the order of trial.
        local: Further ones, for files whose header has names in letters that only these have.
        texts: Fields that hold identifiers, mostly all different.
        orders: Those of them that name orders.
        keys: A row in which all of these are empty is no row.
    """

    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    delimiters: tuple[str, ...] = (",", ";", "\t")
    quoted: bool = True
    encodings: tuple[str, ...] = ("utf-8", "cp1252")
    local: tuple[str, ...] = ("cp932", "gb18030", "big5")
    texts: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return id(self)


class Header(NamedTuple):
    """The header: which line it is, what stands above, and the field of each column ("" for none)."""

    line: int
    delimiter: str
    above: tuple[str, ...]
    names: tuple[str, ...]
    fields: tuple[str, ...]
    quoted: bool


@lru_cache(maxsize=64)
def _names(layout: Layout) -> dict[str, str]:
    return {_plain(name): field for field, names in layout.columns.items() for name in names}


def _plain(name: str) -> str:
    name = name.translate(_BRACKETS).strip().strip('"').strip().casefold()
    return re.sub(r"\s+", " ", re.sub(r"\s*\(\s*", "(", name)).strip()


def find_header(text: str, layout: Layout) -> Header | None:
    """Return the header in the beginning of a file, None where there is none of this layout."""
    if not _may_have(text, layout):
        return None
    lines = text.split("\n", MOST_LINES)[:MOST_LINES]
    for number, line in enumerate(lines):
        for delimiter in layout.delimiters:
            if line.count(delimiter) + 1 < len(layout.required):
                continue
            # Reports between tabs have quotation marks in them that mean nothing, save where all cells have.
            quoted = layout.quoted or delimiter != "\t" or line.startswith('"')
            cells = _cells(line.rstrip("\r"), delimiter, quoted)
            known = _names(layout)
            fields: list[str] = []
            for cell in cells:  # a name that comes twice counts the first time
                field = known.get(_plain(cell), "")
                fields.append("" if field in fields else field)
            if set(layout.required) <= set(fields):
                above = tuple(each.rstrip("\r") for each in lines[:number])
                return Header(number, delimiter, above, tuple(cells), tuple(fields), quoted)
    return None


def _may_have(text: str, layout: Layout) -> bool:
    """Return whether the text has a name of each required field somewhere: most files of others have not."""
    folded = re.sub(r"\s+", " ", text[:HEAD].translate(_BRACKETS).casefold())
    return all(
        any(_plain(name).partition("(")[0] in folded for name in layout.columns[field])
        for field in layout.required
    )


def _cells(line: str, delimiter: str, quoted: bool) -> list[str]:
    if not quoted:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def recognise(head: bytes, layout: Layout) -> int:
    """Return how many columns of the layout the header has, 0 where it has none."""
    header = find_header(text_of(head, layout.encodings), layout)
    if header is None and not head.isascii():
        header = next(filter(None, (_local_header(head, each, layout) for each in layout.local)), None)
    return sum(map(bool, header.fields)) if header else 0


def _local_header(head: bytes, encoding: str, layout: Layout) -> Header | None:
    """Return the header where names in it prove a local encoding: nearly all bytes are valid in some."""
    header = find_header(text_of(head, (encoding,)), layout)
    return None if header is None or all(map(str.isascii, header.names)) else header


def understood(source: Source, layout: Layout) -> tuple[Encoded, Header]:
    """Return the encoding that all bytes are valid in and the header in it.

    Raises:
        UnreadableExportError: There is none.
    """
    try:
        encoded = detect(source, layout.encodings, LONGEST_LINE)
        head = source.reader.read_at(encoded.mark, HEAD)
        if header := find_header(text_of(head, (encoded.encoding,)), layout):
            return _by_names(source, layout, encoded, header)
        why = UnreadableExportError(say("it has no header of this kind"))
    except UnreadableExportError as error:
        why = error
    head = source.reader.read_at(0, HEAD)
    for encoding in layout.local:
        if header := _local_header(head, encoding, layout):
            return detect(source, (UTF8, encoding), LONGEST_LINE), header
    raise why


def _by_names(source: Source, layout: Layout, encoded: Encoded, header: Header) -> tuple[Encoded, Header]:
    """Return the encoding in which most columns of the header have a name, where any bytes are valid."""
    if encoded.encoding != ANY or source.reading.encoding:
        return encoded, header
    head = source.reader.read_at(0, HEAD)
    for encoding in layout.local:
        other = _local_header(head, encoding, layout)
        if other and sum(map(bool, other.fields)) > sum(map(bool, header.fields)):
            return detect(source, (encoding,), LONGEST_LINE), other
    return encoded, header
