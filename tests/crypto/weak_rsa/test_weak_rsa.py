"""Weak RSA keys of every kind give way, sound ones do not, and what comes out works elsewhere."""

import math
import random

import gmpy2
import pytest
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from unransom.core.keys import KeyKind
from unransom.crypto import rsa
from unransom.crypto.weak_rsa import (
    FULL,
    Effort,
    Public,
    advice,
    break_all,
    break_one,
    hand_off,
    private_key,
    products,
    roca,
)
from unransom.crypto.weak_rsa.curves import by_curves
from unransom.crypto.weak_rsa.shared import shared_factors
from unransom.crypto.weak_rsa.single import by_power
from unransom.crypto.weak_rsa.smooth import by_smooth_order

E = 65537
NONE = Effort(steps=1, count=0, first=10, second=10)


def prime(bits, seed):
    generator = random.Random(seed)
    while True:
        number = generator.getrandbits(bits) | 3 << bits - 2 | 1
        found = int(gmpy2.next_prime(number))
        if math.gcd(found - 1, E) == 1:
            return found


def smooth_prime(bits, seed):
    """A prime which, less one, has small factors only."""
    generator = random.Random(seed)
    while True:
        number = 2
        for factor in generator.sample(range(3, 50_000, 500), 60):
            if number.bit_length() < bits - 12:
                number *= int(gmpy2.next_prime(factor))
        for factor in range(2, 4000, 2):
            if gmpy2.is_prime(number * factor + 1):
                return number * factor + 1


def close_prime(near):
    """The next prime whose key has an inverse for 65537."""
    found = int(gmpy2.next_prime(near + (1 << 40)))
    while (found - 1) % E == 0:
        found = int(gmpy2.next_prime(found))
    return found


