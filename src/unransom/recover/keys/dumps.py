"""Dumps and other leftovers of a locker, cut into pieces, and the keys that a scan finds in a piece.

In small files, such as captures, notes and registry hives, all is tried that is as long as a written key, and
tiny ones may be a key as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from unransom.catalog.schemes.family import Family
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Record
from unransom.core.searches import Target
from unransom.core.streams import Salvage
from unransom.crypto.agreement import X25519_SIZE
from unransom.crypto.keyfiles import read_keys
from unransom.crypto.noise import is_noise
from unransom.recover.keys.publics import publics_of
from unransom.recover.keys.trial import fitting, tried

if TYPE_CHECKING:
    from unransom.crypto.search.memory import Clues

PIECE = 64 << 20  # bytes
BYTES_PER_SECOND = 100e6  # that one core scans
SMALL = 16 << 20  # bytes of a file in which all that may be a key is tried
TINY = 8192  # bytes of a file that may be a key as it is
LOOKED = 8  # samples whose metadata says what stood near the key
BESIDE = range(8, 65)  # bytes of metadata that may stand near it
DECAY = 8  # bits of 64 in a schedule that memory may have lost before it was read
SIZES = (32, 16)  # bytes of bare keys that stand anywhere
STEP = 4  # programs keep their data so
HARDLY = 1024  # bytes of a file that is hardly larger than a key
SURE = 64  # bits from which a candidate is tried on every sample; guesses only on the first


class Piece(NamedTuple):
    """A part of a dump.

    Attributes:
        dump: The whole of it.
        start: Where the piece begins.
        data: Its bytes, and some of the next piece.
        overlap: How many are the next piece's.
    """

    dump: FileRef
    start: int
    data: bytes
    overlap: int

    @property
    def small(self) -> bool:
        """Whether the dump is so small that everything in it may be tried."""
        return self.dump.size <= SMALL

    @property
    def length(self) -> int:
        """Bytes of the piece itself."""
        return len(self.data) - self.overlap


def pieces_of(dumps: Sequence[FileRef]) -> int:
    """Return how many pieces there are."""
    return sum(-(-dump.size // PIECE) for dump in dumps)


def piece(dumps: Sequence[FileRef], number: int, context: Context) -> Piece:
    """Return the piece with a number, which counts from 0.

    Raises:
        ValueError: There is no such piece.
    """
    from unransom.crypto.search.memory import OVERLAP  # noqa: PLC0415 numba takes half a second to import

    for dump in dumps:
        pieces = -(-dump.size // PIECE)
        if number < pieces:
            start = number * PIECE
            with context.open(dump) as reader:
                data = reader.read_at(start, PIECE + OVERLAP)
            return Piece(dump, start, data, max(len(data) - PIECE, 0))
        number -= pieces
    raise ValueError("there is no such piece")


def clues_of(target: Target, family: Family, context: Context) -> Clues:
    """Return what the metadata of samples and the public keys tell about the key that is looked for."""
    from unransom.crypto.search.memory import Clues  # noqa: PLC0415 numba is slow to load

    fields: dict[bytes, None] = {}
    for ref in target.samples[:LOOKED]:
        with context.open(ref) as reader:
            mark = family.read(Salvage(reader, ref.name))
        fields |= dict.fromkeys(mark.fields.values() if mark else ())
    publics = publics_of(target, context) if KeyKind.RSA in family.takes else ()
    return Clues(
        moduli=tuple(dict.fromkeys(public.modulus for public in publics)),
        publics=tuple(field for field in fields if len(field) == X25519_SIZE),
        beside=tuple(field for field in fields if len(field) in BESIDE),
        wrong_bits=DECAY,
    )


def keys_tried(
    part: Piece, clues: Clues, target: Target, family: Family, context: Context, attack: str
) -> Iterator[Record]:
    """Yield every key in a piece that opens files of ``target``; guesses are made only in small dumps."""
    clues = msgspec.structs.replace(clues, guesses=part.small)
    guesses: dict[Key, Message] = {}
    for key, bits, why in keys_in(part, clues):
        if key.kind in family.takes and bits < SURE:
            guesses[key] = why
        elif key.kind in family.takes:
            told = functools.partial(_told, key.origin, why)
            yield from tried(key, family, target.samples, context, attack, told)
    if KeyKind.RAW in family.takes and part.dump.size <= TINY:
        guesses |= windows_of(part, STEP)
    for key in fitting(guesses, family, target.samples[0], context):
        told = functools.partial(_told, key.origin, guesses[key])
        yield from tried(key, family, target.samples[:1], context, attack, told)


def windows_of(part: Piece, step: int, beside: int = 0) -> dict[Key, Message]:
    """Return as keys what looks random in a piece, and what shows each.

    Args:
        part: The piece.
        step: Bytes from one place that is looked at to the next; one in what is hardly larger than a key.
        beside: Bytes behind a key that may be its IV, and are a part of it then.
    """
    origin, found = part.dump.name.decode("utf-8", "replace"), dict[Key, Message]()
    step = step if len(part.data) > HARDLY else 1
    for size in SIZES:
        for start in range(0, len(part.data) - size + 1, step):
            body = part.data[start : start + size + beside]
            if is_noise(body[:size]):
                place = f"{origin}+0x{part.start + start:x}"
                for data in dict.fromkeys((body, body[:size])):
                    found[Key(KeyKind.RAW, data, place)] = say("bytes that look random")
    return found


def keys_in(part: Piece, clues: Clues) -> tuple[tuple[Key, int, Message], ...]:
    """Return the keys in a piece, each with the bits and the sentence of what shows it."""
    origin = part.dump.name.decode("utf-8", "replace")
    return tuple(
        (Key(kind, body, f"{origin}+0x{part.start + at:x}"), bits, why)
        for kind, body, at, bits, why in _scanned(part.data, clues, part.overlap)
    )


@functools.lru_cache(maxsize=2)
def _scanned(data: bytes, clues: Clues, overlap: int) -> tuple[tuple[KeyKind, bytes, int, int, Message], ...]:
    from unransom.crypto.search.memory import scan  # noqa: PLC0415 numba is slow to load

    whole = say("the file as a whole is one")
    readings = read_keys(data, "") if len(data) <= TINY and clues.guesses else ()
    found = [(each.kind, each.data, 0, 0, whole) for each in readings]
    found += (
        (each.kind, each.data, each.offset, each.bits, each.why)
        for each in scan(data, clues, overlap=overlap)
    )
    return tuple(each for each in found if each[1])


def _told(place: str, what: Message, why: Message) -> Message:
    """Return the sentence on a key that was found at ``place``."""
    return say("found in {place}: {what}; {why}", place=place, what=what, why=why)
