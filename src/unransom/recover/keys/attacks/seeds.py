"""Seeds: keys drawn from a generator that was seeded with a clock are found by trying all its seeds.

A seed is a hit where the head of the file opens to the head of a format; it counts when the whole file
proves the key. Files that were locked one after the other have seeds one after the other: from the second
file on, the search begins where the time between two files says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from unransom.catalog.families import family as family_named
from unransom.catalog.oracle import heads
from unransom.catalog.schemes.family import Family
from unransom.catalog.schemes.seeded import Seeded
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import AttackPlan, Searched, Secret, Shard, Stage, Target
from unransom.core.spans import Span
from unransom.core.streams import Salvage
from unransom.crypto.generators import generator
from unransom.crypto.search.recipe import Crib
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.drawing import letters_of
from unransom.recover.keys.neighbours import suggested
from unransom.recover.keys.proof import proof_of

NAME = "seeds"
HEAD = 64  # bytes of a file that cribs lie in
LEAST = 24  # bits of a crib
SHARD = 1 << 24  # seeds: some two seconds of a core
BEHIND = 7 * 86400  # seconds: clocks that are wrong, and times that were changed later
AHEAD = 3600
NEAR = 120_000  # seeds on both sides of where a neighbour's seed says
AROUND = 2_000_000  # seeds on both sides of a neighbour's seed, where times say nothing
PER_SECOND = {"uptime": 1000, "unix": 1}  # by how much seeds grow
OVERHEAD = 16.0  # times what drawing eight outputs costs
# Machines are up for hours or days rather than for weeks: parts of the seeds, and of the chance.
UPTIMES = ((1 / 128, 0.5), (6 / 128, 0.2), (1.0, 0.3))


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of all seeds of the family's generators."""
    recipes = family_named(target.family, context.described).recipes if target.family else ()
    if not recipes:
        return None
    candidates = sum(len(span) for each in recipes for span in _all(each, target.samples[0]))
    speed = min(generator(each.recipe.generator).per_second for each in recipes)
    chance = 0.9 if any(ref.family == target.family for ref in target.samples) else 0.02
    shards, seconds = -(-candidates // SHARD), OVERHEAD * candidates / speed
    uptime = all(each.clock == "uptime" for each in recipes)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        each=True,
        shards=shards,
        candidates=candidates,
        seconds=seconds,
        chance=chance,
        stages=tuple(_stages(shards, seconds, chance)) if uptime else (),
        why=say("its keys are drawn from a generator with {count} seeds", count=candidates),
        helps=say("a file whose original you have, or the time at which the machine was started"),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try the seeds of ``shard`` on its file."""
    from unransom.crypto.search.seeds import Search  # noqa: PLC0415 numba takes half a second to import

    (ref,) = shard.target.samples[:1]
    family = family_named(shard.target.family, context.described)
    tried = 0
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        head = locked.read_at(0, HEAD)
        name = ref.original or ref.path
        cribs = [
            Crib(locked=head, offset=known.offset, plain=known.data)
            for known in heads(name, LEAST, len(head) - len(head) % 16)
        ] + letters_of(head, 0, name)
        for seeded in family.recipes if cribs else ():
            ready = Search(seeded.recipe, cribs)
            for span in _seeds(seeded, ref, shard):
                found = ready.over(range(span.start, span.end), limit=len(span))
                tried += found.tried
                records = [
                    record
                    for key, seed in {hit.key: hit.seed for hit in found.hits}.items()
                    for record in _proven(family, locked, ref, Key(KeyKind.RAW, key, NAME), seed)
                ]
                yield from records
                if records:
                    break  # a file has one key
    yield Searched(attack=NAME, family=family.name, item=ref.id, shard=shard.number, candidates=tried)


def _proven(family: Family, locked: Salvage, ref: FileRef, key: Key, seed: int) -> Iterator[Record]:
    """Yield the key where the whole file shows that it is the right one."""
    mark = family.read(locked)
    file_key = family.unwrap(mark, key) if mark else None
    if mark is None or file_key is None:
        return
    proof = proof_of(family, locked, mark, file_key, ref.original or ref.path)
    if proof:
        bits, why = proof
        yield KeyFound(
            family=family.name,
            fingerprint=key.fingerprint,
            bits=bits,
            proof=say("drawn with seed {seed}; {why}", seed=seed, why=why),
            item=ref.id,
            attack=NAME,
            clue=str(seed),
        )
        yield Secret(family=family.name, key=key, item=ref.id)


def _stages(shards: int, seconds: float, chance: float) -> Iterator[Stage]:
    """Yield stages of a search over all uptimes."""
    done = 0
    for part, share in UPTIMES:
        count = min(math.ceil(part * shards), shards - done)
        if count:
            yield Stage(count, seconds * count / shards, chance * share)
        done += count


def _all(seeded: Seeded, ref: FileRef) -> list[Span]:
    """Return every seed that a file may have been locked with."""
    every = 1 << generator(seeded.recipe.generator).seed_bits
    if seeded.clock == "uptime" or ref.modified is None:
        return [Span(0, every)]
    second = ref.modified // 1_000_000_000
    return [Span(max(second - BEHIND, 0), min(second + AHEAD, every))]


def _seeds(seeded: Seeded, ref: FileRef, shard: Shard) -> Iterator[Span]:
    """Yield the seeds of ``shard``; those of shard 0 lie around the seeds of neighbours."""
    if shard.number:
        start, end = (shard.number - 1) * SHARD, shard.number * SHARD
        for span in _all(seeded, ref):
            length = len(span)
            if start < length:
                yield Span(span.start + start, span.start + min(end, length))
            start, end = max(start - length, 0), end - length
            if end <= 0:
                return
        return
    every = 1 << generator(seeded.recipe.generator).seed_bits
    solved = [(time, int(clue)) for time, clue in shard.target.clues]
    for span in suggested(solved, ref.modified or 0, PER_SECOND[seeded.clock], NEAR, AROUND):
        yield Span(span.start, min(span.end, every))


ATTACK = Attack(
    name=NAME,
    title=say("Seeds of weak generators"),
    weakness="T5",
    plan=plan,
    search=search,
    references=("https://github.com/cycraft-corp/Prometheus-Decryptor",),
    limitations=("The original must begin as a format that unransom knows does, or with Latin letters.",),
)
