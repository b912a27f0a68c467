"""What a ransomware family is to unransom."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from unransom.catalog.schemes.seeded import Seeded
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message
from unransom.core.streams import Reader
from unransom.core.text import guess_text


class Mark(msgspec.Struct, frozen=True):
    """What a locked file tells without any key.

    Attributes:
        bits: How many bits of the file are as the family demands. A family is named from 64 on;
            below that the mark only makes the family a candidate.
        fields: Parts of the head or tail by name, as bytes.
        numbers: Numbers in the head or tail by name.
        plain_size: Bytes of the original, None where only the key tells.
        variant: Which of the family's ways of locking.
        wrapped: Field that holds the wrapped key; files with the same bytes there share their key.
        campaign: Identifier of the victim, attacker or run, for people; "" where there is none.
    """

    bits: int
    fields: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    plain_size: int | None = None
    variant: str = ""
    wrapped: bytes = b""
    campaign: str = ""


class FileKey(msgspec.Struct, frozen=True):
    """The unwrapped key of one file.

    Attributes:
        parts: Secrets by name, e.g. ``key`` and ``nonce``.
        bits: Strength of the proof that the key wrap itself gives; 0 where any key seems to fit.
        proof: What proved it.
    """

    parts: dict[str, bytes]
    bits: int = 0
    proof: Message | None = None


class Locked(Reader, Protocol):
    """A locked file: its bytes, and its name, in which some lockers keep what others put in a tail.

    Attributes:
        name: Last part of the path as it was found; b"" where there is none.
    """

    name: bytes


class Decryptor(Protocol):
    """Decrypts a stream from its beginning to its end; pieces that share one continue its stream.

    Attributes:
        spill: Bytes behind a damaged range of the input that come out wrong as well: 0 for a stream
            cipher, a block where blocks are chained.
    """

    spill: int

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out`` of the same length; they may be the same memory."""
        ...


class Keep(msgspec.Struct, frozen=True):
    """Bytes of the locked file that stand in the output as they are."""

    offset: int
    length: int


class Unlock(msgspec.Struct, frozen=True):
    """Bytes of the locked file that stand in the output decrypted."""

    offset: int
    length: int
    cipher: Decryptor


class Insert(msgspec.Struct, frozen=True):
    """Bytes that the locker moved into its metadata."""

    data: bytes


class Lost(msgspec.Struct, frozen=True):
    """Bytes that this key does not open: zeros in the output, and the map says so."""

    length: int


Piece = Keep | Unlock | Insert | Lost


class Plan(msgspec.Struct, frozen=True):
    """How the original is put together from the locked file.

    Attributes:
        size: Bytes of the original.
        pieces: In the order of the output; their lengths add up to ``size``.
        name: Original name as bytes in UTF-8 where the locker kept it, else None.
        check: Called once all pieces are written: returns the bits proven by authentication tags or
            checksums and the sentence about it; None where the scheme has none.
    """

    size: int
    pieces: Iterator[Piece]
    name: bytes | None = None
    check: Callable[[], tuple[int, Message]] | None = None


class Family(msgspec.Struct, frozen=True):
    """A ransomware family, or a generation of one that locks in its own way.

    Attributes:
        name: Lower-case short name, the same as its module's.
        title: What the press calls it.
        aliases: Other names, and families that lock in the same way.
        extensions: Regular expressions that match the end of a locked file's name; group ``name``, if
            any, is the original name, else what stands before the match is.
        notes: Regular expressions of names of its ransom notes.
        read: Takes the locked file; returns its mark, None where it is not of this family.
        takes: Kinds of key that open it.
        unwrap: Takes a mark and a key; returns the file's key, None where the wrap shows it is wrong.
        plan: Takes the locked file, its mark and its key; returns how the original is put together.
            Raises ``BadMarkError`` where the metadata contradicts itself.
        wanted: What a key holder would need to hand over.
        references: Where the layout is written down.
        limitations: What is not supported or not known.
        recipes: How its keys are drawn from a seed, where that is weak: searches try all seeds.
        sealed: Its files are whole by their own format, and what they hold is under a key all the same; any
            intact file may be the original of something in them.
    """

    name: str
    title: str
    read: Callable[[Locked], Mark | None]
    takes: tuple[KeyKind, ...]
    unwrap: Callable[[Mark, Key], FileKey | None]
    plan: Callable[[Locked, Mark, FileKey], Plan]
    wanted: Message
    references: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    recipes: tuple[Seeded, ...] = ()
    sealed: bool = False

    def original_name(self, path: bytes) -> bytes | None:
        """Return ``path`` without this family's extension, None where its name does not end with one."""
        return original_name(path, self.extensions)


def original_name(path: bytes, extensions: Iterable[str]) -> bytes | None:
    """Return ``path`` without the first of ``extensions`` that it ends with, None where it has none."""
    folder, slash, raw = path.rpartition(b"/")
    guess = guess_text(raw)
    for pattern in extensions:
        match = _ending(pattern).fullmatch(guess.text)
        if match and match["before"]:
            name = match.groupdict().get("name") or match["before"]
            encoding = guess.encoding if guess.exact else "utf-8"
            return folder + slash + name.encode(encoding, "surrogateescape")
    return None


@functools.cache
def _ending(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?P<before>.*)(?:{pattern})", re.DOTALL)


NAMED = 64  # bits of a mark from which a file is said to be of a family
PROVEN = 64  # bits from which a key, or an output, counts as proven


class BadMarkError(Exception):
    """A locker's metadata contradicts itself or the file; the message is for people."""

    def __init__(self, why: Message) -> None:
        super().__init__(str(why))
        self.why = why
