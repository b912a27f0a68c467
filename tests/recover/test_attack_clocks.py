"""Keys that an unknown locker drew with fast clocks: found with no hint of the family, by the file's time."""

import contextlib
import hashlib
import itertools
import json
import random
import string

import numpy as np
import pytest
from Cryptodome.Cipher import AES, ARC4, ChaCha20, Salsa20
from Cryptodome.Util.Padding import pad

from tests.fixtures.locked import picture
from tests.lockers import drawn as noise
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.described import family_of
from unransom.core.context import Context
from unransom.core.records import FileRef, KeyFound
from unransom.core.searches import Described, Searched, Secret, Shard, Target
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.generators import generator
from unransom.crypto.search.batches import Batches
from unransom.crypto.search.recipe import Bits, material
from unransom.crypto.search.usual import CLOCKS, plain, recipes
from unransom.recover.keys import clocks
from unransom.recover.keys.attacks import drawn, milliseconds, nanoseconds, ticks, truncated
from unransom.recover.keys.drawing import hits, proven

MORNING = 1_795_000_000_123_456_789  # nanoseconds since 1970
MILLION = 1_000_000
GO = (1 << 31) - 1  # what Go reduces seeds by
ALL = [drawn, milliseconds, nanoseconds, ticks, truncated]


def outputs(name, seed, count):
    return itertools.islice(generator(name).outputs(seed), count)


def cbc(plain, key, iv=bytes(16)):
    return AES.new(key, AES.MODE_CBC, iv).encrypt(pad(plain, 16))


def working(attack, locked, *, modified=MORNING, clues=(), number=None, of=None):
    """Search shard ``number``, or all shards one by one until a key turns up."""
    ref = FileRef(source="s", path=b"a.png", size=len(locked), id=3, modified=modified)
    context = Context(open=lambda _: contextlib.nullcontext(BytesReader(locked)))
    target = Target(family="", samples=(ref,), files=1, size=len(locked), clues=clues)
    plan = attack.ATTACK.plan(target, context)
    found = []
    for each in of or (number,):
        found += attack.ATTACK.search(Shard(plan=plan, target=target, number=each), context)
        if any(isinstance(record, KeyFound) for record in found):
            break
    return plan, found


def key_in(records):
    (found,) = [each for each in records if isinstance(each, KeyFound)]
    (secret,) = [each for each in records if isinstance(each, Secret)]
    return found, secret.key.data


def test_java_seeded_with_current_time_millis():
    seed = MORNING // MILLION - 30_000  # half a minute before the file was written
    words = [number.to_bytes(4, "little") for number in outputs("java", seed, 8)]
    key = b"".join(words)  # new Random(System.currentTimeMillis()).nextBytes(key)
    plan, records = working(milliseconds, cbc(picture("java"), key), of=range(1, 5))
    found, secret = key_in(records)
    assert json.loads(found.clue)[1:] == [seed, ""]
    assert (secret[:32], found.bits >= 64) == (key, True)
    assert plan.stages[0].seconds < 60


@pytest.mark.parametrize("size", [16, 24, 32])
def test_next_bytes_of_dotnet_with_the_uptime_comes_first(size):
    seed = 8_000_000  # two hours and a quarter
    key = bytes(number & 0xFF for number in outputs("dotnet", seed, size))
    iv = noise("in front", 16)
    data = iv + cbc(picture("ticks"), key, iv)
    ref = FileRef(source="s", path=b"a.png", size=len(data), id=1)
    locked = Salvage(BytesReader(data), b"a.png")
    found = [hit for each in plain("uptime") for hit in hits(each, Span(seed - 9, seed + 9), locked, ref)[0]]
    assert (seed, key, "head") in {(hit.seed, hit.key, hit.stored) for hit in found}
    plan, _ = working(ticks, data, of=())
    assert ticks.CLOCK.tried(ticks.CLOCK.windows[0]) == range(len(plain("uptime")))
    assert plan.stages[0].seconds < 60


@pytest.mark.parametrize("hours", [-8, 9.5])
def test_the_time_of_a_file_may_be_of_another_time_zone(hours):
    seed = MORNING // (1000 * MILLION) + int(hours * 3600)
    key = bytes(number & 0xFF for number in outputs("msvc", seed, 32))
    data = cbc(picture("zone"), key)
    plan, _ = working(drawn, data, of=())
    before = sum(stage.shards for stage in plan.stages[: 1 + (hours > 0)])
    _, records = working(drawn, data, number=1 + before)
    assert key_in(records)[1][:32] == key


