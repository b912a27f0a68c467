"""Keys that do not fit as they stand: dressed up by a shop system, or damaged by a spreadsheet."""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from collections.abc import Sequence

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{4,}")
_SCIENTIFIC = re.compile(r"^([1-9])(?:[.,](\d+))?E\+?(\d+)$", re.I)
_ROUNDED = re.compile(r"^(\d{10,15})0{3,}$")
_FLOAT = re.compile(r"^(\d+)\.0$")
MOST = 5  # candidates that are named


def undressed(key: str, known: frozenset[str]) -> str:
    """Return the one known order that ``key`` contains as a word, "" where there is none or several.

    Shops write the order as JSON, with a prefix, or in other letters: ``{"order":"WEB-1"}``, ``#web-1``.
    """
    words = {word for token in _TOKEN.findall(key) for word in (token, token.upper(), token.lower())}
    # A prefix with a hyphen is taken off part by part: SHOP-WEB-1 names WEB-1.
    parts = {word.split("-", count)[-1] for word in words for count in range(1, min(word.count("-"), 4) + 1)}
    found = (words | parts) & known
    return found.pop() if len(found) == 1 else ""


def damage_of(key: str) -> str:
    """Return the digits that are left of an identifier that a spreadsheet took for a number, else ""."""
    if found := _SCIENTIFIC.match(key):
        return found[1] + (found[2] or "")
    if found := _ROUNDED.match(key):
        return found[1]
    if found := _FLOAT.match(key):
        return found[1]
    return ""


def damaged(orphans: Sequence[str], ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the keys that a spreadsheet has damaged, each with the identifiers that it may have been.

    Args:
        orphans: Keys that name no order.
        ids: Of orders that nothing names, sorted.
    """
    plain: dict[str, list[str]] = defaultdict(list)
    for each in ids:
        plain[each.lstrip("0")].append(each)
    found = {}
    for key in orphans:
        if digits := damage_of(key):
            found[key] = candidates(digits, ids)
        elif key.isdigit() and (same := plain.get(key.lstrip("0"))):
            found[key] = same[:MOST]
    return found


def candidates(digits: str, ids: Sequence[str]) -> list[str]:
    """Return up to ``MOST`` of the identifiers that begin with what is left of a damaged one.

    Args:
        digits: What is left; its last digit may have been rounded up.
        ids: Sorted.
    """
    prefix = digits[:-1] if len(digits) > 4 else digits
    at = bisect.bisect_left(ids, prefix)
    found: list[str] = []
    while at < len(ids) and ids[at].startswith(prefix) and len(found) < MOST:
        found.append(ids[at])
        at += 1
    return found
