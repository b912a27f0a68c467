"""Primes of a known RSA modulus that lie bare in memory, as big-number libraries leave them.

These lie at multiples of four bytes. What is left of a key in DER, some pages of which are elsewhere, or in
SSH's form lies anywhere: there the length in front tells where. In small files every byte is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import gmpy2
import msgspec
import numpy as np

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.der import integer_of
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory
from unransom.crypto.search.memory.prime_kernel import SAMPLE, sieve
from unransom.crypto.weak_rsa.private_keys import private_key

NAME = "bare RSA primes"
LARGEST = 1024  # bytes of a prime: of RSA-16384
POSITIVE = b"\x01\x01"  # in front of little-endian bytes: an mpz as gmpy2 stores it
EXPONENTS = (65537, 3, 17)
LIMIT = 1 << 14  # lengths of each sort in one piece of memory
GUESSED = 16  # bits, where the prime is right and the exponent is not the usual one


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield the private key of every modulus of the clues of which a prime lies in ``memory``."""
    by_size: dict[int, list[int]] = {}
    for modulus in clues.moduli:
        size = (modulus.bit_length() + 15) // 16
        if 4 * SAMPLE <= size <= LARGEST and modulus % 2:
            by_size.setdefault(-(-size // 4) * 4, []).append(modulus)
    for size, moduli in by_size.items():
        for shift in range(4) if clues.guesses else (0,):
            for candidate in _of_size(memory[shift:], size, moduli):
                yield msgspec.structs.replace(candidate, offset=candidate.offset + shift)
    if by_size and not clues.guesses:
        yield from _behind_lengths(memory, clues.moduli)


def _behind_lengths(memory: Memory, moduli: tuple[int, ...]) -> Iterator[Candidate]:
    """Yield what primes give that stand behind their length in DER or in SSH's form."""
    data = memory.data.cast("B") if memory.flags.c_contiguous else memoryview(memory.tobytes())
    for half in sorted({(modulus.bit_length() + 1) // 2 for modulus in moduli}):
        size = half // 8 + 1  # a byte of zeros in front of a highest bit that is set
        if half % 8 or not 4 * SAMPLE <= size <= LARGEST:
            continue
        for length in (integer_of(1 << (half - 1))[: 1 - size], size.to_bytes(4) + b"\0"):
            for found in islice(re.finditer(re.escape(length), data), LIMIT):
                prime = int.from_bytes(data[found.end() : found.end() + size - 1])
                if prime & 1:
                    yield from _candidates(prime, list(moduli), found.end())


def _of_size(memory: Memory, size: int, moduli: list[int]) -> Iterator[Candidate]:
    """Yield what primes of ``size`` bytes give."""
    room = len(memory) // 4
    words = memory[: 4 * room].view(np.uint32)
    places, orders = np.empty(room, np.int64), np.empty(room, np.bool_)
    product = gmpy2.mpz(1)  # what divides one of the moduli divides their product
    for modulus in moduli:
        product *= modulus
    # The other prime is below 256**size, so neither is below the modulus by that.
    top = min(modulus >> 8 * (2 * size - 1) for modulus in moduli)
    start = 0
    while start + size // 4 <= room:
        count, start = sieve(words, size // 4, top, start, places, orders)
        for place, big in zip(places[:count].tolist(), orders[:count].tolist(), strict=True):
            number = words[place : place + size // 4].tobytes()
            if not product % gmpy2.from_binary(POSITIVE + (number[::-1] if big else number)):
                yield from _candidates(int.from_bytes(number, "big" if big else "little"), moduli, 4 * place)


def _candidates(prime: int, moduli: list[int], offset: int) -> Iterator[Candidate]:
    for modulus in moduli:
        if modulus % prime == 0 and 1 < prime < modulus:
            for exponent in EXPONENTS:
                key = private_key(modulus, exponent, (prime, modulus // prime))
                if key:
                    yield Candidate(
                        finder=NAME,
                        kind=KeyKind.RSA,
                        data=key,
                        offset=offset,
                        bits=prime.bit_length() if exponent == EXPONENTS[0] else GUESSED,
                        why=say("a prime that divides the modulus, exponent {exponent}", exponent=exponent),
                    )


FINDER = Finder(NAME, LARGEST, find)
