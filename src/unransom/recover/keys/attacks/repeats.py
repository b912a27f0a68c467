"""Repeats: a keystream that is short and begins again within a file, found by what it locks.

Black Basta's 64 bytes stand as they are wherever they lock zeros, or else are voted on with the bytes between
them, which are plain. Money Message's 8 KiB, and a key of up to 32 KiB that is XORed over a file or its head
again and again, are found by the distance at which bits agree, and voted on position by position.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.catalog.families import blackbasta
from unransom.catalog.families import family as family_named
from unransom.catalog.formats.identify import by_name
from unransom.catalog.schemes.described import Description, encoded
from unransom.catalog.schemes.family import PROVEN
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import AttackPlan, Described, Searched, Secret, Shard, Target
from unransom.core.streams import Salvage
from unransom.crypto.search.keystream.periods import ENOUGH, LARGEST, periods_in, sample_period
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.describing import Shape, is_named, stream_key, stream_scheme
from unransom.recover.keys.opened import opened
from unransom.recover.keys.proof import proof_of
from unransom.recover.keys.short_keys import ShortKey, has_samples, short_keys
from unransom.recover.keys.standing import standing

NAME = "repeats"
LOOKED = 6  # samples in which a period is looked for
CHANCE, SLIM = 0.9, 0.01
EITHER = (
    0.3  # chance where blocks are equal: locked each by itself they agree so as well, and that comes first
)
SECONDS, GLANCE = 5.0, 0.5  # of a file where something repeats, and where nothing does
TAIL = 4096  # bytes that a locker may have put behind the original's
CANDIDATES = 24  # keys tried on a file, about
KEYS = 8  # different keys of neighbours that others are tried with


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Say at which distance the bytes of samples agree."""
    if not target.proper:
        return None  # they are looked at among those of no family
    repeating = {blackbasta.FAMILY.name, "moneymessage"}
    if target.family in repeating:
        return _planned(target, CHANCE, SECONDS, say("its keystream is short and begins again within a file"))
    looked, periods, named = 0, [], False
    for ref in _telling((*target.samples, *target.others))[:LOOKED]:
        with context.open(ref) as reader:
            locked = Salvage(reader, ref.name)
            if target.family:
                named = named or is_named(family_named(target.family, context.described), locked)
            looked += 1
            period = _period(locked, target, ref.original or ref.path)
        if period > 1:
            periods.append(period)
    if periods:
        why = say(
            "in {count} of {looked} files bits agree that are {bytes} bytes apart: a key repeats",
            count=len(periods),
            looked=looked,
            bytes=min(periods),
        )
        blocks = target.guess.blocks if target.guess else 0
        return _planned(target, EITHER if blocks else CHANCE, SECONDS, why)
    why = say(
        "nothing repeats in {looked} files at any distance up to {bytes} bytes", looked=looked, bytes=LARGEST
    )
    helps = say("larger locked files of formats that are not compressed: databases, bitmaps, logs")
    return _planned(target, 0.0 if named else SLIM, GLANCE, why, helps)


def _telling(refs: tuple[FileRef, ...]) -> list[FileRef]:
    """Return files, those first whose content is not compressed as far as their names tell."""
    return sorted(refs, key=lambda ref: any(each.compressed for each in by_name(ref.original or ref.path)))


def _planned(
    target: Target, chance: float, seconds: float, why: Message, helps: Message | None = None
) -> AttackPlan:
    return AttackPlan(
        attack=NAME,
        family=target.family,
        each=True,
        shards=1 if chance else 0,
        candidates=CANDIDATES if chance else 0,
        seconds=seconds if chance else 0.0,
        chance=chance,
        why=why,
        helps=helps,
    )


