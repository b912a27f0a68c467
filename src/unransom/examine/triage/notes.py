"""Ransom notes: is a text one, by what it says, and what can be read out of it?

A note says that files were encrypted, wants something, and tells where to write. Each sign has a weight; a
text is a note where they add up and the claim, "your files" and a way of contact are there. So a manual of an
encryption program, which has some of these words, is none.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from unransom.examine.triage.signs import CLAIM, FACTS, MENTION, SIGNS

LARGEST = 256 << 10  # bytes of a note; those with a picture in them have some 100 KiB
LONGEST = 24 << 10  # characters of one, without markup
SCORE = 9  # sum of weights from which a text is a note
CLAIMED = 3  # weight of the claim that files were encrypted
NAMED = 2  # weight of a name that notes have
WEIGHTS = {"decryption": 2, "onion": 3, "contact": 2, "messenger": 2, "wallet": 2}  # of all others 1
WAYS = frozenset({"onion", "contact", "messenger", "wallet"})  # to answer; a note has one
KEPT = 8  # facts of one kind

_TAGS = re.compile(r"(?s)<(?:script|style)\b.{0,20000}?</(?:script|style)>|<[^<>]{0,2000}>")
_RTF = re.compile(r"\\u(-?\d{1,6})\??|\\'([0-9a-f]{2})|\\[a-z]{1,32}-?\d{0,10} ?|[{}]")


class Note(NamedTuple):
    """A ransom note.

    Attributes:
        score: Sum of the weights of its signs.
        facts: What it tells, by kind; several of a kind are separated by a comma and a space.
    """

    score: int
    facts: dict[str, str]


def read_note(data: bytes, called_like_one: bool) -> Note | None:
    """Return what a text tells where it is a ransom note, None where it is none.

    Args:
        data: The whole file, at most `LARGEST` bytes.
        called_like_one: Its name is one that ransom notes have.
    """
    for text in _texts(data):
        if MENTION.search(text.lower()):
            note = _read(_plain(text), called_like_one)
            if note:
                return note
    return None


def _read(text: str, called_like_one: bool) -> Note | None:
    lower = text.lower()
    if len(text) > LONGEST or not CLAIM.search(lower):
        return None
    facts = {kind: found for kind in FACTS if (found := _found(kind, text))}
    if not facts.keys() & WAYS:
        return None
    signs = [sign for sign, pattern in SIGNS.items() if pattern.search(lower)]
    if "yours" not in signs:
        return None
    score = CLAIMED + NAMED * called_like_one + sum(WEIGHTS.get(sign, 1) for sign in (*signs, *facts))
    return Note(score, facts) if score >= SCORE else None


def _found(kind: str, text: str) -> str:
    """Return the distinct facts of a kind, in the order of the text."""
    found: dict[str, None] = {}
    for match in FACTS[kind].finditer(text):
        fact = next((group for group in match.groups() if group), match[0])
        if kind != "victim" or any(letter.isdigit() for letter in fact):
            found[fact.rstrip(".,;")] = None
        if len(found) == KEPT:
            break
    return ", ".join(found)


def _texts(data: bytes) -> Iterator[str]:
    """Yield the text in the encodings that it may be in; only one where that is certain."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield data.decode("utf-16", "replace")
    elif data[1:64:2].count(0) > 16:
        yield data.decode("utf-16-le", "replace")
    else:
        try:
            yield data.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield from (data.decode(encoding, "replace") for encoding in ("gb18030", "cp1251", "cp1252"))


def _plain(text: str) -> str:
    """Return the text without the markup of HTML or RTF."""
    start = text[:2048].lstrip().lower()
    if start.startswith("{\\rtf"):
        return _RTF.sub(_rtf_character, text)
    if "<html" in start or start.startswith("<"):
        return html.unescape(_TAGS.sub(" ", text))
    return text


def _rtf_character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1]) % 0x10000)
    return bytes([int(match[2], 16)]).decode("cp1251", "replace") if match[2] else " "
