"""Ransomware families, one per file; ``FAMILIES`` is in the order of trial, strongest mark first."""

from unransom.catalog.families import inc, lockbit3, phobos
from unransom.catalog.schemes.family import Family

FAMILIES: tuple[Family, ...] = (
    phobos.FAMILY,
    inc.FAMILY,
    lockbit3.FAMILY,
)


def family(name: str) -> Family:
    """Return the family called ``name`` or known by that alias.

    Raises:
        KeyError: There is none.
    """
    for each in FAMILIES:
        if name == each.name or name in each.aliases:
            return each
    raise KeyError(name)
