"""The step: one locked file in, its output or the reason why not out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unransom.catalog.families import family as family_named
from unransom.catalog.schemes.described import family_of
from unransom.catalog.schemes.family import NAMED, Family
from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import FileRef, Output, Problem, Record, State
from unransom.core.searches import LockedFile
from unransom.core.streams import Reader, Salvage
from unransom.core.text import shown
from unransom.recover.unlock.layers import Layer, unwind

FEW = 8  # keys, each of which is tried for all families that a file may be of


def _likely(ref: FileRef, context: Context) -> Iterator[str]:
    """Yield the families that ``ref`` may be of: its own, and those that were found for the case."""
    described = {family.name for family in map(family_of, context.described)}
    if ref.family:
        yield ref.family
    yield from (name for name in ref.candidates if not ref.family or name in described)


def _others(ref: FileRef, reader: Reader, context: Context) -> Iterator[str]:
    """Yield the families that ``ref`` may be of where its name alone says that it is of its own.

    An extension can be a second locker's, or a person's. With few keys these are all that the file may be of,
    with many those that a key is proven for.
    """
    mark = family_named(ref.family, context.described).read(Salvage(reader, ref.name)) if ref.family else None
    if ref.family and (mark is None or mark.bits < NAMED):
        few = len(context.keys) <= FEW
        yield from (name for name in ref.candidates if few or context.proven.get(name))


def _named(names: Iterable[str], context: Context) -> tuple[Family, ...]:
    return tuple(family_named(name, context.described) for name in names)


def run(locked: LockedFile, context: Context) -> Iterator[Record]:
    """Unlock ``locked``; yield its ``Output``, or a ``Problem`` that says which proof is missing.

    A file that is not known to be locked is tried too, and yields nothing where no key opens it.
    """
    ref = locked.ref
    own = tuple(secret.family for secret in locked.own)
    names = dict.fromkeys((*own, *_likely(ref, context)))
    with context.open(ref) as reader:
        layer = Layer(ref, reader, _named(names, context), ref.name, ref.original, locked.own)
        found = unwind(layer, context)
        opened = isinstance(found, Output)
        others = [] if opened else [each for each in _others(ref, reader, context) if each not in names]
        if others:  # what does not prove itself says nothing for a family that the name speaks against
            other = unwind(layer._replace(families=_named(others, context), own=(), sure=False), context)
            found = other if isinstance(other, Output) else found
    if isinstance(found, Output):
        yield found
    elif ref.state is State.UNKNOWN:
        return  # that no key opens what nothing shows to be locked says nothing about the file
    elif found is None:
        yield Problem(
            item=shown(ref.path),
            code="key",
            what=say("no key that was given opens this file"),
            resolution=say("`unransom keys --wanted` says which keys would"),
        )
    else:
        yield Problem(
            item=shown(ref.path),
            code="output",
            what=say("a key unwraps, and what it gives fails verification: {why}", why=found),
            resolution=say("nothing was written; the key is wrong or the file is damaged"),
        )
