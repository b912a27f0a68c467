"""Files with a locker's head, whose end with the wrapped key is cut off or written over."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from unransom.catalog.families import hive6, hunters1, hunters2, zeppelin
from unransom.catalog.losses._evidence import is_random
from unransom.catalog.losses.loss import Clues, Loss, Rule, Stripes
from unransom.catalog.schemes.family import Family, Locked
from unransom.catalog.schemes.hive import HIVE6, HUNTERS1
from unransom.core.messages import say

BLOCK = 4096  # bytes that are random or not
LEAST = 1024  # bytes of the last one
MOST = 1 << 20  # bytes behind the head that are counted


class Headed(NamedTuple):
    """A family that marks the head of a file and puts the key behind its end.

    Attributes:
        family: The family.
        ends: Where the mark at the head ends and locked bytes follow, None where it is not there.
        bits: How many bits the mark has.
    """

    family: Family
    ends: Callable[[Locked], int | None]
    bits: int


HEADED = (
    Headed(hive6.FAMILY, HIVE6.ends, HIVE6.bits),
    Headed(hunters1.FAMILY, HUNTERS1.ends, HUNTERS1.bits),
    Headed(hunters2.FAMILY, hunters2.ends, hunters2.MARKER_BITS),
    Headed(zeppelin.FAMILY, zeppelin.ends, 8 * len(zeppelin.BOX)),
)


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell files of which the head is a locker's, and the end is not."""
    for family, ends, bits in HEADED:
        start = ends(locked) if family.name not in clues.marks else None
        length = _random(locked, start) if start is not None else 0
        if start is not None and length:
            why = say(
                "it begins like a file of {family}, and the wrapped key that ends such files is not there:"
                " it is cut off or written over",
                family=family.title,
            )
            return Loss(bits, why, (Stripes(start, length),))
    return None


def _random(locked: Locked, start: int) -> int:
    """Return how many bytes from ``start`` on are random, which no key opens any more."""
    end = min(locked.size, start + MOST)
    for at in range(start, end, BLOCK):
        data = locked.read_at(at, min(BLOCK, end - at))
        if len(data) < LEAST or not is_random(data):
            return at - start
    return max(end - start, 0)


RULE = Rule(
    name="unkeyed",
    title="Cut off with the key",
    references=tuple(dict.fromkeys(reference for each in HEADED for reference in each.family.references)),
    judge=judge,
    limitations=(
        "Where random bytes stand at the end as well, nothing tells a cut file from a whole one.",
        "Of what is lost only the beginning is told, up to the first bytes that are not random, or a MiB.",
    ),
)
