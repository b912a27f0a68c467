"""LockBit 3's footers: files whose last 128 bytes agree have their metadata under one keystream.

The metadata of file A is its packed name, its length, three numbers, and the file's own state of 64 bytes.
Where A's name is known, so is the keystream up to the state: L(A) + 18 bytes. File B, whose metadata has
L(B) + 82 bytes, opens where that is not more. The numbers, 16 of the 18 bytes, are those of other files.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from unransom.catalog.families import lockbit3
from unransom.catalog.schemes.family import Mark
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import AttackPlan, Searched, Secret, Shard, Target
from unransom.core.streams import Salvage
from unransom.core.text import guess_text
from unransom.crypto.aplib import packings
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.proof import proof_of

NAME = "lockbit3_footers"
LENGTH = struct.Struct("<H")
NUMBERS = struct.Struct("<QII")
BEFORE_STATE = LENGTH.size + NUMBERS.size  # bytes of the metadata between name and state
USUAL = (NUMBERS.pack(0, 3, 3), NUMBERS.pack(0, 0, 0), NUMBERS.pack(0, 1, 1))  # of small files
LONGEST = 8  # files with a known name that are tried, those with the longest names first
SECONDS = 2.0


class _File(msgspec.Struct, frozen=True):
    """A file of a group with one key.

    Attributes:
        ref: The file.
        mark: Its mark.
        names: What it may have been called, in UTF-8.
    """

    ref: FileRef
    mark: Mark
    names: tuple[bytes, ...]

    @property
    def sealed(self) -> bytes:
        """Its metadata, as it stands in the file."""
        return self.mark.fields["sealed"]

    @property
    def packed(self) -> int:
        """Bytes of its packed name."""
        return len(self.sealed) - lockbit3.FIXED


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Say how many files end with the same 128 bytes."""
    if target.family != lockbit3.FAMILY.name:
        return None
    groups = _groups(target, context)
    if not groups:
        why = say("no two of {count} files end with the same {bytes} bytes", count=_looked(target), bytes=128)
        return _planned(target, 0, 0.0, why)
    named = [group for group in groups if _opening(group)]
    largest = max(len(group) for group in groups)
    why = say(
        "{count} files end with the same {bytes} bytes: one key for their metadata", count=largest, bytes=128
    )
    if not named:
        helps = say("the original name, or a plain copy, of a file whose name is longer than the others'")
        return _planned(target, 0, 0.0, why, helps)
    return _planned(target, len(named), 0.8, why)


def _planned(
    target: Target, groups: int, chance: float, why: Message, helps: Message | None = None
) -> AttackPlan:
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=1 if groups else 0,
        candidates=groups * LONGEST,
        seconds=groups * SECONDS,
        chance=chance,
        why=why,
        helps=helps,
    )


def _looked(target: Target) -> int:
    return len(target.samples) + len(target.others)


def _groups(target: Target, context: Context) -> list[list[_File]]:
    """Return the files that share their last 128 bytes, those with the longest metadata first."""
    originals = {pair.locked.id: pair.plain for pair in target.pairs if pair.locked.id}
    refs = {ref.id: ref for ref in (*target.samples, *target.others, *(pair.locked for pair in target.pairs))}
    found: defaultdict[bytes, list[_File]] = defaultdict(list)
    for ref in refs.values():
        with context.open(ref) as reader:
            mark = lockbit3.read(reader)
        if mark is None:
            continue
        plain = originals.get(ref.id)
        fitting = plain is not None and plain.size == mark.plain_size
        names = [plain.name] if plain and fitting else []
        names += [ref.original.rpartition(b"/")[2]] if ref.original else [ref.name.rpartition(b".")[0]]
        found[mark.wrapped].append(_File(ref, mark, tuple(filter(None, names))))
    groups = [sorted(group, key=lambda one: -len(one.sealed)) for group in found.values() if len(group) > 1]
    return sorted(groups, key=len, reverse=True)


