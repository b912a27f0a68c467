"""Weak RSA: public keys, given or left behind, are factored where they share a prime or were made carelessly.

A private key that comes out counts when it opens files. What stays sound is said with what it would cost.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from unransom.catalog.families import family as family_named
from unransom.core.context import Context
from unransom.core.keys import KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.crypto.weak_rsa import FULL, Broken, Effort, Public, advice, break_all, break_shared
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.factors import numbers_given
from unransom.recover.keys.publics import publics_of
from unransom.recover.keys.trial import tried

NAME = "weak_rsa"
SHARD = 16  # public keys
SECONDS = 1.5  # of a core for RSA-2048
BITS = 2048  # that SECONDS are for
HAND_OFF_BITS = 768  # of a modulus that factoring programs have been known to take


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost; few keys are tried at once, as that takes seconds."""
    family = family_named(target.family, context.described) if target.family else None
    if family is None or KeyKind.RSA not in family.takes:
        return None
    publics, known = publics_of(target, context), numbers_given(context.keys)
    if not publics:
        if not target.proper:
            return None
        why = say("no public key was given or found that may be weak")
        helps = say("the public key in the note or the locker's program, and those of other victims")
        return AttackPlan(attack=NAME, family=target.family, why=why, helps=helps)
    shards = -(-len(publics) // SHARD)
    shards += shards > 1  # what they share comes first, for all of them
    broken = _broken(publics, known, 0) if shards == 1 else ()
    if shards == 1 and not broken:
        return AttackPlan(attack=NAME, family=target.family, why=_sound(publics), factor=_left(publics))
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=shards,
        candidates=len(publics),
        seconds=sum(SECONDS * (each.modulus.bit_length() / BITS) ** 2 for each in publics),
        chance=0.9 if broken else 0.05,
        why=broken[0].why if broken else say("{count} public keys may share primes", count=len(publics)),
        factor=() if broken else _left(publics),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Break what is weak among some of the public keys, and try the private keys on the samples."""
    target = shard.target
    family = family_named(target.family, context.described)
    publics, known = publics_of(target, context), numbers_given(context.keys)
    for broken in _broken(publics, known, shard.number - 1):
        key = broken.key(str(say("RSA-{bits}, factored", bits=broken.public.modulus.bit_length())))
        if key:
            told = functools.partial(_told, broken)
            yield from tried(key, family, target.samples, context, NAME, told)
    count = len(_own(publics, shard.number - 1))
    yield Searched(attack=NAME, family=family.name, item=0, shard=shard.number, candidates=count)


@functools.lru_cache(maxsize=64)
def _broken(publics: tuple[Public, ...], known: tuple[int, ...], number: int) -> tuple[Broken, ...]:
    """Return those of ``publics`` that give way to each other, or those of a shard that do by themselves."""
    own = _own(publics, number)
    if number == 0 and len(publics) > SHARD:
        return tuple(break_shared(publics, known, _effort(publics)))
    return tuple(break_all(own, known, _effort(own)))


def _own(publics: tuple[Public, ...], number: int) -> tuple[Public, ...]:
    """Return the keys that a shard looks into one by one; where there are several, the first has none."""
    return publics if len(publics) <= SHARD else publics[max(number - 1, 0) * SHARD : number * SHARD]


def _effort(publics: tuple[Public, ...]) -> Effort:
    """Return how far each of the keys of a shard is looked into."""
    return FULL.shared(len(publics), max((public.modulus.bit_length() for public in publics), default=0))


def _told(broken: Broken, why: Message) -> Message:
    return say("a public key was factored: {what}; {why}", what=broken.why, why=why)


def _sound(publics: tuple[Public, ...]) -> Message:
    """Return what was ruled out for ``publics``, and what the weakest of them would cost by force."""
    effort = _effort(publics)
    weakest = min(publics, key=lambda public: public.modulus)
    return say(
        "{count} public keys share no prime, and none has close ones, a small one that {curves} elliptic"
        " curves show, or one that less one has no prime above {first:,} but a last one up to {second:,};"
        " {advice}",
        count=len(publics),
        curves=effort.count,
        first=effort.first,
        second=effort.second,
        advice="; ".join(str(each) for each in advice(weakest)),
    )


def _left(publics: tuple[Public, ...]) -> tuple[str, ...]:
    """Return the moduli that are worth a factoring program."""
    return tuple(str(each.modulus) for each in publics if each.modulus.bit_length() <= HAND_OFF_BITS)


ATTACK = Attack(
    name=NAME,
    title=say("Weak RSA keys"),
    weakness="T9",
    plan=plan,
    search=search,
    references=(
        "https://factorable.net/weakkeys12.extended.pdf",
        "https://crocs.fi.muni.cz/public/papers/rsa_ccs17",
    ),
    limitations=("Keys of Infineon's library (ROCA) are named, not factored.",),
)
