"""TeslaCrypt's products: a divisor of the number in a file's head is the key, and the head says which.

The factors come from the user, who had a factoring program find them, or at once where the number falls
apart by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import gmpy2

from unransom.catalog.families import teslacrypt2
from unransom.catalog.schemes.family import Mark
from unransom.core.context import Context
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, KeyFound, Record
from unransom.core.searches import AttackPlan, Searched, Secret, Shard, Target
from unransom.core.streams import Salvage
from unransom.crypto.weak_rsa.products import KEY_BITS, divisors, key_of, parts_of
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.factors import numbers_given
from unransom.recover.keys.proof import proof_of

NAME = "products"
MOST = 256  # divisors that are tried on a file whose head does not say which is the key
PRODUCTS = 8  # that are factored for a plan


class Head(NamedTuple):
    """A sample, and what its head tells."""

    ref: FileRef
    mark: Mark
    product: int


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return whether the products fall apart, or what is left for a factoring program."""
    if target.family != teslacrypt2.FAMILY.name:
        return None
    known = numbers_given(context.keys)
    split = {head.product: _parts(head.product, known) for head in _heads(target, context)[:PRODUCTS]}
    left = {part for parts in split.values() for part in parts if not gmpy2.is_prime(part)}
    ready = sum(all(map(gmpy2.is_prime, parts)) for parts in split.values())
    if not ready:
        return AttackPlan(
            attack=NAME,
            family=target.family,
            why=say(
                "the products of keys in the heads have large factors: {bits} bits are left",
                bits=max((part.bit_length() for part in left), default=0),
            ),
            helps=say("the prime factors of the numbers that --hand-off writes, as a text file with --key"),
            factor=tuple(map(str, sorted(left))),
        )
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=1,
        candidates=ready,
        seconds=30.0 * ready,
        chance=0.95,
        why=say("{count} products of keys are factored", count=ready),
        factor=tuple(map(str, sorted(left))),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Find which divisor of each product is the key."""
    known = numbers_given(context.keys)
    heads = _heads(shard.target, context)
    for head in heads:
        with context.open(head.ref) as reader:
            found = _key(Salvage(reader, head.ref.name), head, _parts(head.product, known))
        if found:
            yield from _records(*found)
    family = teslacrypt2.FAMILY.name
    yield Searched(attack=NAME, family=family, item=0, shard=shard.number, candidates=len(heads))


def _heads(target: Target, context: Context) -> list[Head]:
    """Return a sample for every product."""
    found: dict[int, Head] = {}
    for ref in (*target.samples, *target.others):
        with context.open(ref) as reader:
            mark = teslacrypt2.read(Salvage(reader, ref.name))
        product = int(mark.fields["product"].rstrip(b"\0"), 16) if mark else 0
        if mark and product > 1:
            found.setdefault(product, Head(ref, mark, product))
    return list(found.values())


@functools.lru_cache(maxsize=64)
def _parts(product: int, known: tuple[int, ...]) -> tuple[int, ...]:
    return parts_of(product, known)


def _key(locked: Salvage, head: Head, parts: tuple[int, ...]) -> tuple[bytes, int, Message] | None:
    """Return the key with bits and sentence of its proof; a few divisors are tried where no point stands."""
    path = head.ref.original or head.ref.path
    by_point = key_of(head.product, parts, head.mark.fields["between"])
    numbers = [int.from_bytes(by_point)] if by_point else islice(divisors(head.product, parts), MOST)
    for number in numbers:
        data = number.to_bytes(KEY_BITS // 8)
        file_key = teslacrypt2.unwrap(head.mark, Key(KeyKind.RAW, data))
        proof = file_key and proof_of(teslacrypt2.FAMILY, locked, head.mark, file_key, path)
        if proof:
            return data, *proof
    return None


def _records(data: bytes, bits: int, why: Message) -> Iterator[Record]:
    key, family = Key(KeyKind.RAW, data, NAME), teslacrypt2.FAMILY.name
    proof = say("a divisor of the product in the head; {why}", why=why)
    yield KeyFound(family=family, fingerprint=key.fingerprint, bits=bits, proof=proof, attack=NAME)
    yield Secret(family=family, key=key)


ATTACK = Attack(
    name=NAME,
    title=say("Products of keys"),
    weakness="T9",
    plan=plan,
    search=search,
    references=("https://github.com/Googulator/TeslaCrack",),
    limitations=("Large products are left to factoring programs; --hand-off writes their files.",),
)
