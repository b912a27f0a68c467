"""Names of tables as MySQL and MariaDB write them in names of files: ``orders@002e2024#P#p0.ibd``."""

from __future__ import annotations

import re
from typing import NamedTuple

PARTITION = re.compile("#p#", re.I)  # #p# since MySQL 8, #P# before and in MariaDB; likewise #sp#
AUXILIARY = re.compile("fts_[0-9a-f]{16}_", re.I)  # tables in which the server keeps a full-text index
_CODE = re.compile("@([0-9a-f]{4})|@(.)(.)", re.I | re.S)
_LETTERS = 20  # g to z, which stand for a number of one digit to that base
# The letters of each block in the order of their numbers; capitals have the number of their small letter.
_LATIN = (
    "àáâãäåæçèéêëìíîïðñòóôõößøùúûüýþÿ"
    + "".join(map(chr, range(0x101, 0x138, 2)))
    + "ĸ"
    + "".join(map(chr, range(0x13A, 0x149, 2)))
    + "ŉ"
    + "".join(map(chr, range(0x14B, 0x178, 2)))
    + "źżžſ"
)
_GREEK = {18: "ΐ"} | {20 + place: chr(0x3AC + place) for place in range(35)}
_CYRILLIC = "".join(map(chr, range(0x430, 0x460))) + "".join(map(chr, range(0x461, 0x482, 2)))


class Named(NamedTuple):
    """What the name of a file says.

    Attributes:
        table: Name of the table.
        partition: Of which partition the file is, "" where the table has none.
    """

    table: str
    partition: str


def named(file: str) -> Named:
    """Return what the last part of a path says of the table in the file."""
    stem = file.rpartition("/")[2].rpartition(".")[0] or file
    table, *partition = PARTITION.split(stem, maxsplit=1)
    return Named(decoded(table), decoded("".join(partition)))


def decoded(name: str) -> str:
    """Return the name of a table or database that the name of its file or folder stands for."""
    return _CODE.sub(_letter, name)


def _letter(code: re.Match[str]) -> str:
    """Return the letter of a code, or the code where it is none of the blocks that are known here."""
    if code[1]:
        return chr(int(code[1], 16))
    first, second = code[2], code[3]
    if first.isdecimal() and "g" <= second.lower() <= "z":
        place, letter = _LETTERS * int(first) + ord(second.lower()) - ord("g"), second
        small = _LATIN[place : place + 1] if place < 5 * _LETTERS else _GREEK.get(place - 5 * _LETTERS, "")
    elif "g" <= first.lower() <= "z" and second in "0123456":
        place, letter = _LETTERS * int(second) + ord(first.lower()) - ord("g"), first
        small = _CYRILLIC[place : place + 1]
    else:
        return code[0]
    return (small.upper() if letter.isupper() else small) or code[0]
