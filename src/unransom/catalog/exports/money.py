"""Money as exports write it: which mark is the decimal mark, proven by all values, and bulk conversion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.channel import AmbiguousExportError, OddTextError, UnreadableExportError
from unransom.catalog.exports.tables import SCALE, UNIT
from unransom.core.messages import say

POINT, COMMA = "point", "comma"
_SPACE = r"[ \t\x{a0}\x{2009}\x{202f}]"
_SIGN = r"[-+\x{2212}]?"
_SYMBOL = rf"(?:(?:[A-Z]{{1,3}}{_SPACE}?)?\p{{Sc}}|[A-Z]{{3}}|[A-Z]{{1,2}}\$)?"
_GROUPS = {POINT: r"[,'\x{2019} \x{a0}\x{2009}\x{202f}]", COMMA: r"[.'\x{2019} \x{a0}\x{2009}\x{202f}]"}
_MARK = {POINT: r"\.", COMMA: ","}
MISSING = pyarrow.array(["", "-", "--", "\u2014", "N/A"])
WHOLE = frozenset({"JPY", "KRW", "TWD", "HUF", "VND", "CLP", "ISK"})  # that shops use without cents
_PLAIN = r"^-?[0-9]+(?:\.[0-9]{1,4})?$"
LARGEST = 10**13  # beyond that no order goes; keeps sums of a million within int64


def _pattern(mark: str) -> str:
    group, decimal = _GROUPS[mark], _MARK[mark]
    number = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+)?(?:{decimal}[0-9]{{1,4}})?"
    body = rf"{_SIGN}{_SPACE}*{_SYMBOL}{_SPACE}*{_SIGN}{number}{_SPACE}*{_SYMBOL}{_SPACE}*{_SIGN}"
    return rf"^{_SPACE}*\(?{body}\)?{_SPACE}*$"


PATTERNS = {mark: _pattern(mark) for mark in (POINT, COMMA)}


def distinct(columns: Iterable[pyarrow.ChunkedArray]) -> pyarrow.Array:
    """Return the different texts of dictionary columns, without those that mean that there is none."""
    parts = {_place(chunk): chunk.dictionary for column in columns for chunk in column.chunks}
    if not parts:
        return pyarrow.array([], pyarrow.string())
    texts = pc.utf8_trim_whitespace(pc.unique(pyarrow.concat_arrays(list(parts.values())).drop_null()))
    return texts.filter(pc.invert(pc.is_in(texts, value_set=MISSING)))


def _place(chunk: pyarrow.DictionaryArray) -> tuple[int, ...]:
    """Return where the different texts of a chunk lie, which several chunks may have in common."""
    texts = chunk.dictionary
    return texts.offset, len(texts), *(buffer.address for buffer in texts.buffers() if buffer)


def fitting(texts: pyarrow.Array) -> tuple[str, ...]:
    """Return the decimal marks under which every one of ``texts`` is an amount."""
    return tuple(
        mark
        for mark, pattern in PATTERNS.items()
        if pc.all(pc.match_substring_regex(texts, pattern), min_count=0).as_py()
    )


def marks_of(texts: pyarrow.Array, wanted: str = "") -> tuple[str, ...]:
    """Return the decimal marks that may be meant: one, or two where both readings fit and differ.

    Args:
        texts: All different amounts of a file.
        wanted: What the user says, which counts where both fit; "" for nothing.

    Raises:
        UnreadableExportError: No reading fits all of them.
    """
    fits = fitting(texts)
    if not fits:
        odd = _odd(texts)
        raise OddTextError(
            say("its amounts are written in no single way"),
            odd[0] if odd else "",
            detail=", ".join(repr(text[:40]) for text in odd),
            hint=say("the file may be two exports in one, or edited by hand; export it again"),
        )
    if (
        len(fits) == 2
        and pc.all(pc.equal(to_units(texts, POINT), to_units(texts, COMMA)), min_count=0).as_py()
    ):
        return (POINT,)
    return (wanted,) if wanted in fits else fits


def whole(texts: pyarrow.Array, marks: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of ``marks`` under which no amount has a fraction; all where that leaves none."""
    fits = tuple(
        mark
        for mark in marks
        if not np.any(to_units(texts, mark).fill_null(0).to_numpy(zero_copy_only=False) % UNIT)
    )
    return fits or marks


def _odd(texts: pyarrow.Array) -> list[str]:
    """Return up to three of the texts that are no amounts, or the marks that contradict each other."""
    for mark in (POINT, COMMA):
        odd = texts.filter(pc.invert(pc.match_substring_regex(texts, PATTERNS[mark])))
        if len(odd):
            found: list[str] = odd.slice(0, 3).to_pylist()
            return found
    return []


