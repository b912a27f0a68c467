"""Keys in memory: dumps, hibernation and page files, captures and temporary files are scanned for them.

What looks like a key is tried on the locked files at once. A dump is cut into pieces that overlap, so that
no key is missed between two. In small files, such as captures, notes and registry hives, all is tried that is
as long as a written key, and tiny ones may be a key as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from unransom.catalog.families import family as family_named
from unransom.catalog.schemes.family import Family
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.core.streams import Salvage
from unransom.crypto.agreement import X25519_SIZE
from unransom.crypto.keyfiles import read_keys
from unransom.crypto.weak_rsa import public_of
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.trial import tried

if TYPE_CHECKING:
    from unransom.crypto.search.memory import Clues

NAME = "memory"
PIECE = 64 << 20  # bytes
BYTES_PER_SECOND = 100e6  # of one core
LOOKED = 8  # samples whose metadata says what stood near the key
SMALL = 16 << 20  # bytes of a file in which all that may be a key is tried
TINY = 8192  # bytes of a file that may be a key as it is
BESIDE = range(8, 65)  # bytes of metadata that may stand near it
SURE = 64  # bits from which a candidate is tried on every sample; guesses only on the first


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of looking through all dumps."""
    family = family_named(target.family, context.described) if target.family else None
    if family is None or not family.takes:
        return None
    if not target.dumps:
        if not target.proper:
            return None
        why = say("no memory dump, hibernation or page file was given")
        helps = say("the memory of a machine that was locked, before it was switched off")
        return AttackPlan(attack=NAME, family=target.family, why=why, helps=helps)
    pieces = sum(-(-dump.size // PIECE) for dump in target.dumps)
    size = sum(dump.size for dump in target.dumps)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=pieces,
        candidates=size,
        seconds=size / BYTES_PER_SECOND,
        chance=0.5 if target.proper else 0.05,
        why=say("{count} dumps with {bytes} bytes may hold its key", count=len(target.dumps), bytes=size),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Scan one piece of a dump and try what it holds."""
    from unransom.crypto.search.memory import OVERLAP  # noqa: PLC0415 numba takes half a second to import

    target = shard.target
    family = family_named(target.family, context.described)
    dump, start = _piece(target.dumps, shard.number - 1)
    with context.open(dump) as reader:
        data = reader.read_at(start, PIECE + OVERLAP)
    last = start + PIECE >= dump.size
    clues = _clues(target, family, context, guesses=dump.size <= SMALL)
    keys = _keys(data, clues, 0 if last else OVERLAP, dump.name, start)
    for key, bits, why in (each for each in keys if each[0].kind in family.takes):
        chosen = target.samples if bits >= SURE else target.samples[:1]
        yield from tried(key, family, chosen, context, NAME, functools.partial(_told, key.origin, why))
    yield Searched(
        attack=NAME, family=family.name, item=0, shard=shard.number, candidates=min(PIECE, dump.size - start)
    )


def _piece(dumps: tuple[FileRef, ...], number: int) -> tuple[FileRef, int]:
    """Return which dump the piece with a number is of, and where it begins there."""
    for dump in dumps:
        pieces = -(-dump.size // PIECE)
        if number < pieces:
            return dump, number * PIECE
        number -= pieces
    raise ValueError("there is no such piece")


def _clues(target: Target, family: Family, context: Context, *, guesses: bool) -> Clues:
    """Return what the metadata of samples and the public keys tell about the key that is looked for."""
    from unransom.crypto.search.memory import Clues  # noqa: PLC0415 numba is slow to load

    fields: dict[bytes, None] = {}
    for ref in target.samples[:LOOKED]:
        with context.open(ref) as reader:
            mark = family.read(Salvage(reader, ref.name))
        fields |= dict.fromkeys(mark.fields.values() if mark else ())
    publics = (public_of(key) for key in context.keys if key.kind is KeyKind.RSA_PUBLIC)
    return Clues(
        moduli=tuple(public.modulus for public in publics) if KeyKind.RSA in family.takes else (),
        publics=tuple(field for field in fields if len(field) == X25519_SIZE),
        beside=tuple(field for field in fields if len(field) in BESIDE),
        guesses=guesses,
    )


def _keys(
    data: bytes, clues: Clues, overlap: int, name: bytes, start: int
) -> tuple[tuple[Key, int, Message], ...]:
    """Return the keys in a piece, each with the bits and the sentence of what shows it."""
    origin = name.decode("utf-8", "replace")
    return tuple(
        (Key(kind, body, f"{origin}+0x{start + at:x}"), bits, why)
        for kind, body, at, bits, why in _scanned(data, clues, overlap)
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
    return say("found in memory at {place}: {what}; {why}", place=place, what=str(what), why=str(why))


ATTACK = Attack(
    name=NAME,
    title="Keys in memory dumps",
    weakness="T12",
    plan=plan,
    search=search,
    references=(
        "https://www.usenix.org/conference/17th-usenix-security-symposium/"
        "lest-we-remember-cold-boot-attacks-encryption-keys",
        "https://arxiv.org/abs/2012.08487",
    ),
    limitations=("Compressed hibernation and page files must be expanded first.",),
)