def test_mt19937_seeded_with_the_low_bits_of_milliseconds():
    low = (MORNING // MILLION - 1500) & 0xFFFFFFFF
    key = bytes(number & 0xFF for number in outputs("mt19937", low, 32))
    _, records = working(milliseconds, cbc(picture("cpp"), key), of=range(1, 11))
    assert key_in(records)[1][:32] == key


def test_go_seeded_with_unix_nano_is_among_the_numbers_of_32_bits():
    nano = MORNING // GO * GO + 500_000  # a time whose seed is small
    alphabet = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    key = bytes(alphabet[(number >> 32 & 0x7FFFFFFF) % 62] for number in outputs("go", nano, 32))
    plan, records = working(truncated, cbc(picture("go"), key), of=range(1, 18))
    assert key_in(records)[1][:32] == key
    assert plan.stages[0].shards == 17
    assert plan.seconds > 3600  # and says so


def test_nanoseconds_before_the_time_of_the_file():
    ways = recipes("nanoseconds")
    way = next(
        at
        for at, each in enumerate(ways)
        if each.generator == "splitmix64" and each.parts[0].draw == Bits(0, 8) and each.cipher.iv
    )
    key, iv = material(ways[way], MORNING - 3 * MILLION)
    _, records = working(nanoseconds, cbc(picture("nano"), key, iv), number=1 + 2 * len(ways) + way)
    assert key_in(records)[1][: len(key)] == key


@pytest.mark.parametrize("attack", ALL, ids=lambda each: each.CLOCK.name)
def test_a_solved_neighbour_makes_a_file_a_matter_of_moments(attack):
    number = next(
        at for at, each in enumerate(attack.CLOCK.recipes) if each.cipher.name == "aes-cbc" and each.cipher.iv
    )
    seeds = {"ticks": 7_000_000, "truncated": 3_000_000_000 % (1 << 31)}
    rate = attack.CLOCK.per_second
    seed = seeds.get(attack.CLOCK.name, MORNING * rate // 1_000_000_000)
    recipe = attack.CLOCK.recipes[number]
    key, iv = material(recipe, seed)
    later = MORNING + 3600 * 1_000_000_000
    clue = (later, json.dumps([number, seed + 3600 * rate - 5, ""]))
    _, records = working(attack, cbc(picture("next"), key, iv), clues=(clue,), number=0)
    assert key_in(records)[1][: len(key)] == key
    assert records[-1].candidates <= 2 * attack.CLOCK.near * 3


@pytest.mark.parametrize("attack", ALL, ids=lambda each: each.CLOCK.name)
def test_stages_cover_every_shard_once_the_best_first(attack):
    plan, _ = working(attack, noise("noise", 500), of=())
    assert sum(stage.shards for stage in plan.stages) == plan.shards
    assert sum(stage.seconds for stage in plan.stages) == pytest.approx(plan.seconds)
    assert sum(stage.chance for stage in plan.stages) == pytest.approx(plan.chance)
    prices = [stage.seconds / stage.chance for stage in plan.stages]
    assert prices == sorted(prices)


@pytest.mark.parametrize("attack", [drawn, milliseconds, nanoseconds], ids=lambda each: each.CLOCK.name)
def test_a_file_without_a_time_has_no_such_search(attack):
    plan, _ = working(attack, noise("noise", 500), modified=None, of=())
    assert (plan.shards, plan.chance, plan.candidates) == (0, 0.0, 0)


def words(name, seed, size):
    """Return ``size`` bytes of words of 32 bits, as rand() fills an array of int."""
    return b"".join(number.to_bytes(4, "little") for number in outputs(name, seed, size // 4))


def printed(name, seed, size):
    """Return letters, digits and signs as ``33 + rand() % 94`` gives them."""
    return bytes(33 + number % 94 for number in outputs(name, seed, size))


LETTERS = string.ascii_letters + string.digits
# Ways to draw a key of AES-CBC with an IV of zeros; those of Python by Python's own generator.
WAYS = {
    "randbytes": lambda seed: random.Random(seed).randbytes(32),
    "choice": lambda seed: "".join(map(random.Random(seed).choice, [LETTERS] * 32)).encode(),
    "getrandbits": lambda seed: bytes(map(random.Random(seed).getrandbits, [8] * 16)),
    "AES-192": lambda seed: bytes(number & 0xFF for number in outputs("glibc", seed, 24)),
    "integers of MSVC": lambda seed: words("msvc", seed, 32),
    "signs": lambda seed: printed("glibc", seed, 32),
    "255 numbers": lambda seed: bytes(number % 255 for number in outputs("glibc", seed, 32)),
    "drand48": lambda seed: bytes(number & 0xFF for number in outputs("drand48", seed, 32)),
}


@pytest.mark.parametrize("way", WAYS)
def test_programs_draw_in_many_ways(way):
    seed, size = MORNING // 1_000_000_000 - 77, len(WAYS[way](1))
    key = WAYS[way](seed)
    data = cbc(picture(way), key)
    ref = FileRef(source="s", path=b"a.png", size=len(data), id=1)
    locked = Salvage(BytesReader(data), b"a.png")
    likely = [each for each in recipes("unix") if each.cipher.name == "aes-cbc" and each.cipher.iv]
    found = [
        hit
        for each in likely
        if each.cipher.key_size == size
        for hit in hits(each, Span(seed - 9, seed + 9), locked, ref)[0]
    ]
    assert (seed, key) in {(hit[0], hit[1]) for hit in found}


def password(seed, hashed):
    return hashlib.new(hashed, letters("msvc", seed, 20)).digest()


def pcg(seed):
    return bytes(number & 0xFF for number in outputs("pcg32", seed, 32))


IV = noise("stored iv", 16)
# Rare ways: generator, cipher, and how a file is locked at a second.
RARE = {
    "AES-192-CTR, IV in front": (
        "glibc",
        "aes-ctr",
        lambda plain, seed: IV + ctr(plain, words("glibc", seed, 24), IV),
    ),
    "AES-128-CFB, IV behind": (
        "msvc",
        "aes-cfb",
        lambda plain, seed: cfb(plain, words("msvc", seed, 16), IV) + IV,
    ),
    "AES-256-CBC, IV behind": (
        "borland-c",
        "aes-cbc",
        lambda plain, seed: cbc(plain, letters("borland-c", seed), IV) + IV,
    ),
    "ChaCha20, nonce in front": (
        "pcg32",
        "chacha",
        lambda plain, seed: IV[:12] + chacha(plain, pcg(seed), IV[:12]),
    ),
    "Salsa20, nonce behind": (
        "glibc",
        "salsa",
        lambda plain, seed: salsa(plain, words("glibc", seed, 32), IV[:8]) + IV[:8],
    ),
    "RC4 of a hash": ("msvc", "rc4", lambda plain, seed: ARC4.new(password(seed, "md5")).encrypt(plain)),
    "AES-256-ECB": (
        "pcg32",
        "aes-ecb",
        lambda plain, seed: AES.new(pcg(seed), AES.MODE_ECB).encrypt(pad(plain, 16)),
    ),
    "CBC of a hash": ("msvc", "aes-cbc", lambda plain, seed: IV + cbc(plain, password(seed, "sha256"), IV)),
    "Go's Read": ("go", "aes-cbc", lambda plain, seed: cbc(plain, sevens("go", seed, 32))),
    "high bytes": (
        "numerical-recipes",
        "aes-cbc",
        lambda plain, seed: cbc(plain, high("numerical-recipes", seed, 32)),
    ),
    "Python's randrange": ("mt19937-byte", "aes-ctr", lambda plain, seed: IV + ctr(plain, python(seed), IV)),
}


def python(seed):
    return bytes(map(random.Random(seed).randrange, [256] * 24))


def chacha(plain, key, nonce):
    return ChaCha20.new(key=key, nonce=nonce).encrypt(plain)


def salsa(plain, key, nonce):
    return Salsa20.new(key=key, nonce=nonce).encrypt(plain)


def ctr(plain, key, iv):
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(plain)


def cfb(plain, key, iv):
    return AES.new(key, AES.MODE_CFB, iv, segment_size=128).encrypt(pad(plain, 16))[: len(plain)]


def letters(name, seed, size=32):
    return bytes(LETTERS.encode()[number % 62] for number in outputs(name, seed, size))


def sevens(name, seed, size):
    return b"".join(number.to_bytes(8, "little")[:7] for number in outputs(name, seed, size // 7 + 1))[:size]


def high(name, seed, size):
    return bytes(number >> 24 for number in outputs(name, seed, size))


@pytest.mark.parametrize("way", RARE)
def test_rare_ways_are_among_those_that_are_tried(way):
    seed = MORNING // 1_000_000_000 - 500
    name, cipher, lock = RARE[way]
    data = lock(picture(way), seed)
    ref = FileRef(source="s", path=b"a.png", size=len(data), id=1)
    locked = Salvage(BytesReader(data), b"a.png")
    target = Target(family="", samples=(ref,), files=1, size=len(data))
    found = [
        record
        for number, each in enumerate(recipes("unix"))
        if (each.generator, each.cipher.name) == (name, cipher)
        for hit in hits(each, Span(seed - 1, seed + 1), locked, ref)[0]
        for record in proven("drawn", each, number, hit, locked, target, ref)
    ]
    assert any(isinstance(record, KeyFound) and record.bits >= 64 for record in found)
    described = next(record for record in found if isinstance(record, Described))
    secret = next(record for record in found if isinstance(record, Secret))
    family = family_of(described.description)
    mark = family.read(locked)
    opened = Assembly(locked, family.plan(locked, mark, family.unwrap(mark, secret.key)))
    assert b"".join(bytes(view) for view in opened) == picture(way)


def test_random_bytes_have_no_key():
    _, records = working(truncated, noise("noise", 5000), number=1)
    (searched,) = records
    assert isinstance(searched, Searched)
    assert clocks.SHARD // 2 < searched.candidates <= clocks.SHARD


def test_every_usual_way_is_drawn_as_it_is_defined():
    seeds = [1_795_000_000, MORNING // MILLION, MORNING, 77]
    lanes = np.zeros(512, np.uint64)
    lanes[: len(seeds)] = seeds
    for recipe in dict.fromkeys(each for clock in CLOCKS for each in recipes(clock)[::19]):
        keys, ivs = Batches(recipe).made(lanes)
        for lane, seed in enumerate(seeds):
            made = tuple(np.ascontiguousarray(rows[:, lane]).astype("<u4").tobytes() for rows in (keys, ivs))
            key, iv = material(recipe, seed)
            assert (made[0][: len(key)], made[1][: len(iv)]) == (key, iv), (recipe, seed)
