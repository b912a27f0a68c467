"""Weak RSA: moduli that fall without a key, and what the others would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import gmpy2
import msgspec

from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.crypto.der import numbers_in
from unransom.crypto.weak_rsa import curves, hand_off, products, roca, shared, single, smooth
from unransom.crypto.weak_rsa.private_keys import private_key

__all__ = [
    "FULL",
    "Broken",
    "Effort",
    "Public",
    "advice",
    "break_all",
    "break_one",
    "break_shared",
    "curves",
    "hand_off",
    "private_key",
    "products",
    "public_of",
    "roca",
    "shared",
    "single",
    "smooth",
]

EXPONENT = 65537
USUAL_BITS = 1024  # of a modulus
MOST_PRIMES = 16  # of a modulus


class Public(msgspec.Struct, frozen=True):
    """A public key."""

    modulus: int
    exponent: int = EXPONENT


def public_of(key: Key) -> Public:
    """Return the public key that a key of the kind ``RSA_PUBLIC`` is.

    Raises:
        ValueError: It is none.
    """
    modulus, exponent = numbers_in(key.data)
    return Public(modulus, exponent)


class Broken(msgspec.Struct, frozen=True):
    """A public key that gave way.

    Attributes:
        public: The key.
        primes: Its factors, as far as they are known to be smaller ones: each as often as it divides.
        why: What it gave way to.
    """

    public: Public
    primes: tuple[int, ...]
    why: Message

    def key(self, origin: str = "") -> Key | None:
        """Return the private key, None where the factors are not all primes, or give none."""
        if not all(map(gmpy2.is_prime, self.primes)):
            return None
        data = private_key(self.public.modulus, self.public.exponent, self.primes)
        return Key(KeyKind.RSA, data, origin) if data else None


class Effort(msgspec.Struct, frozen=True):
    """How far a key is looked into; by default some three seconds of a core for RSA-1024.

    Attributes:
        steps: See ``single.by_close_primes``.
        count: See ``curves.by_curves``.
        first, second: Bounds, see ``smooth.by_smooth_order``.
    """

    steps: int = 1 << 14
    count: int = 40
    first: int = 1_000_000
    second: int = 20_000_000

    def shared(self, keys: int, bits: int) -> Effort:
        """Return what each of some ``keys`` of ``bits`` gets of it, so that they take seconds as well."""
        times = max(bits // USUAL_BITS, 1)  # as long; a step on it takes the square of that
        part = min(keys * times, 10 * max(times // 2, 1) ** 2)
        return Effort(self.steps, self.count // part**2 + 1, self.first // part, self.second // part)


FULL = Effort()


def break_all(
    publics: Sequence[Public], known: Sequence[int] = (), effort: Effort = FULL
) -> Iterator[Broken]:
    """Yield the keys of ``publics`` that give way: first to each other, then each by itself.

    Args:
        publics: The keys.
        known: Moduli or primes of other keys, which may share a factor with these.
        effort: For each of them.
    """
    found = {broken.public: broken for broken in break_shared(publics, known, effort)}
    for public in dict.fromkeys(publics):
        broken = found.get(public) or break_one(public, known, effort)
        if broken:
            yield broken


def break_shared(
    publics: Sequence[Public], known: Sequence[int] = (), effort: Effort = FULL
) -> Iterator[Broken]:
    """Yield the keys of ``publics`` that share a factor with each other or with ``known`` ones."""
    factors = shared.shared_factors([public.modulus for public in publics] + list(known))
    for public in dict.fromkeys(publics):
        factor = factors.get(public.modulus)
        if factor:
            why = say("its modulus shares a prime with another one")
            yield _broken(public, factor, why, known, effort)


def break_one(public: Public, known: Sequence[int] = (), effort: Effort = FULL) -> Broken | None:
    """Return the factors of one key if it is weak by itself."""
    found = _factor(public, known, effort)
    return _broken(public, *found, known, effort) if found else None


def _factor(public: Public, known: Sequence[int], effort: Effort) -> tuple[int, Message] | None:
    """Return a factor of a modulus and what it gave way to."""
    modulus = public.modulus
    if modulus < 4:
        return None
    ways: tuple[tuple[Callable[[], int | None], Message], ...] = (
        (lambda: single.by_known_factors(modulus, known), say("a factor of its modulus is known")),
        (lambda: single.by_small_primes(modulus), say("its modulus has a small factor")),
        (lambda: single.by_power(modulus), say("its modulus is a power")),
        (lambda: single.by_small_exponent(modulus, public.exponent), say("its private exponent is small")),
        (
            lambda: single.by_close_primes(modulus, effort.steps),
            say("the ratio of its primes is close to a simple one"),
        ),
        (
            lambda: smooth.by_smooth_order(modulus, effort.first, effort.second),
            say("a prime less one has small factors only"),
        ),
        (lambda: curves.by_curves(modulus, effort.count), say("its modulus has a small factor")),
    )
    for way, why in ways:
        factor = way()
        if factor:
            return factor, why
    return None


def advice(public: Public) -> tuple[Message, ...]:
    """Return what else there is to say about a key that did not give way."""
    told = (hand_off.advice(public.modulus),)
    if roca.is_roca(public.modulus):
        return (say("its primes have the form of Infineon's library (ROCA): they can be computed"), *told)
    return told


def _broken(public: Public, factor: int, why: Message, known: Sequence[int], effort: Effort) -> Broken:
    """Return the key with its factors; what is left of it, where that is no prime, is looked into as well."""
    primes: list[int] = []
    parts = [factor, public.modulus // factor]
    while parts:
        part = parts.pop()
        further = (
            _factor(Public(part, public.exponent), known, effort)
            if len(primes) + len(parts) < MOST_PRIMES and not gmpy2.is_prime(part)
            else None
        )
        if further:
            parts += [further[0], part // further[0]]
        else:
            primes.append(part)
    return Broken(public, tuple(sorted(primes)), why)
