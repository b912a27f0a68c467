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
from unransom.core.keys import KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.core.streams import Salvage
from unransom.crypto.agreement import X25519_SIZE
from unransom.crypto.weak_rsa import public_of
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.dumps import BYTES_PER_SECOND, keys_in, piece, pieces_of
from unransom.recover.keys.trial import tried

if TYPE_CHECKING:
    from unransom.crypto.search.memory import Clues

NAME = "memory"
LOOKED = 8  # samples whose metadata says what stood near the key
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
    size = sum(dump.size for dump in target.dumps)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=pieces_of(target.dumps),
        candidates=size,
        seconds=size / BYTES_PER_SECOND,
        chance=0.5 if target.proper else 0.05,
        why=say("{count} dumps with {bytes} bytes may hold its key", count=len(target.dumps), bytes=size),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Scan one piece of a dump and try what it holds."""
    target = shard.target
    family = family_named(target.family, context.described)
    part = piece(target.dumps, shard.number - 1, context)
    clues = _clues(target, family, context, guesses=part.small)
    for key, bits, why in (each for each in keys_in(part, clues) if each[0].kind in family.takes):
        chosen = target.samples if bits >= SURE else target.samples[:1]
        yield from tried(key, family, chosen, context, NAME, functools.partial(_told, key.origin, why))
    yield Searched(attack=NAME, family=family.name, item=0, shard=shard.number, candidates=part.length)


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
