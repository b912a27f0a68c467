"""The likeliest types of bytes whose columns nobody declared: those that describe them in the fewest bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb.charsets import CHARSETS, LATIN1, UTF8, Charset
from unransom.catalog.databases.innodb.types import VARIABLE, ColumnType, Kind, column_type

Bits = NDArray[np.float64]
MOST_TEXT = 255  # characters of a text of fixed length
FEW = 20  # values; below that decimals and floating point numbers are not told from integers
NEVER = 1e9
COLUMN = 2.0  # bits that each column costs, so that few of them are likelier than many
CODECS = ("gbk", "big5", "sjis", "ujis", "euckr")


def fixed_types(part: NDArray[np.uint8]) -> list[ColumnType]:
    """Return the types that bytes of fixed length seem to hold one behind the other.

    Args:
        part: A row for each record.
    """
    size = part.shape[1]
    costs = np.full(size + 1, np.inf)
    costs[0] = 0.0
    chosen: list[tuple[int, str]] = [(0, "")] * (size + 1)
    for start in range(size):
        for width, declared, cost in _guesses(part[:, start:]):
            if costs[start] + cost + COLUMN < costs[start + width]:
                costs[start + width] = costs[start] + cost + COLUMN
                chosen[start + width] = (start, declared)
    types: list[ColumnType] = []
    end = size
    while end:
        end, declared = chosen[end]
        made = column_type(declared, LATIN1)
        assert made is not None  # noqa: S101  the names below are types
        types.append(made)
    return types[::-1]


def whole(types: Sequence[ColumnType], width: int) -> ColumnType:
    """Return the one type of a column of ``width`` bytes that seems to be of ``types``."""
    if len(types) == 1:
        return types[0]
    return ColumnType(f"binary({width})", Kind.BINARY, width, width)


def variable_type(values: Sequence[bytes]) -> ColumnType:
    """Return the type of values of variable length: text, by the first character set that fits, or bytes."""
    charset = _charset(values)
    if charset is None:
        return ColumnType("longblob", Kind.BINARY, VARIABLE, 1 << 32, big=True)
    return ColumnType("longtext", Kind.TEXT, VARIABLE, 1 << 32, big=True, charset=charset)


def _charset(values: Sequence[bytes]) -> Charset | None:
    control = sum(byte < 0x20 and byte not in {9, 10, 13} for value in values for byte in value[:256])
    if control > sum(min(len(value), 256) for value in values) // 50:
        return None
    for charset in (UTF8, *(CHARSETS[name] for name in CODECS)):
        if all(_decodes(value, charset.codec) for value in values):
            return charset
    return LATIN1


def _decodes(value: bytes, codec: str) -> bool:
    try:
        value.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _guesses(part: NDArray[np.uint8]) -> Iterator[tuple[int, str, float]]:
    """Yield widths, declared types and bits a value of the columns that may begin with the first byte."""
    room = part.shape[1]
    for width, declared, cost in _RULES:
        if width <= room:
            bits = cost(part[:, :width])
            if bits < NEVER:
                yield width, declared, bits
    yield from _decimals(part)
    yield from _texts(part)
    for width in range(1, min(room, 32) + 1):
        yield width, f"binary({width})", 9.2 * width + 7


def _natural(values: NDArray[np.generic]) -> float:
    """Return the mean bits of numbers of which small ones are the likely ones."""
    wide = np.log2(np.abs(values.astype(np.float64)) + 1)
    return float((wide + 2 * np.log2(wide + 1) + 1).mean())


def _number(part: NDArray[np.uint8]) -> NDArray[np.uint64]:
    value = np.zeros(len(part), np.uint64)
    for column in range(part.shape[1]):
        value = value << np.uint64(8) | part[:, column].astype(np.uint64)
    return value


def _signed(part: NDArray[np.uint8]) -> float:
    return _natural(_number(part).astype(np.float64) - float(1 << 8 * part.shape[1] - 1))


def _unsigned(part: NDArray[np.uint8]) -> float:
    return _natural(_number(part))


def _date(part: NDArray[np.uint8]) -> float:
    value = _number(part).astype(np.int64) & 0x7FFFFF
    year, month, day = value >> 9, value >> 5 & 15, value & 31
    good = (year > 1900) & (year < 2100) & (month > 0) & (month < 13) & (day > 0)
    return 14.0 if (good | (value == 0)).all() and good.any() and (part[:, 0] & 0x80).all() else NEVER


def _datetime(part: NDArray[np.uint8]) -> float:
    value = _number(part[:, :5]).astype(np.int64) - (1 << 39)
    months = value >> 22
    good = (months > 1900 * 13) & (months < 2100 * 13) & ((value >> 17 & 31) > 0) & ((value >> 12 & 31) < 24)
    good &= ((value >> 6 & 63) < 60) & ((value & 63) < 60)
    return 24.0 + _fraction(part[:, 5:]) if (good | (value == 0)).all() and good.any() else NEVER


def _fraction(part: NDArray[np.uint8]) -> float:
    """Return the bits of a fraction of a second, which has two digits a byte."""
    digits = part.shape[1]
    most = 10 ** (2 * digits)
    if digits and (_number(part) >= most).any():
        return NEVER
    return 6.6 * digits + 4 * (digits > 0)


def _timestamp(part: NDArray[np.uint8]) -> float:
    value = _number(part[:, :4])
    good = (value > 800_000_000) & (value < 2_200_000_000)
    return 26.0 + _fraction(part[:, 4:]) if (good | (value == 0)).all() and good.any() else NEVER


def _time(part: NDArray[np.uint8]) -> float:
    value = _number(part).astype(np.int64) - (1 << 23)
    good = (value >= 0) & (value >> 12 < 24) & ((value >> 6 & 63) < 60) & ((value & 63) < 60)
    return 15.0 if good.all() and (value > 1 << 12).mean() > 0.5 else NEVER


def _year(part: NDArray[np.uint8]) -> float:
    return 7.0 if ((part >= 95) & (part <= 140)).all() else NEVER


def _floating(kind: str, least: float, bits: float) -> Callable[[NDArray[np.uint8]], float]:
    def cost(part: NDArray[np.uint8]) -> float:
        with np.errstate(all="ignore"):
            values = np.abs(np.ascontiguousarray(part).view(kind)[:, 0].astype(np.float64))
            good = (values == 0) | ((values > least) & (values < 1e12))
        return bits if len(part) >= FEW and good.all() and (values > 0).mean() > 0.5 else NEVER

    return cost


def _plus(cost: Callable[[NDArray[np.uint8]], float], more: float) -> Callable[[NDArray[np.uint8]], float]:
    return lambda part: cost(part) + more


_RULES: tuple[tuple[int, str, Callable[[NDArray[np.uint8]], float]], ...] = (
    (4, "int", _signed),
    (4, "int unsigned", _plus(_unsigned, 0.2)),
    (8, "bigint", _plus(_signed, 0.5)),
    (8, "bigint unsigned", _plus(_unsigned, 0.7)),
    (1, "tinyint", _plus(_signed, 0.5)),
    (1, "tinyint unsigned", _plus(_unsigned, 0.5)),
    (2, "smallint", _plus(_signed, 1.0)),
    (2, "smallint unsigned", _plus(_unsigned, 1.0)),
    (3, "mediumint", _plus(_signed, 2.0)),
    (3, "mediumint unsigned", _plus(_unsigned, 2.0)),
    (3, "date", _date),
    (3, "time", _time),
    (1, "year", _year),
    *((5 + more, f"datetime({2 * more})" if more else "datetime", _datetime) for more in range(4)),
    *((4 + more, f"timestamp({2 * more})" if more else "timestamp", _timestamp) for more in range(4)),
    (4, "float", _floating("<f4", 1e-3, 34.0)),
    (8, "double", _floating("<f8", 1e-6, 40.0)),
)


def _decimals(part: NDArray[np.uint8]) -> Iterator[tuple[int, str, float]]:
    """Yield decimals of two places: their last byte stays below 100."""
    digits = {1: 2, 2: 4, 3: 6, 4: 9, 5: 10, 6: 12}  # by bytes in front of the point
    for width, whole in digits.items():
        if len(part) < FEW or part.shape[1] <= width or part[:, width].max() >= 100:
            continue
        number = _number(part[:, :width]).astype(np.float64) - float(1 << 8 * width - 1)
        if (number >= 0).all() and (number > 0).mean() > 0.3 and number.max() < 10**whole:
            yield width + 1, f"decimal({whole + 2},2)", _natural(number) + 7.0


def _texts(part: NDArray[np.uint8]) -> Iterator[tuple[int, str, float]]:
    """Yield texts of fixed length: printable bytes, with spaces behind."""
    good = ((part >= 0x20) & (part != 0x7F)).all(axis=0)
    run = len(good) if good.all() else int(np.argmin(good))
    bits = np.cumsum(5.0 + 4.0 * (part[:, :run] >= 0x80).mean(axis=0))
    for width in range(2, min(run, MOST_TEXT) + 1):
        yield width, f"char({width})", float(bits[width - 1])
