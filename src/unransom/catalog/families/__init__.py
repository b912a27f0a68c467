"""Ransomware families, one per file; ``FAMILIES`` is in the order of trial, strongest mark first."""

from unransom.catalog.families import (
    akira,
    avaddon,
    blackcat,
    conti,
    goodmorning,
    hive6,
    hunters1,
    hunters2,
    inc,
    linux_encoder1,
    lockbit3,
    medusalocker3,
    moneymessage,
    phobos,
    play,
    proton,
    qilin,
    shinra,
    teslacrypt2,
    trinity,
    wannacry,
)
from unransom.catalog.schemes.family import Family

FAMILIES: tuple[Family, ...] = (
    teslacrypt2.FAMILY,
    trinity.FAMILY,
    blackcat.FAMILY,
    qilin.FAMILY,
    phobos.FAMILY,
    wannacry.FAMILY,
    akira.FAMILY,
    conti.FAMILY,
    hunters1.FAMILY,
    play.FAMILY,
    hunters2.FAMILY,
    goodmorning.FAMILY,
    hive6.FAMILY,
    medusalocker3.FAMILY,
    moneymessage.FAMILY,
    linux_encoder1.FAMILY,
    avaddon.FAMILY,
    inc.FAMILY,
    lockbit3.FAMILY,
    proton.FAMILY,
    shinra.FAMILY,
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
