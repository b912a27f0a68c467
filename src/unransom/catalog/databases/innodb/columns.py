"""The values of one field of many records as an Arrow array."""

from __future__ import annotations

import datetime
import ipaddress
import uuid
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _value_kernel as kernel
from unransom.catalog.databases.innodb import binary_json
from unransom.catalog.databases.innodb.schema import Field
from unransom.catalog.databases.innodb.types import SMALL, ColumnType, Kind

REFERENCE = 20  # bytes of a reference to the part of a value that is off its page
ABSENT = -2
ZLIB, MOST_VALUE = 8, 1 << 30  # method of compressed columns; bytes of a value


class Cells(NamedTuple):
    """Where the values of one field are.

    Attributes:
        data: Pages.
        starts: Offset in ``data``, by row.
        lengths: Bytes on the page; -1 for NULL, -2 where the record is older than the column.
        outside: Whether the value ends in a reference to where it goes on.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int32]
    outside: NDArray[np.uint8]


Fetch = Callable[[bytes], bytes | None]  # a reference of 20 bytes to the bytes behind it; None where lost


class Built(NamedTuple):
    """An array, and the rows whose value is damaged: its off-page part is lost, or it is no text."""

    array: pyarrow.Array
    damaged: NDArray[np.bool_]


def build(field: Field, cells: Cells, fetch: Fetch) -> Built:
    """Return the values of ``field``."""
    damaged = np.zeros(len(cells.starts), np.bool_)
    if field.type.length < 0 and cells.outside.any():
        cells, lost = _bring_in(cells, fetch)
        damaged |= lost
    if field.type.packed:
        cells, lost = _unpacked(cells)
        damaged |= lost
    valid = cells.lengths >= 0
    array = _BUILDERS[field.type.kind](field.type, cells, valid, damaged)
    absent = cells.lengths == ABSENT
    damaged |= absent & field.untold
    if field.default is not None and absent.any():
        value = np.frombuffer(field.default, np.uint8)
        one = Cells(value, np.zeros(1, np.int64), np.array([len(value)], np.int32), np.zeros(1, np.uint8))
        default = _BUILDERS[field.type.kind](field.type, one, np.ones(1, np.bool_), np.zeros(1, np.bool_))
        array = pyarrow.compute.if_else(pyarrow.array(absent), default[0], array)
    return Built(array, damaged)


def _bring_in(cells: Cells, fetch: Fetch) -> tuple[Cells, NDArray[np.bool_]]:
    """Return cells whose off-page values stand behind the pages, and the rows that have lost theirs."""
    parts = [cells.data]
    starts, lengths = cells.starts.copy(), cells.lengths.copy()
    lost = np.zeros(len(starts), np.bool_)
    end = len(cells.data)
    for row in np.flatnonzero((cells.outside > 0) & (lengths >= REFERENCE)):
        start, length = int(starts[row]), int(lengths[row])
        field = cells.data[start : start + length]
        more = fetch(field[-REFERENCE:].tobytes())
        if more is None:
            lost[row] = True
            lengths[row] = -1
            continue
        value = np.concatenate([field[:-REFERENCE], np.frombuffer(more, np.uint8)])
        parts.append(value)
        starts[row], lengths[row] = end, len(value)
        end += len(value)
    return Cells(np.concatenate(parts), starts, lengths, np.zeros(len(starts), np.uint8)), lost


def _unpacked(cells: Cells) -> tuple[Cells, NDArray[np.bool_]]:
    """Return cells whose compressed values stand plain behind the pages, and the rows with a damaged one."""
    parts = [cells.data]
    starts, lengths = cells.starts.copy(), cells.lengths.copy()
    lost = np.zeros(len(starts), np.bool_)
    end = len(cells.data)
    for row in np.flatnonzero(lengths > 0):
        start = int(starts[row])
        value = _plain(cells.data[start : start + int(lengths[row])].tobytes())
        if value is None:
            lost[row], lengths[row] = True, -1
            continue
        parts.append(np.frombuffer(value, np.uint8))
        starts[row], lengths[row] = end, len(value)
        end += len(value)
    return cells._replace(data=np.concatenate(parts), starts=starts, lengths=lengths), lost


def _plain(stored: bytes) -> bytes | None:
    """Return the value that a compressed column stores, None where it is damaged.

    Its first byte is 0 before a plain value; else it has the method in the upper half, whether the stream is
    without a head, and how many bytes of the plain length follow.
    """
    how, width = stored[0], stored[0] & 7
    if how == 0:
        return stored[1:]
    size = int.from_bytes(stored[1 : 1 + width], "big")
    if how >> 4 != ZLIB or size > MOST_VALUE:
        return None
    stream = zlib.decompressobj(-zlib.MAX_WBITS if how & 8 else zlib.MAX_WBITS)
    try:
        value = stream.decompress(stored[1 + width :], size + 1)
    except zlib.error:
        return None
    return value if len(value) == size else None


def bitmap(valid: NDArray[np.bool_]) -> pyarrow.Buffer | None:
    """Return the validity buffer, None where everything is valid."""
    return None if valid.all() else pyarrow.py_buffer(np.packbits(valid, bitorder="little"))


def _array(kind: pyarrow.DataType, valid: NDArray[np.bool_], *buffers: NDArray[np.generic]) -> pyarrow.Array:
    wrapped = [pyarrow.py_buffer(np.ascontiguousarray(buffer)) for buffer in buffers]
    return pyarrow.Array.from_buffers(kind, len(valid), [bitmap(valid), *wrapped])


def _integers(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    arrow = of.arrow
    if of.kind is Kind.SIGNED:
        values = np.zeros(len(valid), np.int64)
        kernel.signed(cells.data, cells.starts, cells.lengths, values)
        return _array(arrow, valid, values.astype(arrow.to_pandas_dtype(), copy=False))
    numbers = np.zeros(len(valid), np.uint64)
    kernel.unsigned(cells.data, cells.starts, cells.lengths, numbers)
    if of.kind is Kind.YEAR:
        numbers[numbers > 0] += np.uint64(1900)
    return _array(arrow, valid, numbers.astype(arrow.to_pandas_dtype(), copy=False))


def _fixed(cells: Cells, width: int) -> NDArray[np.uint8]:
    out = np.zeros((len(cells.starts), width), np.uint8)
    kernel.fixed(cells.data, cells.starts, cells.lengths, width, out)
    return out


def _floats(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    return _array(of.arrow, valid, _fixed(cells, of.length))


def _decimals(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    limbs = np.zeros((len(valid), of.arrow.bit_width // 32), np.uint32)
    kernel.decimals(cells.data, cells.starts, cells.lengths, of.precision, of.scale, limbs)
    return _array(of.arrow, valid, limbs)


def _moments(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    values = np.zeros(len(valid), np.int32 if of.kind is Kind.DATE else np.int64)
    read = {Kind.DATE: kernel.dates, Kind.DATETIME: kernel.moments, Kind.TIMESTAMP: kernel.stamps}[of.kind]
    read(cells.data, cells.starts, cells.lengths, values, valid)
    return _array(of.arrow, valid, values)


def _numbers(cells: Cells) -> NDArray[np.uint64]:
    numbers = np.zeros(len(cells.starts), np.uint64)
    kernel.unsigned(cells.data, cells.starts, cells.lengths, numbers)
    return numbers


def _mapped(
    numbers: NDArray[np.uint64], valid: NDArray[np.bool_], name: Callable[[int], str]
) -> pyarrow.Array:
    """Return text for numbers of which many are equal."""
    unique, places = np.unique(numbers, return_inverse=True)
    texts = pyarrow.array([name(int(number)) for number in unique], pyarrow.string())
    indices = pyarrow.array(places.astype(np.int32), mask=~valid)
    return pyarrow.DictionaryArray.from_arrays(indices, texts).cast(pyarrow.string())


def _enums(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    numbers = _numbers(cells)
    damaged |= valid & (numbers > len(of.elements))
    names = ("", *of.elements)  # 0 is the value of an error
    return _mapped(numbers, valid, lambda number: names[number] if number < len(names) else str(number))


def _sets(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    def name(number: int) -> str:
        return ",".join(each for place, each in enumerate(of.elements) if number >> place & 1)

    return _mapped(_numbers(cells), valid, name)


def _times(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    bits, unit = 8 * (of.length - 3), int(kernel.MICROS[of.length - 3])

    def name(number: int) -> str:
        value = number - (1 << 23 + bits)
        sign, value = ("-", -value) if value < 0 else ("", value)
        clock, micros = value >> bits, (value & (1 << bits) - 1) * unit
        fraction = f".{micros:06d}"[: of.scale + 1] if of.scale else ""
        return f"{sign}{clock >> 12 & 0x3FF:02d}:{clock >> 6 & 63:02d}:{clock & 63:02d}{fraction}"

    return _mapped(_numbers(cells), valid, name)


def _old_times(
    _of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    def name(number: int) -> str:
        value = number - (1 << 23)
        sign, value = ("-", -value) if value < 0 else ("", value)
        return f"{sign}{value // 10000:02d}:{value // 100 % 100:02d}:{value % 100:02d}"

    return _mapped(_numbers(cells), valid, name)


def _old_moments(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    numbers = _numbers(cells)
    values = np.zeros(len(valid), np.int64)
    for row in np.flatnonzero(valid):
        if of.kind is Kind.OLD_TIMESTAMP:
            number = int(numbers[row]) & 0x7FFFFFFF
            values[row] = number * 1_000_000
            valid[row] = number > 0
            continue
        digits = f"{int(numbers[row]) & (1 << 63) - 1:014d}"
        try:
            moment = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
            values[row] = int(moment.timestamp()) * 1_000_000
        except ValueError:
            valid[row] = False
    return _array(of.arrow, valid, values)


def _strings(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    trims = np.zeros(len(valid), np.int64)
    if of.padded:
        kernel.trailing(cells.data, cells.starts, cells.lengths, of.charset.least, trims)
    ends, data, ascii_only = _gathered(cells, trims)
    plain = ascii_only and of.charset.least == 1
    if plain:
        return _variable(of.arrow, valid, ends, data)
    binary = _variable(pyarrow.large_binary(), valid, ends, data)
    if of.charset.codec == "utf-8":
        try:
            return binary.cast(pyarrow.large_string()).cast(of.arrow)
        except pyarrow.ArrowInvalid:
            pass  # found below, value by value
    return pyarrow.array(_texts(binary, of.charset.codec, damaged), of.arrow)


def _texts(values: pyarrow.Array, codec: str, damaged: NDArray[np.bool_]) -> list[str | None]:
    out: list[str | None] = []
    for row, value in enumerate(values.to_pylist()):
        try:
            out.append(None if value is None else value.decode(codec))
        except UnicodeDecodeError:
            # Bytes that a code page leaves open are kept by servers and are no damage.
            out.append(value.decode("latin-1" if codec.startswith("cp12") else codec, "replace"))
            damaged[row] = not codec.startswith("cp12")
    return out


def _gathered(cells: Cells, trims: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8], bool]:
    ends = np.zeros(len(cells.starts) + 1, np.int64)
    total = kernel.offsets(cells.lengths, trims, ends)
    data = np.empty(total, np.uint8)
    return ends, data, bool(kernel.gather(cells.data, cells.starts, ends, data))


def _variable(
    arrow: pyarrow.DataType, valid: NDArray[np.bool_], ends: NDArray[np.int64], data: NDArray[np.uint8]
) -> pyarrow.Array:
    large = arrow in {pyarrow.large_binary(), pyarrow.large_string()}
    return _array(arrow, valid, ends if large else ends.astype(np.int32), data)


def _bytes(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    ends, data, _ = _gathered(cells, np.zeros(len(valid), np.int64))
    return _variable(of.arrow if of.most <= SMALL else pyarrow.large_binary(), valid, ends, data)


def _each(cells: Cells, valid: NDArray[np.bool_]) -> list[bytes | None]:
    ends, data, _ = _gathered(cells, np.zeros(len(valid), np.int64))
    values: list[bytes | None] = _variable(pyarrow.large_binary(), valid, ends, data).to_pylist()
    return values


def _json(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    out: list[str | None] = []
    for row, value in enumerate(_each(cells, valid)):
        text = None if value is None else binary_json.text(value)
        damaged[row] |= value is not None and text is None
        out.append(text)
    return pyarrow.array(out, of.arrow)


def _addresses(
    of: ColumnType, cells: Cells, valid: NDArray[np.bool_], _damaged: NDArray[np.bool_]
) -> pyarrow.Array:
    name = _guid if of.kind is Kind.UUID else _address
    return pyarrow.array([None if value is None else name(value) for value in _each(cells, valid)], of.arrow)


def _address(value: bytes) -> str:
    return str(ipaddress.ip_address(value)) if len(value) in {4, 16} else value.hex()


def _guid(value: bytes) -> str:
    """Return a UUID of MariaDB, whose first and last groups are stored the other way round."""
    if len(value) != 16:
        return value.hex()
    first = value[6:8] + value[4:6] + value[0:4]
    swapped = value[12:16] + value[10:12] + value[8:10] + value[0:8][6:8] + value[0:6]
    # Versions 1 to 5 are stored by the weight of their parts; versions 6 and 7 as they are written.
    if swapped[6] >> 4 in range(1, 6) and swapped[8] & 0x80:
        return str(uuid.UUID(bytes=swapped))
    return str(uuid.UUID(bytes=value if value[6] >> 4 >= 6 else first + value[8:]))


_BUILDERS: dict[Kind, Callable[[ColumnType, Cells, NDArray[np.bool_], NDArray[np.bool_]], pyarrow.Array]] = {
    Kind.SIGNED: _integers,
    Kind.UNSIGNED: _integers,
    Kind.YEAR: _integers,
    Kind.BIT: _integers,
    Kind.FLOAT: _floats,
    Kind.DOUBLE: _floats,
    Kind.DECIMAL: _decimals,
    Kind.DATE: _moments,
    Kind.DATETIME: _moments,
    Kind.TIMESTAMP: _moments,
    Kind.TIME: _times,
    Kind.ENUM: _enums,
    Kind.SET: _sets,
    Kind.TEXT: _strings,
    Kind.BINARY: _bytes,
    Kind.JSON: _json,
    Kind.INET4: _addresses,
    Kind.INET6: _addresses,
    Kind.UUID: _addresses,
    Kind.OLD_TIME: _old_times,
    Kind.OLD_DATETIME: _old_moments,
    Kind.OLD_TIMESTAMP: _old_moments,
}