def _period(locked: Salvage, target: Target, name: bytes) -> int:
    """Return the distance at which a key repeats, 0 where none does."""
    head = target.guess.head if target.guess else 0
    data = np.frombuffer(locked.read_at(head, ENOUGH), np.uint8)
    found = next((length for length, _ in periods_in(data) if length > 1), 0)
    return found or (sample_period(data) if has_samples(name) else 0)


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Look for the short keystream of one file."""
    tried = 0
    for ref in shard.target.samples[:1]:
        with context.open(ref) as reader:
            locked = Salvage(reader, ref.name)
            if shard.target.family == blackbasta.FAMILY.name:
                yield from _stood(locked, ref)
            else:
                for record in _repeated(locked, ref, shard.target, context):
                    tried += 1
                    if record:
                        yield from record
                        break
        yield Searched(
            attack=NAME, family=shard.target.family, item=ref.id, shard=shard.number, candidates=tried
        )


def _stood(locked: Salvage, ref: FileRef) -> Iterator[Record]:
    """Yield the 64 bytes of a file that Black Basta locked, where they prove themselves."""
    family = blackbasta.FAMILY
    mark = family.read(locked)
    if mark is None or mark.plain_size is None:
        return
    for found in standing(locked, mark.plain_size):
        key = Key(KeyKind.RAW, found.chunk, NAME)
        file_key = family.unwrap(mark, key)
        proof: tuple[int, Message] | None = (found.bits, found.why)
        if found.bits < PROVEN and file_key:
            proof = proof_of(family, locked, mark, file_key, ref.original or ref.path)
        if proof:
            yield from _found(family.name, key, ref, proof, blackbasta.CHUNK)
            return


def _repeated(locked: Salvage, ref: FileRef, target: Target, context: Context) -> Iterator[list[Record]]:
    """Yield for each candidate the records of its proof; empty where it is wrong."""
    name = ref.original or ref.path
    for description, key in _of_neighbours(target):
        result = opened(description.family(), locked, key, name)
        if result and result.holds:
            yield list(_found(description.name, key, ref, (result.bits, result.why), len(key.data)))
    guess = target.guess
    head, tail = (guess.head, guess.tail) if guess else (0, 0)
    if not tail and target.family:
        mark = family_named(target.family, context.described).read(locked)
        tail = locked.size - (mark.plain_size or locked.size) if mark else 0
    for candidate in short_keys(locked, name, head, tail):
        yield _tried(locked, ref, target, candidate, name)


def _tried(locked: Salvage, ref: FileRef, target: Target, candidate: ShortKey, name: bytes) -> list[Record]:
    """Return the records of the proof of a candidate: with all its bytes, or else the sure ones."""
    unsure = candidate.known is not None and candidate.known.any()
    choices = [None, candidate.known] if unsure else [None]
    for known in choices:
        description = stream_scheme(
            "xor",
            len(candidate.key),
            candidate.shape,
            target.samples,
            repeats=True,
            partial=known is not None,
            anew=candidate.anew,
        )
        key = stream_key(candidate.key, known, NAME)
        result = opened(description.family(), locked, key, name)
        behind = len(result.content) - (result.length or 0) if result else 0
        if result and not candidate.shape.tail and result.length and 0 < behind <= TAIL and not result.holds:
            shape = Shape(candidate.shape.extents, candidate.shape.head, behind)
            return _tried(locked, ref, target, msgspec.structs.replace(candidate, shape=shape), name)
        sure = known is not None or candidate.known is None
        if result and (result.holds if sure else result.checked):
            complete = known is None and len(target.clues) < KEYS
            proof, length = (result.bits, result.why), len(candidate.key)
            clue = _clue_of(description, key) if complete else ""
            described = Described(family=target.family, description=encoded(description))
            return [described, *_found(description.name, key, ref, proof, length, clue)]
    return []


def _of_neighbours(target: Target) -> Iterator[tuple[Description, Key]]:
    """Yield the keys of neighbours, and how they lock: mostly a locker has one for all files."""
    keys = {key.fingerprint: key for key in target.keys}
    for _, clue in reversed(target.clues):
        told = json.loads(clue)
        if isinstance(told, list) and told[1] in keys:
            yield msgspec.json.decode(told[0], type=Description), keys[told[1]]


def _clue_of(description: Description, key: Key) -> str:
    return json.dumps([encoded(description).decode(), key.fingerprint])


def _found(
    family: str, key: Key, ref: FileRef, proof: tuple[int, Message], length: int, clue: str = ""
) -> Iterator[Record]:
    """Yield the records of a key; without a clue neighbours hear of its length alone."""
    bits, why = proof
    yield KeyFound(
        family=family,
        fingerprint=key.fingerprint,
        bits=bits,
        proof=say("{bytes} bytes of keystream that repeat; {why}", bytes=length, why=why),
        item=ref.id,
        attack=NAME,
        clue=clue or str(length),
    )
    yield Secret(family=family, key=key, item=ref.id)


ATTACK = Attack(
    name=NAME,
    title=say("Keystreams that repeat within a file"),
    weakness="T2",
    plan=plan,
    search=search,
    references=(
        "https://github.com/srlabs/black-basta-buster",
        "https://github.com/rivitna/Malware/tree/main/MoneyMessage",
    ),
    limitations=(
        "Files of compressed content have too little that is known; a copy of one of them is needed.",
        "Keys of more than 32 KiB are not looked for.",
    ),
    apart=True,  # compressed content does not give way, and what lies beside it does
)
