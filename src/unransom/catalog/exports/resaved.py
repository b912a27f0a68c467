"""Tables that a spreadsheet program has saved again: their lines are filled up to one length.

What stood above and below the table then looks like rows of it. Those lines get their length back.
"""

from __future__ import annotations

import csv
import re

import msgspec

from unransom.catalog.exports.channel import HEAD, Source
from unransom.catalog.exports.encodings import mark_of
from unransom.core.streams import BytesReader

SHOWN = 6  # lines
NARROW = 2  # columns that no table has
LARGEST = 1 << 29  # bytes: a sheet has at most 1,048,576 rows
_DELIMITERS = (b",", b";", b"\t")
# A line above or below a table has one or two cells; all rows of the table have more.
_QUOTED = rb'"(?:[^"\r\n]|"")*"'
_ASIDE = (
    rb'(?m)^((?:[^%(d)s"\r\n]*|'
    + _QUOTED
    + rb')(?:%(d)s(?:[^%(d)s"\r\n]+|'
    + _QUOTED
    + rb"))?)%(d)s+(?=\r?$)"
)
# PayPal marks each line of its reports; those that are no transactions are of any length.
_MARKED = rb'(?m)^("?(?:RH|FH|SH|SF|SC|RF|RC|FF)"?%(d)s[^\r\n]*?)%(d)s+(?=\r?$)'
_REPORT = re.compile(rb'"?RH"?[,;\t]')


def as_exported(source: Source) -> Source:
    """Return an export with the lines that it had before a spreadsheet filled them up, if one has."""
    head = source.reader.read_at(0, HEAD)
    codec, mark = mark_of(head)
    wide = codec if codec.startswith("utf-16") else ""
    shown = _narrow(head[mark:], wide)
    of_old_macs = b"\n" not in shown and b"\r" in shown
    delimiter = _padding(shown.replace(b"\r", b"\n") if of_old_macs else shown)
    if source.reader.size > LARGEST or not (delimiter or of_old_macs):
        return source
    data = _narrow(source.reader.read_at(mark, source.reader.size), wide)
    data = data.replace(b"\r", b"\n") if of_old_macs else data
    data = trimmed(data, delimiter) if delimiter else data
    return msgspec.structs.replace(source, reader=BytesReader(data))


def _narrow(data: bytes, wide: str) -> bytes:
    """Return text in the codec ``wide``, if any, as UTF-8."""
    return data.decode(wide, "ignore").encode("utf-8", "ignore") if wide else data


def _padding(head: bytes) -> bytes:
    """Return the delimiter that lines are filled up with, b"" where the first ones are not.

    Only above a table stand lines with nothing at their ends, save where all of it is in the first column.
    """
    lines = [line.rstrip(b"\r") for line in head.rstrip().split(b"\n", SHOWN)[:SHOWN]]
    for delimiter in _DELIMITERS:
        widths = {_width(line, delimiter) for line in lines}
        ends = [line.endswith(delimiter) for line in lines]
        if len(widths) == 1 and (ends[0] if max(widths) > NARROW else any(ends)):
            return delimiter
    return b""


def _width(line: bytes, delimiter: bytes) -> int:
    try:
        return len(next(csv.reader([line.decode("latin-1")], delimiter=delimiter.decode()), ()))
    except csv.Error:
        return 0


def trimmed(data: bytes, delimiter: bytes) -> bytes:
    """Return a table with the empty cells taken off the ends of lines that are no rows."""
    patterns = [_ASIDE, _MARKED] if _REPORT.match(data) else [_ASIDE]
    for pattern in patterns:
        data = re.sub(pattern % {b"d": re.escape(delimiter)}, rb"\1", data)
    return data
