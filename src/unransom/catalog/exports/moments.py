"""Times as exports write them, in bulk: the order of day and month proven by all values, zones, precision."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow
import pyarrow.compute as pc

from unransom.catalog.exports.channel import AmbiguousExportError, OddTextError, UnreadableExportError
from unransom.catalog.exports.tables import TIME
from unransom.core.messages import say

DMY, MDY = "dmy", "mdy"
DAY = 86400  # seconds
_ZONE = (
    r"Z|(?:GMT|UTC)[-+][0-9]{1,2}(?::?[0-9]{2})?|[-+][0-9]{2}:?[0-9]{2}"
    r"|[A-Z]{2,5}|[A-Z][A-Za-z]+/[A-Za-z_/]+"
)
_CLOCK = (
    r"(?:[T ,]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<fraction>\.[0-9]{1,9})?)?"
    rf"(?: ?(?P<half>[AaPp][Mm]))?)?(?: *(?P<zone>{_ZONE}))?$"
)
_MONTH = r"(?P<name>\pL{3,12})\.?"
PATTERNS = {
    "ymd": r"^(?P<year>[0-9]{4})[-/.年](?P<month>[0-9]{1,2})[-/.月](?P<day>[0-9]{1,2})日?" + _CLOCK,
    "numeric": r"^(?P<one>[0-9]{1,2})[-/.](?P<two>[0-9]{1,2})[-/.](?P<year>[0-9]{4}|[0-9]{2})" + _CLOCK,
    "named-first": rf"^{_MONTH}[- ](?P<day>[0-9]{{1,2}})[-, ]+(?P<year>[0-9]{{4}}|[0-9]{{2}})" + _CLOCK,
    "named-second": rf"^(?P<day>[0-9]{{1,2}})\.?[- ]{_MONTH}[- ,]+(?P<year>[0-9]{{4}}|[0-9]{{2}})" + _CLOCK,
}
# The first letters of the months that tell them apart, in the languages that the channels' sites have.
_MONTHS = (
    ("jan", "ene", "gen", "sty"),
    ("feb", "fév", "fev", "lut"),
    ("mar", "mär", "mrz", "maa"),
    ("apr", "avr", "abr", "kwi"),
    ("may", "mai", "mag", "mei", "maj"),
    ("jun", "juin", "giu", "cze"),
    ("jul", "juil", "lug", "lip"),
    ("aug", "aoû", "aou", "ago", "sie"),
    ("sep", "set", "wrz"),
    ("oct", "okt", "ott", "out", "paź"),
    ("nov", "lis"),
    ("dec", "dez", "déc", "dic", "gru"),
)
MONTHS = {word: number for number, words in enumerate(_MONTHS, 1) for word in words}
# Abbreviations that the channels write; each has one meaning there.
OFFSETS = {
    **dict.fromkeys(("", "Z", "UTC", "GMT", "WET"), 0),
    **{"BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "WEST": 1, "EET": 2, "EEST": 3, "JST": 9},
    **{"PST": -8, "PDT": -7, "MST": -7, "MDT": -6, "CST": -6, "CDT": -5, "EST": -5, "EDT": -4},
    **{"AEST": 10, "AEDT": 11, "SGT": 8, "HKT": 8, "BRT": -3, "KST": 9, "MSK": 3, "NZST": 12, "NZDT": 13},
    **{"AST": -4, "ADT": -3, "AKST": -9, "AKDT": -8, "HST": -10},
    **{"HNA": -4, "HAA": -3, "HNE": -5, "HAE": -4, "HNC": -6, "HAC": -5, "HNR": -7, "HAR": -6},
    **{"HNP": -8, "HAP": -7},
}
DOUBTFUL = {"CST": "CDT"}  # of America and of China: the former only where its summer time stands beside it


class Moments(NamedTuple):
    """What a column of texts came to: times, whether they have a clock, whether a zone is written."""

    times: pyarrow.Array
    precision: int
    zoned: bool


def may_be_numeric(column: pyarrow.ChunkedArray) -> bool:
    """Return whether dates of a column may have the month as a number before or behind the day.

    The first date tells: a column whose dates are not all of one form is refused when they are converted.
    """
    for chunk in column.chunks:
        texts = chunk.dictionary if pyarrow.types.is_dictionary(chunk.type) else chunk
        there = texts.filter(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts), ""), False))
        if len(there):
            return _extract(pc.utf8_trim_whitespace(there.slice(0, 1)), "numeric") is not None
    return False


def orders_of(texts: pyarrow.Array) -> tuple[str, ...]:
    """Return the orders of day and month that fit all of ``texts``; empty where nothing depends on it.

    Args:
        texts: All different dates of a column.

    Raises:
        UnreadableExportError: No order fits.
    """
    fields = _extract(texts, "numeric")
    if fields is None or not len(texts):
        return ()
    one, two = _number(fields, "one"), _number(fields, "two")
    fits = [DMY] * bool((two <= 12).all() and (one <= 31).all())
    # Nobody writes the month first with dots between.
    dotted = pc.any(pc.match_substring_regex(texts, r"^[0-9]{1,2}\."), min_count=0).as_py()
    fits += [MDY] * bool((one <= 12).all() and (two <= 31).all() and not dotted)
    if not fits:
        # What fits neither way, else what fits as few of the others do.
        against = ((one > 31) | (two > 31) | ((one > 12) & (two > 12)), one > 12, two > 12)
        odd = min((each for each in against if each.any()), key=np.count_nonzero, default=one > 0)
        raise OddTextError(
            say("its dates are written in no single way"),
            texts[int(np.argmax(odd))].as_py(),
            hint=say("the file may be two exports in one, or edited by hand; export it again"),
        )
    return (DMY,) if len(fits) == 2 and (one == two).all() else tuple(fits)


def ambiguous(name: str, example: str) -> AmbiguousExportError:
    """Return the error for dates that fit with the day or the month first."""
    return AmbiguousExportError(
        say(
            "{file}: {text} has the day or the month first; both fit all of its dates",
            file=name,
            text=example,
        ),
        hint=say("say which with --dates dmy or --dates mdy"),
    )


def to_moments(texts: pyarrow.Array, order: str = DMY, zone: str = "UTC") -> Moments:
    """Return texts as times in UTC.

    Args:
        texts: Different texts, null or empty where there is none.
        order: Of day and month, where a text has them as numbers.
        zone: Of texts that do not say.

    Raises:
        UnreadableExportError: A text is no time.
    """
    texts = pc.utf8_trim_whitespace(texts)
    empty = pc.fill_null(pc.equal(texts, ""), True)
    if pc.all(empty, min_count=0).as_py():
        return Moments(pyarrow.nulls(len(texts), TIME), 1, True)
    texts = pc.if_else(empty, None, texts)
    if (times := plain(texts)) is not None:
        return Moments(times, 1, True)
    present = texts.drop_null()
    for pattern in PATTERNS:
        fields = _extract(present, pattern)
        if fields is not None:
            return _assemble(_spread(fields, texts), texts, order, zone)
    raise OddTextError(say("a time is written in no way that is known"), _oddest(present))


def _oddest(texts: pyarrow.Array) -> str:
    """Return the first of the texts that is not of the form that most of them have."""
    fits = [pc.is_valid(pc.extract_regex(texts, pattern)) for pattern in PATTERNS.values()]
    usual = max(fits, key=lambda each: pc.sum(each, min_count=0).as_py())
    return str(texts[pc.index(usual, False).as_py()].as_py())


def plain(texts: pyarrow.Array) -> pyarrow.Array | None:
    """Return times with an offset, or of UTC by name, which Arrow reads; None where one is none."""
    try:
        if pc.all(pc.ends_with(texts, " UTC"), min_count=0).as_py():
            local = pc.cast(pc.ascii_rtrim(texts, characters=" UTC"), pyarrow.timestamp("us"))
            return local.cast(TIME)
        return pc.cast(texts, TIME)
    except pyarrow.ArrowInvalid:
        return None


def _extract(texts: pyarrow.Array, pattern: str) -> pyarrow.StructArray | None:
    """Return the parts of the texts, None where one does not match."""
    fields = pc.extract_regex(texts, PATTERNS[pattern])
    return None if fields.null_count else fields


def _spread(fields: pyarrow.StructArray, texts: pyarrow.Array) -> pyarrow.StructArray:
    """Return ``fields`` of the texts that are there, at the places that these have among all."""
    if len(fields) == len(texts):
        return fields
    there = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    places = np.where(there, np.cumsum(there) - 1, 0)
    return fields.take(pyarrow.array(places, pyarrow.int64()))


def _assemble(fields: pyarrow.StructArray, texts: pyarrow.Array, order: str, zone: str) -> Moments:
    month = _months(fields, order)
    day = _number(fields, "day" if "day" in _names(fields) else "one" if order == DMY else "two")
    year = _number(fields, "year")
    year = np.where(year < 100, year + 2000, year)
    days = (year - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1).astype("m8[M]")
    exists = (month >= 1) & (month <= 12) & (day >= 1) & (day <= _length(days))
    if not exists.all():
        odd = texts.filter(pc.is_valid(texts)) if len(texts) != len(exists) else texts
        raise OddTextError(say("a date does not exist"), odd[int(np.argmin(exists))].as_py() or "")
    date = days.astype("M8[D]").astype("M8[us]") + (day - 1).astype("m8[D]").astype("m8[us]")
    clock = (_hours(fields) * 60 + _number(fields, "minute")) * 60 + _number(fields, "second")
    local = date + clock.astype("m8[s]").astype("m8[us]") + _fraction(fields)
    zones = fields.field("zone")
    times = _to_utc(pyarrow.array(local), pc.if_else(pc.equal(zones, ""), zone, zones), zone)
    has_clock = pc.any(pc.not_equal(fields.field("hour"), ""), min_count=0).as_py()
    zoned = not pc.any(pc.equal(zones, ""), min_count=0).as_py()
    missing = pc.is_null(texts)
    return Moments(pc.if_else(missing, pyarrow.scalar(None, TIME), times), 1 if has_clock else DAY, zoned)


def _names(fields: pyarrow.StructArray) -> set[str]:
    return {field.name for field in fields.type}


def _number(fields: pyarrow.StructArray, name: str) -> np.ndarray:
    texts = fields.field(name)
    return pc.cast(pc.if_else(pc.equal(texts, ""), "0", texts), pyarrow.int64()).to_numpy(
        zero_copy_only=False
    )


def _months(fields: pyarrow.StructArray, order: str) -> np.ndarray:
    names = _names(fields)
    if "name" not in names:
        return _number(fields, "month" if "month" in names else "two" if order == DMY else "one")
    words = pc.utf8_lower(fields.field("name"))
    numbers = {word: _month_of(word) for word in pc.unique(words).to_pylist()}
    return np.array([numbers[word] for word in words.to_pylist()], np.int64)


def _month_of(word: str) -> int:
    """Return the number of the month that a word begins like, 0 for none."""
    return next((MONTHS[word[:size]] for size in (4, 3) if word[:size] in MONTHS), 0)


def _length(months: np.ndarray) -> np.ndarray:
    """Return the days that months have."""
    first = months.astype("M8[D]")
    return ((months + np.timedelta64(1, "M")).astype("M8[D]") - first).astype(np.int64)


def _hours(fields: pyarrow.StructArray) -> np.ndarray:
    hours = _number(fields, "hour")
    half = pc.utf8_lower(fields.field("half"))
    hours = np.where(pc.not_equal(half, "").to_numpy(zero_copy_only=False), hours % 12, hours)
    return hours + 12 * pc.equal(half, "pm").to_numpy(zero_copy_only=False)


def _fraction(fields: pyarrow.StructArray) -> np.ndarray:
    digits = pc.utf8_slice_codeunits(fields.field("fraction"), 1, 7)
    padded = pc.utf8_rpad(digits, 6, "0")
    return pc.cast(padded, pyarrow.int64()).to_numpy(zero_copy_only=False).astype("m8[us]")


def _to_utc(local: pyarrow.Array, zones: pyarrow.Array, wanted: str) -> pyarrow.Array:
    """Return local times, each of its zone, as UTC; a short name that says nothing means ``wanted``."""
    result = pyarrow.nulls(len(local), TIME)
    names = pc.unique(zones).to_pylist()
    for zone in names:
        doubtful = zone in DOUBTFUL and DOUBTFUL[zone] not in names
        unknown = zone.isalpha() and zone not in OFFSETS
        if doubtful and "/" not in wanted:
            raise UnreadableExportError(
                say("{zone} is a time zone of America and one of China", zone=zone),
                hint=say("say which with --zone America/Chicago or --zone Asia/Shanghai"),
            )
        try:
            moved = _in_zone(local, wanted if (doubtful or unknown) and "/" in wanted else zone)
        except (pyarrow.ArrowInvalid, ValueError, KeyError, IndexError) as error:
            raise UnreadableExportError(
                say("{zone} is no time zone that is known", zone=zone),
                hint=say("say which with --zone, as in --zone Europe/Berlin"),
            ) from error
        result = pc.if_else(pc.equal(zones, zone), moved, result)
    return result


def _in_zone(local: pyarrow.Array, zone: str) -> pyarrow.Array:
    if "/" in zone:
        # The hour that summer time repeats is taken as its first pass, the one it leaves out as its end.
        return pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest").cast(TIME)
    if zone in OFFSETS:
        seconds = OFFSETS[zone] * 3600
    else:
        sign, digits = zone.lstrip("GMTUC")[0], zone.lstrip("GMTUC")[1:].replace(":", "")
        hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
        seconds = int(sign + "1") * (int(hours) * 3600 + int(minutes) * 60)
    return pc.subtract(local, pyarrow.scalar(seconds * 1_000_000, pyarrow.duration("us"))).cast(TIME)
