"""What a keystream that was found makes of a file: content with holes where it is not known."""

from __future__ import annotations

import re

import msgspec

from unransom.catalog.control import bits_beside_known, bits_of_key
from unransom.catalog.formats import mssql
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.assemble import assembled
from unransom.catalog.schemes.family import PROVEN, BadMarkError, Family
from unransom.core.keys import Key
from unransom.core.messages import Message
from unransom.core.records import Grade
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader, Salvage
from unransom.recover.keys.proof import is_unchanged

LARGEST = 16 << 20  # bytes of an original that is judged in memory
# Bits that must be due to a key beside those that known bytes of the format may have told, where it opens a
# part of the file. They are few, as the rest of the content has voted for such a key.
BESIDE = 16
CHECKED = frozenset(  # formats whose every byte, or nearly, is under a checksum
    {"bzip2", "flac", "gzip", "innodb", "ogg", "ooxml", "png", "rar", "sevenzip", "xz", "zip"}
)
UNSUMMED = b"\xde\xad\xbe\xef"  # where pages of InnoDB have their checksum, if it is switched off
TEXTS = frozenset({"csv", "html", "json", "svg", "text", "xml"})
ENCODINGS = ("utf-8", "gb18030", "shift-jis", "cp1252", "utf-16")
MISPRINTS = 0.001  # share of a text's characters that no text should have
# Control characters, and what neither European nor East Asian texts are written in.
_STRANGE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u0530-\u2000\u2e00-\u2fff\ua000-\ufeff\ufff0-\uffff]"
)


class Opened(msgspec.Struct, frozen=True):
    """The content of a file under a key.

    Attributes:
        format: Name of its format.
        grade, why: What the format's validator says.
        bits: How much of that is due to the key.
        length: Bytes of the file by its own structure, None where it does not tell.
        lost: Bytes that the key does not open.
        content: It; zeros where it is lost.
    """

    format: str
    grade: Grade
    bits: int
    why: Message
    length: int | None
    lost: int
    content: bytes

    @property
    def holds(self) -> bool:
        """Whether the content proves the key: whole, or else what is there of it."""
        fitting = {Grade.GOOD, Grade.PARTIAL} if self.lost else {Grade.GOOD}
        return self.grade in fitting and self.bits >= PROVEN

    @property
    def checked(self) -> bool:
        """Whether the content proves every byte of the key, those that were only likely too."""
        if self.format == mssql.FORMAT.name:
            summed = mssql.is_summed(self.content)
        else:  # pages of InnoDB may say that they have no checksum
            summed = self.format in CHECKED and not (self.format == "innodb" and UNSUMMED in self.content)
        return self.grade is Grade.GOOD and self.bits >= PROVEN and summed


def opened(family: Family, locked: Salvage, key: Key, path: bytes) -> Opened | None:
    """Return what ``key`` makes of ``locked``; None where it does not fit, or the file is too large.

    Args:
        family: Which tells how the file was locked.
        locked: The locked file.
        key: The key.
        path: What the original is called, as far as that is known.
    """
    mark = family.read(locked)
    file_key = family.unwrap(mark, key) if mark else None
    if mark is None or file_key is None:
        return None
    try:
        plan = family.plan(locked, mark, file_key)
        if plan.size > LARGEST:
            return None
        content, origins = assembled(locked, plan)
    except BadMarkError:
        return None
    if is_unchanged(locked, content):
        return None
    reader, name = BytesReader(content), plan.name or path
    judgement = judge(reader, name)
    validation = judgement.validation
    lost = origins.totals()[Origin.LOST]
    bits = bits_of_key(reader, origins, judgement, name)
    if lost and bits and bits_beside_known(reader, origins, judgement, name) < BESIDE:
        bits = 0
    grade = validation.grade
    if judgement.format in TEXTS and not reads(content.replace(b"\0", b"") if lost else content):
        grade = Grade.UNKNOWN
    return Opened(judgement.format, grade, bits, validation.why, validation.length, lost, content)


def reads(content: bytes, encodings: tuple[str, ...] = ENCODINGS) -> bool:
    """Return whether all of ``content`` is text; a wrong key leaves parts of it that only look alike."""
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        strange = len(_STRANGE.findall(text))
        if strange <= len(text) * MISPRINTS:
            return True
    return False
