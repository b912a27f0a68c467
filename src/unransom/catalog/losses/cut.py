"""Files that hold less than their locker says the original had."""

from __future__ import annotations

from typing import NamedTuple

from unransom.catalog.families import teslacrypt2, wannacry
from unransom.catalog.losses.loss import Clues, Loss, Rule, Stripes
from unransom.catalog.schemes.family import NAMED, Locked
from unransom.core.messages import say

LARGEST = 1 << 48  # bytes: no file is larger, so such a number is no size


class Promise(NamedTuple):
    """How much of the original a locker says that it locked.

    Attributes:
        family: What people call it.
        start: Where the locked bytes begin.
        size: Bytes of the original.
        bits: Of the file that are as the family demands.
    """

    family: str
    start: int
    size: int
    bits: int


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell what is missing at the end: no locker stores less than the original."""
    promise = _at_the_head(locked) or _at_the_tail(locked, clues)
    if promise is None or promise.bits < NAMED or promise.size > LARGEST:
        return None
    left = locked.size - promise.start
    if left >= promise.size:
        return None
    why = say(
        "{family} locked {size:,} bytes, and the file holds {left:,} of them: the rest is cut off",
        family=promise.family,
        size=promise.size,
        left=left,
    )
    return Loss(promise.bits, why, (Stripes(locked.size, promise.size - left),), whole=not left)


def _at_the_head(locked: Locked) -> Promise | None:
    """Return what a head promises; the families themselves want the whole file behind it."""
    if mark := wannacry.HEAD(locked):
        return Promise(wannacry.FAMILY.title, wannacry.HEAD.size, mark.numbers["size"], mark.bits)
    mark = teslacrypt2.HEAD(locked)
    if (
        mark is None
        or mark.fields["magic"] not in teslacrypt2.MAGICS
        or not teslacrypt2.PRODUCT.fullmatch(mark.fields["product"])
    ):
        return None
    family = teslacrypt2.FAMILY.title
    return Promise(family, teslacrypt2.HEAD.size, mark.numbers["size"], teslacrypt2.BITS)


def _at_the_tail(locked: Locked, clues: Clues) -> Promise | None:
    """Return what the strongest mark promises that has more original bytes than the file has in all."""
    promises = (
        Promise(name, 0, mark.plain_size, mark.bits)
        for name, mark in clues.marks.items()
        if mark.plain_size is not None and mark.plain_size > locked.size
    )
    return max(promises, key=lambda promise: promise.bits, default=None)


RULE = Rule(
    name="cut",
    title="Cut off by the locker",
    references=(*wannacry.FAMILY.references, *teslacrypt2.FAMILY.references),
    judge=judge,
    limitations=(
        "What is left opens with the key, but unransom opens such files only whole so far.",
        "A locker whose metadata stood in the part that is cut off leaves nothing to tell it by.",
    ),
)
