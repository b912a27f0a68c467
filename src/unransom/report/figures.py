"""Figures as people read them: grouped counts, sizes, shares that never round a rest away, durations."""

from __future__ import annotations

from unransom.core.messages import Message, say

UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
LONGEST = 1000  # characters of one text that are shown


def count(number: int) -> str:
    """Return e.g. ``1,204,881``."""
    return f"{number:,}"


def size(number: float) -> str:
    """Return bytes with three significant digits in decimal units, e.g. ``4.66 TB``."""
    amount = float(number)
    for unit in UNITS:
        if abs(amount) < 999.5 or unit == UNITS[-1]:
            digits = 0 if unit == "B" or abs(amount) >= 99.95 else 1 if abs(amount) >= 9.995 else 2
            return f"{amount:,.{digits}f} {unit}"
        amount /= 1000
    raise AssertionError(UNITS)


def rate(number: float) -> str:
    """Return a rate with about three significant digits, e.g. ``0.42``, ``17.5`` or ``1,930``."""
    if number <= 0:
        return "0"
    return f"{number:,.{0 if number >= 99.5 else 1 if number >= 9.95 else 2}f}"


def share(part: float, whole: float) -> str:
    """Return ``part`` of ``whole`` in per cent.

    Only nothing is ``0 %`` and only everything is ``100 %``: one file missing out of a million shows.
    """
    if whole <= 0 or part <= 0:
        return "0 %"
    if part >= whole:
        return "100 %"
    percent = 100 * part / whole
    if percent < 0.01:
        return "< 0.01 %"
    if percent > 99.99:
        return "> 99.99 %"
    return f"{percent:.{1 if 1 <= percent < 99 else 2}f} %"


def duration(seconds: float) -> Message:
    """Return a length of time in its two largest units."""
    if seconds < 10:
        return say("{seconds} s", seconds=f"{max(0.0, seconds):.1f}")
    whole = round(seconds)
    if whole < 60:
        return say("{seconds} s", seconds=str(whole))
    if whole < 3600:
        return say("{minutes} min {seconds:02d} s", minutes=whole // 60, seconds=whole % 60)
    return say("{hours:,} h {minutes:02d} min", hours=whole // 3600, minutes=whole % 3600 // 60)


def moment(time: str) -> str:
    """Return an RFC 3339 time in UTC as people read it, ``2026-03-02 01:14:07 UTC``."""
    if len(time) < 19 or not time.endswith("Z"):
        return time
    return f"{time[:10]} {time[11:19]} UTC"


def visible(text: str) -> str:
    """Return ``text`` safe to show: control and direction characters and lone surrogates made visible.

    Names come from evidence: an escape sequence must not reach a terminal, and a right-to-left mark
    must not turn ``exe.gpj`` into ``jpg.exe``.
    """
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\u3000" else f"\\x{ord(c):02x}" for c in text)
