"""The names of collations by their numbers: a server compares keys by them, so a table made anew has its own.

The numbers are those of the servers' information_schema (MySQL 9.7, MariaDB 10.11).
"""

from __future__ import annotations

# Before the collations that come in the same order for each character set of Unicode.
_OLD = """
1 big5_chinese_ci 2 latin2_czech_cs 3 dec8_swedish_ci 4 cp850_general_ci 5 latin1_german1_ci 6 hp8_english_ci
7 koi8r_general_ci 8 latin1_swedish_ci 9 latin2_general_ci 10 swe7_swedish_ci 11 ascii_general_ci
12 ujis_japanese_ci 13 sjis_japanese_ci 14 cp1251_bulgarian_ci 15 latin1_danish_ci 16 hebrew_general_ci
18 tis620_thai_ci 19 euckr_korean_ci 20 latin7_estonian_cs 21 latin2_hungarian_ci 22 koi8u_general_ci
23 cp1251_ukrainian_ci 24 gb2312_chinese_ci 25 greek_general_ci 26 cp1250_general_ci 27 latin2_croatian_ci
28 gbk_chinese_ci 29 cp1257_lithuanian_ci 30 latin5_turkish_ci 31 latin1_german2_ci 32 armscii8_general_ci
33 utf8_general_ci 34 cp1250_czech_cs 35 ucs2_general_ci 36 cp866_general_ci 37 keybcs2_general_ci
38 macce_general_ci 39 macroman_general_ci 40 cp852_general_ci 41 latin7_general_ci 42 latin7_general_cs
43 macce_bin 44 cp1250_croatian_ci 45 utf8mb4_general_ci 46 utf8mb4_bin 47 latin1_bin 48 latin1_general_ci
49 latin1_general_cs 50 cp1251_bin 51 cp1251_general_ci 52 cp1251_general_cs 53 macroman_bin
54 utf16_general_ci 55 utf16_bin 56 utf16le_general_ci 57 cp1256_general_ci 58 cp1257_bin 59 cp1257_general_ci
60 utf32_general_ci 61 utf32_bin 62 utf16le_bin 63 binary 64 armscii8_bin 65 ascii_bin 66 cp1250_bin
67 cp1256_bin 68 cp866_bin 69 dec8_bin 70 greek_bin 71 hebrew_bin 72 hp8_bin 73 keybcs2_bin 74 koi8r_bin
75 koi8u_bin 76 utf8_tolower_ci 77 latin2_bin 78 latin5_bin 79 latin7_bin 80 cp850_bin 81 cp852_bin
82 swe7_bin 83 utf8_bin 84 big5_bin 85 euckr_bin 86 gb2312_bin 87 gbk_bin 88 sjis_bin 89 tis620_bin
90 ucs2_bin 91 ujis_bin 92 geostd8_general_ci 93 geostd8_bin 94 latin1_spanish_ci 95 cp932_japanese_ci
96 cp932_bin 97 eucjpms_japanese_ci 98 eucjpms_bin 99 cp1250_polish_ci 159 ucs2_general_mysql500_ci
223 utf8_general_mysql500_ci 248 gb18030_chinese_ci 249 gb18030_bin 250 gb18030_unicode_520_ci
"""
_UNICODE = """unicode icelandic latvian romanian slovenian polish estonian spanish swedish turkish czech
danish lithuanian slovak spanish2 roman persian esperanto hungarian sinhala german2 croatian unicode_520
vietnamese"""
_FIRST = {"utf16": 101, "ucs2": 128, "utf32": 160, "utf8": 192, "utf8mb4": 224}
_LATER = {"utf8": 576, "utf8mb4": 608, "ucs2": 640, "utf16": 672, "utf32": 736}  # MariaDB
_NEWER = """255 0900_ai_ci 256 de_pb is lv ro sl pl et es sv tr cs da lt sk es_trad la 273 eo hu hr 277 vi
278 0900_as_cs 279 de_pb is lv ro sl pl et es sv tr cs da lt sk es_trad la 296 eo hu hr 300 vi"""
_NEWEST = """ja_0900_as_cs ja_0900_as_cs_ks 0900_as_ci ru_0900_ai_ci ru_0900_as_cs zh_0900_as_cs 0900_bin
nb_0900_ai_ci nb_0900_as_cs nn_0900_ai_ci nn_0900_as_cs sr_latn_0900_ai_ci sr_latn_0900_as_cs bs_0900_ai_ci
bs_0900_as_cs bg_0900_ai_ci bg_0900_as_cs gl_0900_ai_ci gl_0900_as_cs mn_cyrl_0900_ai_ci
mn_cyrl_0900_as_cs"""
_NO_PAD = 1024  # MariaDB adds it to the number of the collation that pads
_UCA1400, _EACH = 2048, 256  # MariaDB: the first of its newest, and how many numbers each character set has
_UCA1400_SETS = ("utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32")
_TAILORED = ("", *_UNICODE.split()[1:21], "", "", "vietnamese", "croatian")


def _made() -> dict[int, str]:
    names = dict(zip(map(int, _OLD.split()[::2]), _OLD.split()[1::2], strict=True))
    for charset, first in _FIRST.items():
        names |= {first + place: f"{charset}_{each}_ci" for place, each in enumerate(_UNICODE.split())}
    for charset, first in _LATER.items():
        later = ("croatian_ci", "myanmar_ci", "thai_520_w2")
        names |= {first + place: f"{charset}_{each}" for place, each in enumerate(later)}
    number = 0
    for word in _NEWER.split():
        if word.isdecimal():
            number = int(word)
            continue
        tail = "0900_ai_ci" if number < 278 else "0900_as_cs"
        names[number] = f"utf8mb4_{word}" if word == tail else f"utf8mb4_{word}_{tail}"
        number += 1
    return names | {303 + place: f"utf8mb4_{each}" for place, each in enumerate(_NEWEST.split())}


_NAMES = _made()


def collation_name(number: int, *, mariadb: bool = False) -> str:
    """Return the name of collation ``number``, "" where it has none here.

    The three-byte Unicode is ``utf8`` here, which servers of every age know.

    Args:
        number: As the servers' dictionaries have it.
        mariadb: It is MariaDB's, which calls some others than MySQL does.
    """
    if mariadb and _NO_PAD < number < 2 * _NO_PAD:
        name = _NAMES.get(number - _NO_PAD, "")
        stem, _, tail = name.rpartition("_")
        return f"{stem}_nopad_{tail}" if name else ""
    if mariadb and _UCA1400 <= number < _UCA1400 + _EACH * len(_UCA1400_SETS):
        return _uca1400(number - _UCA1400)
    name = _NAMES.get(number, "")
    mine = mariadb and number < _LATER["utf8"] and name.endswith("_croatian_ci") and not name.startswith("cp")
    return name.replace("_croatian_ci", "_croatian_mysql561_ci") if mine and number > 99 else name


def _uca1400(number: int) -> str:
    charset, tailored = _UCA1400_SETS[number // _EACH], number % _EACH >> 3
    if tailored >= len(_TAILORED) or (tailored and not _TAILORED[tailored]):
        return ""
    parts = (charset, "uca1400", _TAILORED[tailored], "nopad" * (number >> 2 & 1))
    return "_".join(
        [part for part in parts if part] + ["as" if number & 2 else "ai", "cs" if number & 1 else "ci"]
    )
