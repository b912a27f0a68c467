"""Known plaintext against the old encryption of ZIP archives, with the plaintext found by itself.

An original that has the CRC-32 and size of a member is that member. Where the member is deflated, the
original is deflated again in every way that common programs do until the length agrees; where it is stored,
its bytes stand there as they are, and without an original the head of its format will do.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.families import zipcrypto
from unransom.catalog.formats import _zip_records as records
from unransom.catalog.oracle import heads
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import AttackPlan, Searched, Secret, Shard, Target
from unransom.core.streams import Reader, Salvage
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.proof import proof_of

NAME = "zipcrypto"
SHARD = 1024  # candidates: some three seconds of a core
LARGEST = 256 << 20  # bytes of an original that is deflated again
GUESSES = 8  # ways to deflate that are tried in full
LEVELS = (6, 9, 1, 5, 7, 8, 4, 3, 2)  # the usual ones first
MEMORY = (8, 9)
HEADER_BITS = 96


class Guess(NamedTuple):
    """What a member is taken to hold.

    Attributes:
        offset: Of the bytes in the archive.
        locked, plain: The bytes, as they stand there and as they are under the encryption.
        behind: The bytes of the member's header before them.
        sure: The whole original is known, not only the head of its format.
    """

    offset: int
    locked: bytes
    plain: bytes
    behind: bytes
    sure: bool


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of the best guesses about a member of the first archives."""
    if target.family != zipcrypto.FAMILY.name:
        return None
    for ref in target.samples:
        guesses = _guesses(target, ref, context)
        if guesses:
            return _cost(target, guesses)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        each=True,
        why=say("nothing that is in the archives is known, and their first bytes are those of no format"),
        helps=say("the original of one file in an archive, the larger the better"),
    )


def _cost(target: Target, guesses: list[Guess]) -> AttackPlan:
    from unransom.crypto.search.zipcrypto.known_plaintext import (  # noqa: PLC0415 numba is slow to load
        PER_SECOND,
        KnownPlaintext,
    )

    count = len(KnownPlaintext(guesses[0].locked, guesses[0].plain))
    best = guesses[0]
    return AttackPlan(
        attack=NAME,
        family=target.family,
        each=True,
        shards=-(-count // SHARD) * len(guesses),
        candidates=count * len(guesses),
        seconds=count * len(guesses) / PER_SECOND,
        chance=0.9 / len(guesses) if best.sure else 0.3,
        why=say("{bytes} bytes of a member are known", bytes=len(best.plain)),
        helps=None if best.sure else say("the original of one file in an archive, the larger the better"),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try the candidates of ``shard``, or the keys of neighbours, on its archive."""
    (ref,) = shard.target.samples[:1]
    tried = 0
    states = [bytes.fromhex(clue) for _, clue in shard.target.clues]
    if shard.number:
        states, tried = _found(shard, ref, context)
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        for state in states:
            yield from _proven(locked, ref, Key(KeyKind.RAW, state, NAME))
    yield Searched(attack=NAME, family=shard.target.family, item=ref.id, shard=shard.number, candidates=tried)


def _found(shard: Shard, ref: FileRef, context: Context) -> tuple[list[bytes], int]:
    """Return the states that archives begin with by the candidates of ``shard``, and how many were tried."""
    from unransom.crypto.search.zipcrypto.known_plaintext import (  # noqa: PLC0415 numba is slow to load
        KnownPlaintext,
        rewound,
    )

    number = (shard.number - 1) * SHARD
    for guess in _guesses(shard.target, ref, context):
        known = KnownPlaintext(guess.locked, guess.plain)
        shards = -(-len(known) // SHARD) * SHARD
        if number < shards:
            end = min(number + SHARD, len(known))
            return [rewound(state, guess.behind) for state in known.over(number, end)], end - number
        number -= shards
    return [], 0


def _proven(locked: Salvage, ref: FileRef, key: Key) -> Iterator[Record]:
    mark = zipcrypto.read(locked)
    file_key = zipcrypto.unwrap(mark, key) if mark else None
    if mark is None or file_key is None:
        return
    proof = proof_of(zipcrypto.FAMILY, locked, mark, file_key, ref.original or ref.path)
    if proof:
        bits, why = proof
        family = zipcrypto.FAMILY.name
        yield KeyFound(
            family=family,
            fingerprint=key.fingerprint,
            bits=bits,
            proof=why,
            item=ref.id,
            attack=NAME,
            clue=key.data.hex(),
        )
        yield Secret(family=family, key=key, item=ref.id)


def _guesses(target: Target, ref: FileRef, context: Context) -> list[Guess]:
    """Return what the members of an archive may hold, the surest first."""
    with context.open(ref) as archive:
        sealed = [entry for entry in zipcrypto.members(archive) if zipcrypto.is_sealed(entry)]
        sealed.sort(key=lambda entry: -entry.packed)
        found = [guess for entry in sealed for guess in _originals(archive, entry, target, context)]
        found = found or [guess for entry in sealed for guess in _heads(archive, entry)]
    return sorted(set(found), key=lambda guess: -len(guess.plain))[:GUESSES]


def _originals(archive: Reader, entry: records.Entry, target: Target, context: Context) -> Iterator[Guess]:
    """Yield a guess for each way in which an original that is the member may have been packed."""
    name = entry.name.rpartition(b"/")[2]
    alike = [ref for ref in target.known if ref.size == entry.size and 0 < ref.size <= LARGEST]
    for ref in sorted(alike, key=lambda each: each.name != name):
        with context.open(ref) as reader:
            content = reader.read_at(0, reader.size)
        if zlib.crc32(content) != entry.crc:
            continue
        for packed in _packed(content, entry.method):
            if len(packed) == entry.packed - zipcrypto.HEADER:
                yield _guess(archive, entry, packed, sure=True)
        return


def _packed(content: bytes, method: int) -> Iterator[bytes]:
    """Yield ``content`` as it stands in an archive, in every way that is known to be used."""
    if method == records.STORED:
        yield content
    elif method == records.DEFLATE:
        seen = set()
        for level in LEVELS:
            for memory in MEMORY:
                deflate = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
                packed = deflate.compress(content) + deflate.flush()
                if packed not in seen:
                    seen.add(packed)
                    yield packed


def _heads(archive: Reader, entry: records.Entry) -> Iterator[Guess]:
    """Yield guesses from the format that a stored member's name promises."""
    if entry.method == records.STORED:
        for known in heads(entry.name, HEADER_BITS, entry.size):
            if known.offset == 0:
                yield _guess(archive, entry, known.data, sure=False)


def _guess(archive: Reader, entry: records.Entry, packed: bytes, *, sure: bool) -> Guess:
    """Return the guess that ``packed`` stands behind the header, whose last byte is known besides."""
    start = zipcrypto.data_at(archive, entry)
    from_check = start + zipcrypto.HEADER - 1
    plain = zipcrypto.check(entry) + packed[: 1 << 16]
    return Guess(
        offset=from_check,
        locked=archive.read_at(from_check, len(plain)),
        plain=plain,
        behind=archive.read_at(start, zipcrypto.HEADER - 1),
        sure=sure,
    )


ATTACK = Attack(
    name=NAME,
    title=say("Known plaintext of ZIP archives"),
    weakness="T19",
    plan=plan,
    search=search,
    references=(
        "https://math.ucr.edu/~mike/zipattacks.pdf",
        "https://github.com/kimci86/bkcrack",
    ),
    limitations=("Originals are deflated again as zlib does it; other packers are not guessed.",),
)
