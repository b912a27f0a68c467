"""Whether what a proven key gave is a locked file itself: the mark of an inner layer."""

from __future__ import annotations

from unransom.catalog.families import families
from unransom.catalog.schemes.family import NAMED, Family, Mark
from unransom.core.streams import Reader, Salvage
from unransom.crypto.noise import is_noise

FEWEST = 24  # bits of a mark that tell a lock where wrapped key and content are like random bytes, too
WRAPPED = 16  # bytes of a wrapped key that can be told from text
SAMPLE = 4096  # bytes


def tells_lock(mark: Mark, content: Reader) -> bool:
    """Return whether ``mark`` on ``content``, which proven keys gave, says that it is locked by its family.

    A text may end with the few letters of a mark; it does not have a wrapped key in front of them.
    """
    if mark.bits >= NAMED:
        return True
    if mark.bits < FEWEST or len(mark.wrapped) < WRAPPED or not is_noise(mark.wrapped):
        return False
    return is_noise(content.read_at(0, min(SAMPLE, content.size)))


def inner_lock(content: Reader, name: bytes, described: tuple[bytes, ...]) -> Family | None:
    """Return the family whose mark is on ``content``, None where none is.

    Args:
        content: What proven keys gave.
        name: What it is called.
        described: The families that users wrote.
    """
    inside = Salvage(content, name)
    for family in families(described):
        mark = family.read(inside)
        if mark and tells_lock(mark, content):
            return family
    return None
