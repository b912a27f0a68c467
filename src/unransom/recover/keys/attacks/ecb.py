"""ECB: blocks that were locked each by itself, looked up in a dictionary that originals make.

The same 16 bytes are locked to the same 16 bytes wherever they stand. Pages of zeros, fields of spaces and
records that are the same open wherever an original shows them once; what no original shows stays lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.catalog.schemes.described import Description, encoded
from unransom.catalog.schemes.family import BadMarkError
from unransom.catalog.schemes.known_blocks import ENTRY, KnownBlocks
from unransom.catalog.schemes.layout import Field, Head, Tail
from unransom.catalog.schemes.wraps import RunKey
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import AttackPlan, Described, Searched, Secret, Shard, Target
from unransom.core.streams import Reader, Salvage
from unransom.crypto.search.keystream.blocks import BLOCK, Bytes, Learned, learned, rows_of, used
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.describing import Shape, extensions_of, shape_of

NAME = "ecb"
PAIRS = 64  # originals that are used
LARGEST = 64 << 20  # bytes of a file that are looked at
AGREED = (
    8  # blocks that must come again with the same original: the proof that blocks are locked by themselves
)
WRONG = 0.02  # share of them that may come with another one: an original may be of another day
ENTRIES = 1 << 20  # of a dictionary
SHARE = 0.05  # of a file's blocks that must be known for it to be worth opening
SECONDS = 10.0


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Say whether equal blocks stay equal, and whether there are originals to read them off."""
    del context
    if not target.proper or target.guess is None:
        return None
    if not target.guess.blocks:
        why = say("in none of {count} files do equal blocks stay equal", count=len(target.samples))
        return _planned(target, 0.0, why, None)
    why = say("equal blocks stay equal: blocks that an original shows open in all files with its key")
    helps = say("originals of some of the files, old copies too, of the kind that most files are of")
    if not target.pairs:
        return _planned(target, 0.0, why, helps)
    return _planned(target, 0.9, why, None)


def _planned(target: Target, chance: float, why: Message, helps: Message | None) -> AttackPlan:
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=1 if chance else 0,
        candidates=1 if chance else 0,
        seconds=SECONDS if chance else 0.0,
        chance=chance,
        why=why,
        helps=helps,
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Make the dictionary and yield for each file the part of it that the file needs."""
    target = shard.target
    shape = shape_of(target.guess)
    book = _book(target, shape, context)
    tried = 0
    if book is not None:
        refs = {ref.id: ref for ref in (*target.samples, *target.others)}
        for ref in refs.values():
            tried += 1
            yield from _opened(ref, book, shape, target, context)
    yield Searched(attack=NAME, family=target.family, item=0, shard=shard.number, candidates=tried)


def _book(target: Target, shape: Shape, context: Context) -> Learned | None:
    """Return what the originals tell, None where it is too little or they contradict each other."""
    locked, plain = [], []
    for pair in target.pairs[:PAIRS]:
        with context.open(pair.locked) as reader, context.open(pair.plain) as original:
            if reader.size - original.size != shape.head + shape.tail:
                continue
            one, other = (
                _locked_rows(Salvage(reader), shape),
                _locked_rows(Salvage(original), Shape(shape.extents)),
            )
        if len(one) == len(other):
            locked.append(one)
            plain.append(other)
    if not locked:
        return None
    book = learned(np.concatenate(locked), np.concatenate(plain))
    if book.agreed < AGREED or book.differed > WRONG * (book.agreed + book.differed):
        return None
    return book


def _locked_rows(content: Reader, shape: Shape) -> Bytes:
    """Return the whole blocks that ``shape`` locks."""
    parts, left = [np.empty((0, BLOCK), np.uint8)], LARGEST
    try:
        for span in shape.extents.spans(max(content.size - shape.head - shape.tail, 0)):
            data = content.read_at(shape.head + span.start, min(len(span), left))
            parts.append(rows_of(np.frombuffer(data, np.uint8)))
            left -= len(data)
            if left <= 0:
                break
    except BadMarkError:
        return parts[0]
    return np.concatenate(parts)


def _opened(ref: FileRef, book: Learned, shape: Shape, target: Target, context: Context) -> Iterator[Record]:
    """Yield the dictionary of one file, where it has enough of its blocks."""
    with context.open(ref) as reader:
        rows = _locked_rows(Salvage(reader), shape)
    places = used(book, rows)[:ENTRIES]
    if not len(rows) or not len(places):
        return
    entries = np.concatenate((book.locked[places], book.plain[places]), axis=1)
    known = float(np.isin(rows.view("V16").ravel(), entries[:, :BLOCK].copy().view("V16").ravel()).mean())
    if known < SHARE:
        return
    # As few lengths as possible, as each is a scheme of its own: the last entry fills the rest.
    length = 1 << (len(entries) - 1).bit_length()
    data = entries.tobytes() + entries[-1].tobytes() * (length - len(entries))
    scheme = _scheme(length, shape, target)
    key = Key(KeyKind.RAW, data, NAME)
    why = say(
        "{percent} percent of its blocks stand in originals, where {count} came again with the same content",
        percent=round(100 * known, 1),
        count=book.agreed,
    )
    bits = min(8 * BLOCK * book.agreed, 1 << 12)
    yield Described(family=target.family, description=encoded(scheme))
    yield KeyFound(
        family=scheme.name, fingerprint=key.fingerprint, bits=bits, proof=why, item=ref.id, attack=NAME
    )
    yield Secret(family=scheme.name, key=key, item=ref.id)


def _scheme(length: int, shape: Shape, target: Target) -> Description:
    unnamed = Description(
        name="blocks",
        extensions=extensions_of(target.samples),
        head=Head((Field("head", shape.head),)) if shape.head else None,
        tail=Tail((Field("tail", shape.tail),)) if shape.tail else None,
        wrap=RunKey({"key": (0, length * ENTRY)}, sizes=(length * ENTRY,)),
        plan=KnownBlocks(shape.extents, skip=shape.head),
    )
    digest = hashlib.sha256(msgspec.json.encode(unnamed)).hexdigest()[:8]
    return msgspec.structs.replace(unnamed, name=f"blocks-{length}-{digest}")


ATTACK = Attack(
    name=NAME,
    title=say("Blocks that are locked by themselves"),
    weakness="T8",
    plan=plan,
    search=search,
    references=("https://github.com/rivitna/Malware/tree/main/MedusaLocker3",),
    limitations=("Files come back in part only: blocks that no original shows stay lost.",),
)