P = prime(512, 1)
WEAK = {
    "Fermat": (P, close_prime(P)),
    "ratio": (P, close_prime(P * 3 // 2)),
    "p-1": (smooth_prime(512, 2), prime(512, 3)),
    "small": (prime(19, 5), prime(1000, 6)),
}


@pytest.mark.parametrize("name", WEAK)
def test_careless_keys_give_way(name):
    primes = WEAK[name]
    broken = break_one(Public(math.prod(primes)))
    assert broken is not None
    assert sorted(broken.primes) == sorted(primes)
    key = broken.key("here")
    assert (key.kind, key.origin) == (KeyKind.RSA, "here")
    other = RSA.import_key(key.data)  # pycryptodomex checks that the numbers agree
    message = 123456789
    assert pow(pow(message, E, other.n), int(other.d), other.n) == message
    assert rsa.numbers(key.data).public_numbers.n == math.prod(primes)


def rough(bits, largest, seed, last=0):
    """A prime which, less one, has primes up to ``largest``, the same ones again and again, and one more."""
    generator = random.Random(seed)
    while True:
        number = 2 * (int(gmpy2.prev_prime(last)) if last else 1)
        while number.bit_length() < bits - 14:
            number *= int(gmpy2.prev_prime(generator.randrange(4, largest)))
        for factor in range(2, 8000, 2):
            if gmpy2.is_prime(number * factor + 1):
                return number * factor + 1


@pytest.mark.parametrize("bits", [256, 512])
@pytest.mark.parametrize(("largest", "last"), [(6, 0), (300, 0), (1 << 15, 0), (1 << 15, 900_000)])
def test_primes_that_are_smooth_less_one_fall_whatever_their_powers(bits, largest, last):
    for seed in range(2):
        first, second = rough(bits, largest, seed, last), prime(bits, f"p-1 {seed}")
        assert by_smooth_order(first * second, 1 << 15, 1_000_000) in {first, second}


def test_two_smooth_primes_of_one_modulus_are_parted():
    first, second = rough(256, 1 << 12, 1, 900_000), rough(256, 1 << 12, 2, 900_000)
    assert by_smooth_order(first * second, 1 << 12, 1_000_000) in {first, second}
    assert by_smooth_order(rough(256, 300, 3) * rough(256, 300, 4), 1 << 12) is not None


@pytest.mark.parametrize(("small", "whole"), [(30, 512), (40, 512), (40, 1024)])
def test_small_primes_show_on_elliptic_curves(small, whole):
    for seed in range(2):
        first = prime(small, f"small {seed}")
        assert by_curves(first * prime(whole - small, f"large {seed}")) == first


def test_many_keys_and_large_ones_share_an_effort():
    assert FULL.shared(1, 512) == FULL.shared(1, 1024)
    alone, large, many = FULL.shared(1, 1024), FULL.shared(1, 2048), FULL.shared(500, 4096)
    assert alone.count > large.count > many.count > 0
    assert (alone.first, large.first, many.first) == (1_000_000, 500_000, 25_000)
    assert FULL.shared(500, 2048).first == 100_000  # a step on RSA-4096 takes four times as long


def test_a_small_private_exponent_gives_way():
    first, second = prime(512, 7), prime(512, 8)
    modulus, private = first * second, prime(200, 9)
    exponent = pow(private, -1, (first - 1) * (second - 1))
    broken = break_one(Public(modulus, exponent), effort=NONE)
    assert sorted(broken.primes) == sorted((first, second))


def test_shared_primes_show_among_sound_keys():
    numbers = [prime(256, seed) for seed in range(20, 40)]
    moduli = [numbers[i] * numbers[i + 1] for i in range(0, 18, 2)]
    moduli += [numbers[0] * numbers[19], numbers[2] * numbers[5], moduli[0]]
    found = shared_factors(moduli)
    weak = {moduli[0], moduli[1], moduli[2], numbers[0] * numbers[19], numbers[2] * numbers[5]}
    assert found.keys() == weak
    assert all(modulus % factor == 0 and 1 < factor < modulus for modulus, factor in found.items())
    broken = list(break_all([Public(modulus) for modulus in moduli], effort=NONE))
    assert {each.public.modulus for each in broken} == weak
    assert all(each.key() for each in broken)


def test_a_modulus_of_shared_primes_only_is_split():
    a, b, c, d = (prime(128, seed) for seed in range(50, 54))
    assert shared_factors([a * b, b * c, a * d])[a * b] in {a, b}
    assert not shared_factors([a * b, a * b])
    assert not shared_factors([])
    assert not shared_factors([a * b])


def test_known_factors_and_powers():
    first, second = prime(512, 60), prime(512, 61)
    broken = break_one(Public(first * second), known=[prime(512, 62), second * prime(300, 63)])
    assert set(broken.primes) == {first, second}
    assert by_power(first**3) == first
    assert opens(break_one(Public(first**2)).key())


def opens(key):
    """Return whether a private key gives back what its public numbers encrypted."""
    public, message = rsa.numbers(key.data).public_numbers, 3**50
    locked = pow(message, public.e, public.n).to_bytes(rsa.size(key.data))
    return int.from_bytes(rsa.decrypt_raw(key.data, locked)) == message


def test_keys_of_several_primes_are_taken_apart():
    shared, first = prime(200, 64), prime(300, 65)
    close = int(gmpy2.next_prime(first + 2))
    broken = break_one(Public(shared * first * close), known=[shared * prime(200, 66)], effort=NONE)
    assert broken.primes == tuple(sorted((shared, first, close)))
    assert opens(broken.key())
    unknown = break_one(Public(shared * first * prime(300, 67)), known=[shared], effort=NONE)
    assert unknown.primes[0] == shared
    assert unknown.key() is None  # what is left is no prime
    assert opens(break_one(Public(shared**3)).key())


@pytest.mark.parametrize("primes", [(P * P, P), (P * prime(300, 2), P), (P, P * P)])
def test_factors_that_are_no_primes_give_no_key_and_no_error(primes):
    assert private_key(math.prod(primes), E, primes) is None


def test_sound_keys_do_not_give_way():
    modulus = prime(1024, 70) * prime(1024, 71)
    assert break_one(Public(modulus), effort=Effort(1000, 1, 5000, 50_000)) is None
    assert [message.text for message in advice(Public(modulus))] == ["RSA-{bits} cannot be factored by force"]


@given(st.integers(-5, 200), st.integers(-2, 9))
def test_numbers_that_are_no_keys_are_refused(modulus, exponent):
    broken = break_one(Public(modulus, exponent), effort=Effort(5, 1, 20, 2000))
    if broken:
        assert math.prod(broken.primes) == modulus
        assert min(broken.primes) > 1


def test_a_key_needs_its_own_primes():
    assert private_key(21, 3, (3, 7)) is None  # 3 has no inverse
    assert private_key(P * 7, E, (P, 11)) is None


def test_roca_is_told_from_others():
    product = math.prod(number for number in range(3, 168) if gmpy2.is_prime(number))

    def infineon(seed):
        generator = random.Random(seed)
        while True:
            number = generator.getrandbits(40) * product + pow(E, generator.getrandbits(64), product)
            if gmpy2.is_prime(number):
                return number

    assert roca.is_roca(infineon(1) * infineon(2))
    assert not any(roca.is_roca(prime(256, seed) * prime(256, seed + 1)) for seed in range(80, 100))
    assert roca.bits() > 24
    assert "ROCA" in str(advice(Public(infineon(3) * infineon(4)))[0])


def test_what_is_left_goes_to_a_factoring_program():
    assert hand_off.hand_off(91, "the key of a victim\nn: 5") == "# the key of a victim\nn: 91\n"
    hours = [hand_off.core_hours(bits) for bits in (330, 512, 768, 829, 1024)]
    assert hours == sorted(hours)
    years = hours[2] / 8766
    assert 500 < years < 6000  # it took 2,000 core years, in 2009
    assert "4,000 core hours" in str(hand_off.advice(1 << 511))


def test_teslacrypt_products_give_the_key_by_its_point():
    generator = random.Random(90)
    factors = [prime(bits, 100 + bits) for bits in (17, 40, 60, 61, 77)]
    secret = math.prod(factors[1:])
    assert secret.bit_length() <= 256
    others = [prime(90, 200), prime(30, 201), prime(120, 202)]
    product = secret * math.prod(others)
    point = ec.derive_private_key(secret, ec.SECP256K1()).public_key().public_numbers()
    head = generator.randbytes(69) + point.x.to_bytes(32) + point.y.to_bytes(32) + generator.randbytes(99)
    everything = factors[1:] + others
    assert products.key_of(product, everything, head) == secret.to_bytes(32)
    assert products.key_of(product, everything[:-1], head) == secret.to_bytes(32)  # the last one follows
    assert products.key_of(product, everything, bytes(200)) is None
    assert secret in set(products.divisors(product, [*everything, 3, 0, 1]))