def ambiguous(name: str, texts: pyarrow.Array) -> AmbiguousExportError:
    """Return the error for amounts that fit with either decimal mark."""
    differ = pc.not_equal(to_units(texts, POINT), to_units(texts, COMMA))
    example = texts.filter(differ)[0].as_py()
    return AmbiguousExportError(
        say(
            "{file}: {text} is {point} with a decimal point and {comma} with a decimal comma; both fit",
            file=name,
            text=example,
            point=str(amount_of(example, POINT)),
            comma=str(amount_of(example, COMMA)),
        ),
        hint=say("say which with --decimal point or --decimal comma"),
    )


def to_units(texts: pyarrow.Array, mark: str) -> pyarrow.Array:
    """Return amounts as int64 in units of 10**-SCALE; null for texts that mean that there is none.

    Args:
        texts: Texts, of which each fits ``mark``.
        mark: ``POINT`` or ``COMMA``.

    Raises:
        UnreadableExportError: An amount is beyond what money can be.
    """
    texts = pc.utf8_trim_whitespace(texts)
    texts = pc.if_else(pc.is_in(texts, value_set=MISSING), None, texts)
    if not pc.all(pc.match_substring_regex(texts, _PLAIN), min_count=0).as_py() or mark == COMMA:
        negative = pc.match_substring_regex(texts, r"[-\x{2212}(]")
        digits = pc.replace_substring_regex(texts, r"[^0-9,]" if mark == COMMA else r"[^0-9.]", "")
        digits = pc.replace_substring(digits, ",", ".") if mark == COMMA else digits
        texts = pc.if_else(negative, pc.binary_join_element_wise("-", digits, ""), digits)
    try:
        exact = pc.cast(texts, pyarrow.decimal128(18, SCALE))
    except pyarrow.ArrowInvalid as error:
        raise UnreadableExportError(
            say("an amount is no number of money"), detail=str(error)[:200]
        ) from error
    return _int64(exact)


def _int64(exact: pyarrow.Array) -> pyarrow.Array:
    """Return the int64 behind decimals of up to 18 digits, which is the lower half of each value."""
    data = exact.buffers()[1]
    halves = np.frombuffer(data, np.int64) if data else np.empty(0, np.int64)
    values = halves[::2][exact.offset : exact.offset + len(exact)]
    return pyarrow.array(values, pyarrow.int64(), mask=pc.is_null(exact).to_numpy(zero_copy_only=False))


def column_units(column: pyarrow.ChunkedArray, mark: str) -> pyarrow.ChunkedArray:
    """Return a dictionary column of amounts as int64 units; each different text is converted once."""
    chunks = []
    # Many columns of a report are empty: all of their pieces are slices of one.
    nothing = pyarrow.nulls(max(map(len, column.chunks), default=0), pyarrow.int64())
    converted: dict[tuple[int, ...], pyarrow.Array] = {}
    for chunk in column.chunks:
        place = _place(chunk)
        if place not in converted:
            converted[place] = to_units(chunk.dictionary, mark)
        units = converted[place]
        empty = units.null_count == len(units)
        chunks.append(nothing.slice(0, len(chunk)) if empty else units.take(chunk.indices))
    return pyarrow.chunked_array(chunks, pyarrow.int64())


def amount_of(text: str, mark: str = POINT) -> Decimal:
    """Return one amount exactly."""
    units = to_units(pyarrow.array([text]), mark)[0].as_py()
    return Decimal(units or 0).scaleb(-SCALE)


def units_of(value: object) -> int | None:
    """Return a JSON amount (text, integer or decimal) in units of the tables, None where there is none.

    Raises:
        UnreadableExportError: It is no amount, or has more decimals than money has.
    """
    if value is None or value == "":
        return None
    try:
        units = Decimal(str(value).replace(",", "")).scaleb(SCALE)
        if not units.is_finite() or units != units.to_integral_value() or abs(units) > LARGEST * UNIT:
            raise InvalidOperation
    except InvalidOperation as error:
        raise UnreadableExportError(
            say("an amount is no number of money"), detail=repr(value)[:80]
        ) from error
    return int(units)


def total(column: pyarrow.ChunkedArray | pyarrow.Array) -> Decimal:
    """Return the sum of a column of units as an exact amount."""
    return Decimal(pc.sum(column, min_count=0).as_py() or 0).scaleb(-SCALE)


def summed(columns: Sequence[pyarrow.ChunkedArray]) -> pyarrow.ChunkedArray:
    """Return the sum of columns row by row, where an amount that is missing counts as nothing."""
    there = [pc.fill_null(column, 0) for column in columns if column.null_count < len(column)]
    if not there:
        return pyarrow.chunked_array([pyarrow.repeat(pyarrow.scalar(0, pyarrow.int64()), len(columns[0]))])
    result = there[0]
    for column in there[1:]:
        result = pc.add(result, column)
    return result
