"""Weak RSA: moduli that fall without a key, and what the others would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.crypto.der import numbers_in
from unransom.crypto.weak_rsa import hand_off, products, roca, shared, single
from unransom.crypto.weak_rsa.private_keys import private_key

__all__ = [
    "Broken",
    "Public",
    "advice",
    "break_all",
    "break_one",
    "hand_off",
    "private_key",
    "products",
    "public_of",
    "roca",
    "shared",
    "single",
]

EXPONENT = 65537


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
        primes: Its factors.
        why: What it gave way to.
    """

    public: Public
    primes: tuple[int, ...]
    why: Message

    def key(self, origin: str = "") -> Key | None:
        """Return the private key, None where the factors are not two different primes."""
        data = private_key(self.public.modulus, self.public.exponent, self.primes)
        return Key(KeyKind.RSA, data, origin) if data else None


def break_all(
    publics: Sequence[Public], known: Sequence[int] = (), *, steps: int = 1 << 14, bound: int = 100_000
) -> Iterator[Broken]:
    """Yield the keys of ``publics`` that give way: first to each other, then each by itself.

    Args:
        publics: The keys.
        known: Moduli or primes of other keys, which may share a factor with these.
        steps: See ``single.by_close_primes``.
        bound: See ``single.by_smooth_order``.
    """
    factors = shared.shared_factors([public.modulus for public in publics] + list(known))
    for public in dict.fromkeys(publics):
        factor = factors.get(public.modulus)
        broken = None
        if factor:
            why = say("its modulus shares a prime with another one")
            broken = _broken(public, factor, why)
        broken = broken or break_one(public, known, steps=steps, bound=bound)
        if broken:
            yield broken


def break_one(
    public: Public, known: Sequence[int] = (), *, steps: int = 1 << 14, bound: int = 100_000
) -> Broken | None:
    """Return the factors of one key if it is weak by itself; some tenths of a second for RSA-2048."""
    modulus = public.modulus
    if modulus < 4:
        return None
    ways: tuple[tuple[Callable[[], int | None], Message], ...] = (
        (lambda: single.by_known_factors(modulus, known), say("a factor of its modulus is known")),
        (lambda: single.by_small_primes(modulus), say("its modulus has a small factor")),
        (lambda: single.by_power(modulus), say("its modulus is a power")),
        (lambda: single.by_small_exponent(modulus, public.exponent), say("its private exponent is small")),
        (
            lambda: single.by_close_primes(modulus, steps),
            say("the ratio of its primes is close to a simple one"),
        ),
        (lambda: single.by_smooth_order(modulus, bound), say("a prime less one has small factors only")),
    )
    for way, why in ways:
        factor = way()
        if factor:
            return _broken(public, factor, why)
    return None


def advice(public: Public) -> tuple[Message, ...]:
    """Return what else there is to say about a key that did not give way."""
    told = (hand_off.advice(public.modulus),)
    if roca.is_roca(public.modulus):
        return (say("its primes have the form of Infineon's library (ROCA): they can be computed"), *told)
    return told


def _broken(public: Public, factor: int, why: Message) -> Broken:
    return Broken(public, (factor, public.modulus // factor), why)
