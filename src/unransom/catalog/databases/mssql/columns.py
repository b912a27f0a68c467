"""Cells of one column turned into an Arrow array."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow
from numpy.typing import NDArray

from unransom.catalog.databases.mssql import layout, numbers, texts
from unransom.catalog.databases.mssql.binary_xml import xml_text
from unransom.catalog.databases.mssql.layout import Field
from unransom.catalog.databases.mssql.variants import clr_text, variant_field

LONGEST_IN_ROW = 8000  # bytes that a column can be declared to have
SECOND_UNITS = {scale: 10**scale for scale in range(8)}
_INTEGERS = {layout.TINYINT: 1, layout.SMALLINT: 2, layout.INT: 4, layout.BIGINT: 8}


class Cells(NamedTuple):
    """Where the values of a column lie.

    Attributes:
        data: Bytes.
        starts: Where each value starts.
        lengths: Bytes of each, negative for NULL.
        packed: The values are as row compression stores them.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    packed: bool = False

    @property
    def of_kernels(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """What the kernels take."""
        return self.data, self.starts, self.lengths

    def bytes_of(self, row: int) -> bytes | None:
        """Return one value."""
        length = int(self.lengths[row])
        start = int(self.starts[row])
        return None if length < 0 else self.data[start : start + length].tobytes()


def column_of(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    """Return the values of a column.

    Args:
        field: What the column is.
        cells: Where its values are; none only points elsewhere.
        doubts: One a row; gets one more where the server could not have stored the value.
    """
    if (
        field.kind not in layout.LOBS
        and field.variable
        and 0 < field.length <= LONGEST_IN_ROW
        and not cells.packed
    ):
        doubts += cells.lengths > field.length
    return _reader(field)(field, cells, doubts)


@lru_cache(maxsize=4096)
def _reader(field: Field) -> Callable[[Field, Cells, NDArray[np.int32]], pyarrow.Array]:
    if field.kind in layout.UNICODE:
        return _unicode
    if field.kind in layout.SINGLE:
        return _single if _table(field.encoding) is not None else _multibyte
    if field.raw:
        return _bytes
    if field.kind in (layout.TIME, layout.DATETIME2, layout.DATE):
        return _times
    return _READERS[field.kind]


def _array(kind: pyarrow.DataType, valid: NDArray[np.bool_], *buffers: NDArray[Any]) -> pyarrow.Array:
    bitmap = None if valid.all() else pyarrow.py_buffer(np.packbits(valid, bitorder="little"))
    return pyarrow.Array.from_buffers(
        kind, len(valid), [bitmap, *(pyarrow.py_buffer(np.ascontiguousarray(buffer)) for buffer in buffers)]
    )


def _integers(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    out, valid = np.empty(len(doubts), np.int64), np.empty(len(doubts), bool)
    numbers.integers(cells.of_kernels, _INTEGERS[field.kind], cells.packed, (out, valid, doubts))
    return _array(field.arrow, valid, out.astype(field.arrow.to_pandas_dtype()))


def _bits(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    out, valid = np.empty(len(doubts), bool), np.empty(len(doubts), bool)
    numbers.bits(cells.of_kernels, field.bit, cells.packed, (out, valid, doubts))
    return _array(field.arrow, valid, np.packbits(out, bitorder="little"))


def _floats(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    out, valid = np.empty(len(doubts), np.uint64), np.empty(len(doubts), bool)
    numbers.floats(cells.of_kernels, field.width, (out, valid, doubts))
    return _array(field.arrow, valid, out if field.kind == layout.FLOAT else out.astype(np.uint32))


def _money(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    out, valid = np.empty((len(doubts), 2), np.int64), np.empty(len(doubts), bool)
    numbers.wide(cells.of_kernels, field.width, cells.packed, (out, valid, doubts))
    return _array(field.arrow, valid, out)


def _decimals(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    out, valid = np.empty((len(doubts), 2), np.int64), np.empty(len(doubts), bool)
    bound = 10 ** min(field.precision, 38)
    limits = np.array([bound >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96)], np.uint64)
    numbers.decimals(cells.of_kernels, field.scale, cells.packed, limits, (out, valid, doubts))
    return _array(field.arrow, valid, out)


def _datetimes(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    out, valid = np.empty(len(doubts), np.int64), np.empty(len(doubts), bool)
    if field.kind == layout.DATETIME:
        numbers.datetimes(cells.of_kernels, cells.packed, (out, valid, doubts))
    else:
        numbers.small_datetimes(cells.of_kernels, (out, valid, doubts))
    return _array(field.arrow, valid, out)


def _moments(
    field: Field, cells: Cells, doubts: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return times of day in stored units, days since 1970, and which are there."""
    time, days = np.empty(len(doubts), np.int64), np.empty(len(doubts), np.int64)
    valid = np.empty(len(doubts), bool)
    width = 0 if field.kind == layout.DATE else field.time_width
    unit = 86_400 * SECOND_UNITS[min(field.scale, 7)] if width else 1
    numbers.times(cells.of_kernels, width, field.kind != layout.TIME, unit, (time, days, valid, doubts))
    return time, days, valid


def _times(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    time, days, valid = _moments(field, cells, doubts)
    if field.kind == layout.DATE:
        return _array(field.arrow, valid, days.astype(np.int32))
    scale = min(field.scale, 7)
    if scale < 7:
        return _array(field.arrow, valid, days * numbers.DAY + time * 10 ** (6 - scale))
    dated = field.kind == layout.DATETIME2
    written = [
        (_moment(d, t, scale) if dated else _clock(t, scale)) if v else None
        for d, t, v in zip(days, time, valid, strict=True)
    ]
    return pyarrow.array(written, field.arrow)


def _moment(days: int, time: int, scale: int) -> str:
    """Write a point in time with all its digits."""
    return f"{np.datetime64(int(days), 'D')} {_clock(time, scale)}"


def _clock(time: int, scale: int) -> str:
    """Write a time of day with all its digits."""
    seconds, fraction = divmod(int(time), SECOND_UNITS[scale])
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{clock}.{fraction:0{scale}}" if scale else clock


def _offset_times(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    time, days, valid = _moments(field, cells, doubts)
    scale = min(field.scale, 7)
    out: list[str | None] = []
    for row, there in enumerate(valid):
        raw = cells.bytes_of(row) or b""
        minutes = int.from_bytes(raw[field.width - 2 : field.width], "little", signed=True)
        if not there or abs(minutes) > 14 * 60:
            doubts[row] += there
            out.append(None)
            continue
        local = int(time[row]) + minutes * 60 * SECOND_UNITS[scale]
        turn, local = divmod(local, 86_400 * SECOND_UNITS[scale])
        sign, size = "-" if minutes < 0 else "+", abs(minutes)
        out.append(f"{_moment(int(days[row]) + turn, local, scale)} {sign}{size // 60:02}:{size % 60:02}")
    return pyarrow.array(out, field.arrow)


def _strings(
    field: Field, cells: Cells, room: int, fill: Callable[[NDArray[np.uint8], NDArray[np.int64]], None]
) -> pyarrow.Array:
    """Return a column of texts or bytes that ``fill`` writes into at most ``room`` bytes."""
    out, offsets = np.empty(room + 8, np.uint8), np.zeros(len(cells.starts) + 1, np.int64)
    fill(out, offsets)
    large = field.arrow in (pyarrow.large_string(), pyarrow.large_binary())
    ends = offsets if large else offsets.astype(np.int32)
    return _array(field.arrow, cells.lengths >= 0, ends, out[: offsets[-1]])


def _total(cells: Cells) -> int:
    return int(np.maximum(cells.lengths, 0).sum())


def _pad(field: Field, cells: Cells) -> int:
    """Return to how many characters short values are filled up."""
    if not cells.packed or field.kind not in (layout.CHAR, layout.NCHAR, layout.BINARY):
        return 0
    return field.length // 2 if field.kind == layout.NCHAR else field.length


def _unicode(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    def fill(out: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        if cells.packed and field.kind != layout.NTEXT:
            texts.compressed_unicode(cells.of_kernels, pad, (out, offsets, doubts))
        else:
            texts.double_bytes(cells.of_kernels, (out, offsets, doubts))

    pad = _pad(field, cells)
    return _strings(field, cells, 4 * _total(cells) + pad * len(doubts), fill)


def _single(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    def fill(out: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        texts.single_bytes(cells.of_kernels, _table(field.encoding), pad, (out, offsets, doubts))

    pad = _pad(field, cells)
    return _strings(field, cells, 3 * _total(cells) + pad * len(doubts), fill)


@lru_cache(maxsize=64)
def _table(encoding: str) -> NDArray[np.int32] | None:
    """Return the characters of an encoding's 256 bytes, None where one takes more bytes."""
    if encoding in ("utf-8", "gb18030", "cp932", "cp949", "cp950"):
        return None
    characters = [bytes((byte,)).decode(encoding, "replace") for byte in range(256)]
    return np.array([ord(c) if c != "\ufffd" else byte for byte, c in enumerate(characters)], np.int32)


def _multibyte(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    pad, out = _pad(field, cells), []
    for row in range(len(doubts)):
        raw = cells.bytes_of(row)
        text = None if raw is None else raw.ljust(pad).decode(field.encoding, "replace")
        doubts[row] += text is not None and "\ufffd" in text
        out.append(text)
    return pyarrow.array(out, field.arrow)


def _bytes(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    def fill(out: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        texts.raw_bytes(cells.of_kernels, pad, (out, offsets, doubts))

    pad = _pad(field, cells)
    return _strings(field, cells, _total(cells) + pad * len(doubts), fill)


def _guids(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
    def fill(out: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        texts.guids(cells.of_kernels, (out, offsets, doubts))

    return _strings(field, cells, 36 * len(doubts), fill)


def _spoken(write: Callable[[Field, bytes], str | None]) -> Callable[..., pyarrow.Array]:
    """Return a reader of values that are written out one by one."""

    def read(field: Field, cells: Cells, doubts: NDArray[np.int32]) -> pyarrow.Array:
        out: list[str | None] = []
        for row in range(len(doubts)):
            raw = cells.bytes_of(row)
            text = None if raw is None else write(field, raw)
            doubts[row] += raw is not None and text is None
            out.append(text)
        return pyarrow.array(out, field.arrow)

    return read


def _variant(field: Field, raw: bytes) -> str | None:
    """Return what a sql_variant holds as text, None where it is none."""
    inner = variant_field(raw)
    if inner is None:
        return None
    kind, value = inner
    data = np.frombuffer(value + bytes(32), np.uint8)
    doubts = np.zeros(1, np.int32)
    held = column_of(kind, Cells(data, np.zeros(1, np.int64), np.array([len(value)], np.int64)), doubts)
    found = held[0].as_py()
    return None if found is None else found.hex() if isinstance(found, bytes) else str(found)


_READERS: dict[int, Callable[[Field, Cells, NDArray[np.int32]], pyarrow.Array]] = {
    **dict.fromkeys(_INTEGERS, _integers),
    layout.BIT: _bits,
    layout.REAL: _floats,
    layout.FLOAT: _floats,
    layout.MONEY: _money,
    layout.SMALLMONEY: _money,
    layout.DECIMAL: _decimals,
    layout.NUMERIC: _decimals,
    layout.DATETIME: _datetimes,
    layout.SMALLDATETIME: _datetimes,
    layout.DATETIMEOFFSET: _offset_times,
    layout.GUID: _guids,
    layout.VARIANT: _spoken(_variant),
    layout.XML: _spoken(xml_text),
    layout.CLR: _spoken(clr_text),
}
