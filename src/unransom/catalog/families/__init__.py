"""Ransomware families, one per file; ``FAMILIES`` is in the order of trial, strongest mark first."""

from unransom.catalog.families import (
    akira,
    akira2,
    avaddon,
    babuk_esxi,
    babuk_nas,
    blackbasta,
    blackbyte1,
    blackcat,
    conti,
    darkbit,
    deadbolt,
    dmalocker,
    enmity,
    esxiargs,
    goodmorning,
    hive1,
    hive3,
    hive6,
    homuwitch,
    hsharada,
    hunters1,
    hunters2,
    inc,
    linux_encoder1,
    lockbit3,
    locked,
    lokilocker,
    magniber,
    mammon,
    maze,
    medusalocker3,
    megazord,
    moneymessage,
    petya,
    phobos,
    play,
    prometheus,
    proton,
    proxima,
    qilin,
    rcru64,
    rhysida,
    royal,
    shinra,
    sojusz,
    stop,
    teslacrypt2,
    thanatos,
    trinity,
    wannacry,
    yanluowang,
    zeppelin,
    zipcrypto,
)
from unransom.catalog.schemes.described import family_of
from unransom.catalog.schemes.family import Family

FAMILIES: tuple[Family, ...] = (
    sojusz.FAMILY,
    teslacrypt2.FAMILY,
    trinity.FAMILY,
    stop.FAMILY,
    zeppelin.FAMILY,
    blackcat.FAMILY,
    qilin.FAMILY,
    deadbolt.FAMILY,
    petya.FAMILY,
    darkbit.FAMILY,
    phobos.FAMILY,
    wannacry.FAMILY,
    akira.FAMILY,
    conti.FAMILY,
    hunters1.FAMILY,
    play.FAMILY,
    goodmorning.FAMILY,
    hive6.FAMILY,
    hunters2.FAMILY,
    medusalocker3.FAMILY,
    moneymessage.FAMILY,
    rhysida.FAMILY,
    royal.FAMILY,
    blackbasta.FAMILY,
    dmalocker.FAMILY,
    linux_encoder1.FAMILY,
    avaddon.FAMILY,
    babuk_nas.FAMILY,
    rcru64.FAMILY,
    maze.FAMILY,
    hive3.FAMILY,
    hive1.FAMILY,
    megazord.FAMILY,
    inc.FAMILY,
    enmity.FAMILY,
    mammon.FAMILY,
    proxima.FAMILY,
    lockbit3.FAMILY,
    proton.FAMILY,
    shinra.FAMILY,
    babuk_esxi.FAMILY,
    blackbyte1.FAMILY,
    hsharada.FAMILY,
    akira2.FAMILY,
    magniber.FAMILY,
    homuwitch.FAMILY,
    esxiargs.FAMILY,
    yanluowang.FAMILY,
    thanatos.FAMILY,
    locked.FAMILY,
    prometheus.FAMILY,
    lokilocker.FAMILY,
    zipcrypto.FAMILY,
)
SEALED = frozenset(each.name for each in FAMILIES if each.sealed)


def families(described: tuple[bytes, ...] = ()) -> tuple[Family, ...]:
    """Return ``FAMILIES``, and before them those that are described in JSON: who describes one means it."""
    return (*map(family_of, described), *FAMILIES)


def family(name: str, described: tuple[bytes, ...] = ()) -> Family:
    """Return the family called ``name`` or known by that alias.

    Raises:
        KeyError: There is none.
    """
    for each in families(described):
        if name == each.name or name in each.aliases:
            return each
    raise KeyError(name)
