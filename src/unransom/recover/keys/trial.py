"""Tries a key that an attack came upon on locked files: what it opens, and for which of them it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from unransom.catalog.schemes.family import Family
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import Secret
from unransom.core.streams import Salvage
from unransom.recover.keys.proof import proof_of


class Opening(NamedTuple):
    """A file that a key opens, and the proof."""

    ref: FileRef
    bits: int
    why: Message


def openings(key: Key, family: Family, samples: tuple[FileRef, ...], context: Context) -> Iterator[Opening]:
    """Yield each of ``samples`` that ``key`` opens."""
    for ref in samples:
        with context.open(ref) as reader:
            locked = Salvage(reader, ref.name)
            mark = family.read(locked)
            file_key = family.unwrap(mark, key) if mark else None
            if mark is None or file_key is None:
                continue
            proof = proof_of(family, locked, mark, file_key, ref.original or ref.path)
        if proof:
            yield Opening(ref, *proof)


def fitting(keys: Iterable[Key], family: Family, ref: FileRef, context: Context) -> Iterator[Key]:
    """Yield those of many ``keys`` that open a file, which is opened once for all of them."""
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        mark = family.read(locked)
        for key in keys if mark else ():
            file_key = family.unwrap(mark, key) if mark else None
            if mark and file_key and proof_of(family, locked, mark, file_key, ref.original or ref.path):
                yield key


def tried(
    key: Key,
    family: Family,
    samples: tuple[FileRef, ...],
    context: Context,
    attack: str,
    told: Callable[[Message], Message],
) -> Iterator[Record]:
    """Yield the key for every sample that it opens; for all files of the family where it opens several.

    Args:
        key: The key.
        family: The family of the samples.
        samples: Locked files.
        context: Opens them.
        attack: Name of the attack that came upon the key.
        told: Makes of the proof by a file what is said about the key.
    """
    opened = list(openings(key, family, samples, context))
    shared = len(opened) > 1 or len(opened) == len(samples) or key.kind is not KeyKind.RAW
    for ref, bits, why in opened[: 1 if shared else None]:
        item = 0 if shared else ref.id
        yield KeyFound(
            family=family.name,
            fingerprint=key.fingerprint,
            bits=bits,
            proof=told(why),
            item=item,
            attack=attack,
        )
        yield Secret(family=family.name, key=key, item=item)