def _opening(group: list[_File]) -> list[_File]:
    """Return the files that would open the one with the shortest name, if their own were known."""
    shortest = len(group[-1].sealed)
    return [one for one in group if one.names and one.packed + BEFORE_STATE >= shortest]


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try what the names of files are packed to, in each group of files that share a key."""
    tried = 0
    for group in _groups(shard.target, context):
        best: _Proven | None = None
        for opener in _opening(group)[:LONGEST]:
            for stream in _streams(opener):
                tried += 1
                found = _verified(opener, stream, group, context)
                best = max(filter(None, (best, found)), key=lambda one: len(one.stream), default=None)
            if best:
                break
        if best:
            yield from _records(group[0].mark.wrapped + best.stream, best)
    yield Searched(attack=NAME, family=shard.target.family, item=0, shard=shard.number, candidates=tried)


def _records(data: bytes, proven: _Proven) -> Iterator[Record]:
    key = Key(KeyKind.RAW, data, NAME)
    why = say(
        "{bytes} bytes of the footers' keystream, from a name that is known; {why}",
        bytes=len(proven.stream),
        why=proven.why,
    )
    family = lockbit3.FAMILY.name
    yield KeyFound(family=family, fingerprint=key.fingerprint, bits=proven.bits, proof=why, attack=NAME)
    yield Secret(family=family, key=key)


def _streams(opener: _File) -> Iterator[bytes]:
    """Yield the keystream up to the numbers, for each way to pack a name that gives its length."""
    for name in opener.names:
        text = guess_text(name).text
        for packed in packings((text + "\0").encode("utf-16-le", "surrogatepass")):
            if len(packed) == opener.packed:
                yield _xor(opener.sealed, packed + LENGTH.pack(len(packed)))


class _Proven(msgspec.Struct, frozen=True):
    """Keystream that a file proves, up to its last byte.

    Attributes:
        stream: The keystream.
        bits, why: The proof by the file's content.
    """

    stream: bytes
    bits: int
    why: Message


def _verified(opener: _File, stream: bytes, group: list[_File], context: Context) -> _Proven | None:
    """Return the keystream that the longest metadata proves which it opens, None where it opens none."""
    best: _Proven | None = None
    numbers: dict[bytes, None] = dict.fromkeys(USUAL)
    for one in reversed(group):  # the shortest first: what they tell opens longer ones
        for tail in (b"", *numbers):
            whole = stream + _xor(opener.sealed[len(stream) :], tail)
            opened = _opened(one, whole, context)
            if opened:
                metadata, (bits, why) = opened
                numbers[metadata[one.packed + LENGTH.size : one.packed + BEFORE_STATE]] = None
                best = _Proven(whole[: len(one.sealed)], bits, why)
                break
    return best


def _opened(one: _File, stream: bytes, context: Context) -> tuple[bytes, tuple[int, Message]] | None:
    """Return the metadata of a file under ``stream`` and the proof by its content, None where it is wrong."""
    key = Key(KeyKind.RAW, one.mark.wrapped + stream, NAME)
    file_key = lockbit3.unwrap(one.mark, key)
    if file_key is None:
        return None
    unproven = msgspec.structs.replace(file_key, bits=0, proof=None)  # its last bytes may be wrong
    with context.open(one.ref) as reader:
        locked = Salvage(reader, one.ref.name)
        proof = proof_of(lockbit3.FAMILY, locked, one.mark, unproven, one.ref.original or one.ref.path)
    return (file_key.parts["metadata"], proof) if proof else None


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=False))


ATTACK = Attack(
    name=NAME,
    title=say("LockBit 3's footers that share a key"),
    weakness="T4",
    plan=plan,
    search=search,
    references=("https://blog.calif.io/p/dissecting-lockbit-v3-ransomware",),
    limitations=(
        "A file opens where its name packs to at least 64 bytes less than one that is known.",
        "Names must pack as aPLib does it; other packers are tried as far as they are simpler.",
    ),
)
