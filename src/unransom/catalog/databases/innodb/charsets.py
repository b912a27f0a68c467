"""Character sets of MySQL and MariaDB: which Python codec reads them, and how wide their characters are."""

from __future__ import annotations

from typing import NamedTuple


class Charset(NamedTuple):
    """A character set.

    Attributes:
        name: As the server calls it.
        codec: Python's name; ``binary`` for none.
        least, most: Bytes of the narrowest and the widest character.
    """

    name: str
    codec: str
    least: int = 1
    most: int = 1


_SETS = (
    Charset("utf8mb4", "utf-8", 1, 4),
    Charset("utf8", "utf-8", 1, 3),
    Charset("latin1", "cp1252"),
    Charset("binary", "binary"),
    Charset("ascii", "ascii"),
    Charset("gbk", "gbk", 1, 2),
    Charset("gb2312", "gb2312", 1, 2),
    Charset("gb18030", "gb18030", 1, 4),
    Charset("big5", "big5", 1, 2),
    Charset("ujis", "euc_jp", 1, 3),
    Charset("eucjpms", "euc_jp", 1, 3),
    Charset("sjis", "shift_jis", 1, 2),
    Charset("cp932", "cp932", 1, 2),
    Charset("euckr", "cp949", 1, 2),
    Charset("ucs2", "utf-16-be", 2, 2),
    Charset("utf16", "utf-16-be", 2, 4),
    Charset("utf16le", "utf-16-le", 2, 4),
    Charset("utf32", "utf-32-be", 4, 4),
    Charset("latin2", "iso8859-2"),
    Charset("latin5", "iso8859-9"),
    Charset("latin7", "iso8859-13"),
    Charset("greek", "iso8859-7"),
    Charset("hebrew", "iso8859-8"),
    Charset("tis620", "tis-620"),
    Charset("koi8r", "koi8-r"),
    Charset("koi8u", "koi8-u"),
    Charset("cp1250", "cp1250"),
    Charset("cp1251", "cp1251"),
    Charset("cp1256", "cp1256"),
    Charset("cp1257", "cp1257"),
    Charset("cp850", "cp850"),
    Charset("cp852", "cp852"),
    Charset("cp866", "cp866"),
    Charset("macce", "mac-latin2"),
    Charset("macroman", "mac-roman"),
    Charset("hp8", "hp-roman8"),
    Charset("dec8", "latin-1"),
    Charset("swe7", "latin-1"),
    Charset("armscii8", "latin-1"),
    Charset("geostd8", "latin-1"),
    Charset("keybcs2", "latin-1"),
)
CHARSETS = {each.name: each for each in _SETS}
CHARSETS["utf8mb3"] = CHARSETS["utf8"]
UTF8, LATIN1, BINARY = CHARSETS["utf8mb4"], CHARSETS["latin1"], CHARSETS["binary"]

# Collation numbers; runs as (first, last).
_COLLATIONS: dict[str, tuple[tuple[int, int], ...]] = {
    "utf8mb4": ((45, 46), (224, 247), (255, 399), (2304, 2559)),
    "utf8": ((33, 33), (76, 76), (83, 83), (192, 223), (2048, 2303)),
    "latin1": ((5, 5), (8, 8), (15, 15), (31, 31), (47, 49), (94, 94)),
    "binary": ((63, 63),),
    "ascii": ((11, 11), (65, 65)),
    "gbk": ((28, 28), (87, 87)),
    "gb2312": ((24, 24), (86, 86)),
    "gb18030": ((248, 250),),
    "big5": ((1, 1), (84, 84)),
    "ujis": ((12, 12), (91, 91)),
    "eucjpms": ((97, 98),),
    "sjis": ((13, 13), (88, 88)),
    "cp932": ((95, 96),),
    "euckr": ((19, 19), (85, 85)),
    "ucs2": ((35, 35), (90, 90), (128, 159), (2560, 2815)),
    "utf16": ((54, 55), (101, 124), (2816, 3071)),
    "utf16le": ((56, 56), (62, 62)),
    "utf32": ((60, 61), (160, 191), (3072, 3327)),
    "latin2": ((2, 2), (9, 9), (21, 21), (27, 27), (77, 77)),
    "latin5": ((30, 30), (78, 78)),
    "latin7": ((20, 20), (41, 42), (79, 79)),
    "greek": ((25, 25), (70, 70)),
    "hebrew": ((16, 16), (71, 71)),
    "tis620": ((18, 18), (89, 89)),
    "koi8r": ((7, 7), (74, 74)),
    "koi8u": ((22, 22), (75, 75)),
    "cp1250": ((26, 26), (34, 34), (44, 44), (66, 66), (99, 99)),
    "cp1251": ((14, 14), (23, 23), (50, 52)),
    "cp1256": ((57, 57), (67, 67)),
    "cp1257": ((29, 29), (58, 59)),
    "cp850": ((4, 4), (80, 80)),
    "cp852": ((40, 40), (81, 81)),
    "cp866": ((36, 36), (68, 68)),
    "macce": ((38, 38), (43, 43)),
    "macroman": ((39, 39), (53, 53)),
    "hp8": ((6, 6), (72, 72)),
    "dec8": ((3, 3), (69, 69)),
    "swe7": ((10, 10), (82, 82)),
    "armscii8": ((32, 32), (64, 64)),
    "geostd8": ((92, 93),),
    "keybcs2": ((37, 37), (73, 73)),
}
_NO_PAD = 1024  # MariaDB adds it to the number of the collation that pads


def charset_of_collation(number: int) -> Charset:
    """Return the character set of collation ``number``; utf8mb4 where the number is unknown."""
    if _NO_PAD < number < 2 * _NO_PAD:
        number -= _NO_PAD
    for name, runs in _COLLATIONS.items():
        if any(first <= number <= last for first, last in runs):
            return CHARSETS[name]
    return UTF8


def charset_named(name: str) -> Charset:
    """Return the character set that ``name``, of it or of one of its collations, means; else utf8mb4."""
    name = name.lower()
    return CHARSETS.get(name) or CHARSETS.get(name.partition("_")[0]) or UTF8
