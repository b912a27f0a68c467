"""Known plaintext against the old encryption of ZIP archives, with the plaintext found by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator

from unransom.catalog.families import zipcrypto
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import AttackPlan, Searched, Secret, Shard, Stage, Target
from unransom.core.streams import Salvage
from unransom.core.text import shown
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.members import Guess, head_guesses, matches, sure_guesses, told_guesses
from unransom.recover.keys.proof import proof_of

NAME = "zipcrypto"
SHARD = 1024  # candidates: some three seconds of a core
# Known bytes without a gap, by which guesses are sorted into stages, and the candidates that so many leave.
ROWS = (
    (4096, 2000),
    (1024, 11_000),
    (256, 38_000),
    (64, 170_000),
    (24, 450_000),
    (16, 830_000),
    (0, 1 << 22),
)
PER_SECOND = 370.0  # candidates that one core of an ordinary machine tries
SUREST = 0.95  # that one of all guesses holds: they are not independent
EACH = 2  # guesses about an archive with as many known bytes; more are put off
STAGES = EACH * (len(ROWS) + 1)

Guesses = list[tuple[int, Guess]]  # by the number of the stage that tries it


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of the best guesses about members of all archives."""
    if target.family != zipcrypto.FAMILY.name:
        return None
    every = [_guesses(target, ref, context) for ref in target.samples + target.others]
    guesses = [each for some in every for each in some]
    if guesses:
        return _cost(target, guesses)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        each=True,
        why=_unpacked(target, context)
        or say("nothing that is in the archives is known, and their first bytes are those of no format"),
        helps=say(
            "the original of one file in an archive, the larger the better; or an archive of it without a"
            " password that the same program made"
        ),
    )


def _unpacked(target: Target, context: Context) -> Message | None:
    """Return which original is known of which nothing tells how it was packed, None where there is none."""
    for ref in target.samples:
        with context.open(ref) as archive:
            for match in matches(archive, target.known, context.open):
                return say(
                    "the original of {name} is known, but no program that packs it in {count} bytes",
                    name=shown(match.entry.name),
                    count=match.entry.packed - zipcrypto.HEADER,
                )
    return None


def _cost(target: Target, guesses: Guesses) -> AttackPlan:
    """Return the plan: the guesses of all archives that cost least for what they promise come first."""
    chances = [0.0] * STAGES
    for number, guess in guesses:
        chances[number] = max(chances[number], guess.chance)
    stages = tuple(
        Stage(-(-count // SHARD), count / PER_SECOND, chance)
        for number, chance in enumerate(chances)
        for count in [_candidates(number) if chance else 0]
    )
    _, best = min(guesses, key=lambda each: (not each[1].sure, each[0]))
    if best.sure:
        why = say("{bytes} bytes of a member are known", bytes=best.size)
    else:
        name = shown(best.name)
        why = say("{bytes} bytes of {name} are known if it begins as is usual", bytes=best.size, name=name)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        each=True,
        shards=sum(each.shards for each in stages),
        candidates=sum(_candidates(number) for number, chance in enumerate(chances) if chance),
        seconds=sum(each.seconds for each in stages),
        chance=min(round(1 - math.prod(1 - chance for chance in chances), 2), SUREST),
        stages=stages,
        why=why,
        helps=None if best.sure else say("the original of one file in an archive, the larger the better"),
    )


def _candidates(stage: int) -> int:
    """Return about how many candidates the guesses of a stage leave for an archive."""
    _, count = ROWS[min(stage // EACH, len(ROWS) - 1)]
    return count


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try the candidates of ``shard``, or the keys of neighbours, on its archive."""
    (ref,) = shard.target.samples[:1]
    tried = 0
    states = [key.data for key in shard.target.keys]
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
    )

    place = shard.number - 1
    for number, stage in enumerate(shard.plan.stages):
        if place < stage.shards:
            guess = dict(_guesses(shard.target, ref, context)).get(number)
            break
        place -= stage.shards
    else:
        guess = None
    if guess is None:
        return [], 0
    known = KnownPlaintext(guess.locked, guess.known)
    start, end = (len(known) * at // stage.shards for at in (place, place + 1))
    return known.over(start, end), max(end - start, 1)


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
            clue=key.fingerprint,
        )
        yield Secret(family=family, key=key, item=ref.id)


def _guesses(target: Target, ref: FileRef, context: Context) -> Guesses:
    """Return what the members of an archive may hold, those first that are tried soonest."""
    from unransom.crypto.search.zipcrypto.known_plaintext import enough  # noqa: PLC0415 as above

    with context.open(ref) as archive:
        found = [each for each in sure_guesses(archive, target.known, context.open) if enough(each.known)]
        if not found:
            told = told_guesses(archive, target.known, context.open)
            found = [each for each in (*told, *head_guesses(archive)) if enough(each.known)]
    return list(_staged(found))


def _staged(guesses: list[Guess]) -> Iterator[tuple[int, Guess]]:
    """Yield each guess with its stage, no two with the same one."""
    stage = -1
    for group, guess in sorted(((_group(each), each) for each in guesses), key=lambda each: each[0]):
        stage = max(stage + 1, EACH * group[0])
        if stage < STAGES:
            yield stage, guess


def _group(guess: Guess) -> tuple[int, float]:
    return sum(guess.row < row for row, _ in ROWS), -guess.chance


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
    limitations=(
        "Originals are deflated again as zlib does it, and by 7-Zip, Info-ZIP and AdvanceCOMP where they are"
        " installed; for other packers bring an archive of an original without a password.",
    ),
    apart=True,
)
