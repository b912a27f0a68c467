"""Weak generators against published outputs, and against the real thing where this machine has it."""

import ctypes
import pkgutil
import random
from importlib import import_module
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unransom.core.errors import UsageError
from unransom.crypto import generators
from unransom.crypto.generators import GENERATORS, generator, go, pcg32
from unransom.crypto.generators.vectors import VECTORS, computed

NAMES = [each.name for each in GENERATORS]
FAST = [name for name in NAMES if name != "yarrow256"]
SEEDS = (0, 1, 42, 161803398, 161803399, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


def outputs(name, seed, count, first=0):
    return list(islice(generator(name).outputs(seed), first, first + count))


def rows(name, seeds, count, first=0):
    """Return what the kernel gives, a list for each seed."""
    own = generator(name)
    room = own.empty(count, len(seeds))
    own.rows(first, count)(np.array(seeds, np.uint64), room)
    return room.T.tolist()


def test_the_tuple_and_the_folder_agree():
    modules = [
        import_module(f"{generators.__name__}.{m.name}") for m in pkgutil.iter_modules(generators.__path__)
    ]
    found = [module.GENERATOR for module in modules if hasattr(module, "GENERATOR")]
    assert sorted(found, key=lambda each: each.name) == sorted(GENERATORS, key=lambda each: each.name)
    assert len(set(NAMES)) == len(NAMES)


def test_every_generator_has_a_vector():
    assert {vector.generator for vector in VECTORS} == set(NAMES)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector.generator}-{vector.seed}")
def test_published_outputs(vector):
    assert computed(vector) == vector.outputs


@pytest.mark.parametrize("name", FAST)
def test_kernels_give_what_plain_python_gives(name):
    own = generator(name)
    drawn = random.Random(name)
    seeds = [seed % (1 << own.seed_bits) for seed in SEEDS]
    seeds += [drawn.getrandbits(own.seed_bits) for _ in range(200)]
    for first, count in ((0, 3), (5, 70)):
        assert rows(name, seeds, count, first) == [outputs(name, seed, count, first) for seed in seeds]


@pytest.mark.parametrize("name", ["dotnet", "glibc", "go", "mt19937", "mt19937-array", "xorshift128"])
def test_kernels_go_on_past_the_end_of_the_state(name):
    seeds = [3, 1 << 30, 4_000_000_000]
    assert rows(name, seeds, 700, 600) == [outputs(name, seed, 700, 600) for seed in seeds]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(FAST), st.integers(0, (1 << 64) - 1), st.integers(0, 400))
def test_kernels_take_any_seed(name, seed, first):
    seed %= 1 << generator(name).seed_bits
    assert rows(name, [seed], 2, first) == [outputs(name, seed, 2, first)]


def test_the_linear_form_of_dotnet_holds_where_sums_overflow():
    seeds = [161803398 + step for step in (*range(-3, 4), *range(1 << 20, 1 << 31, 9_999_991))]
    seeds = [seed for seed in seeds if seed < 1 << 31]
    assert rows("dotnet", seeds, 36) == [outputs("dotnet", seed, 36) for seed in seeds]


def test_yarrow():
    seeds = [7, 1_700_000_000_000_000_000, (1 << 64) - 1]
    assert rows("yarrow256", seeds, 5, 2) == [outputs("yarrow256", seed, 5, 2) for seed in seeds]


def test_yarrow_of_nettle():
    try:
        nettle = ctypes.CDLL("libnettle.so.8")
    except OSError:
        pytest.skip("Nettle is not installed")
    state, out = ctypes.create_string_buffer(8192), ctypes.create_string_buffer(40)
    text = b"1706800000987654321"
    nettle.nettle_yarrow256_init(state, 0, None)
    nettle.nettle_yarrow256_seed(state, ctypes.c_size_t(len(text)), text)
    nettle.nettle_yarrow256_random(state, ctypes.c_size_t(40), out)
    assert np.frombuffer(out.raw, "<u4").tolist() == outputs("yarrow256", int(text), 10)


@pytest.mark.parametrize("seed", [0, 1, 2024, 1_700_000_000, 4_294_967_295])
def test_the_c_library_of_this_machine(seed):
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        pytest.skip("the C library is not glibc")
    library.srand(ctypes.c_uint(seed))
    assert [library.rand() for _ in range(50)] == outputs("glibc", seed, 50)
    library.srand48(ctypes.c_long(seed - (seed >> 31 << 32)))
    library.lrand48.restype = ctypes.c_long
    assert [library.lrand48() for _ in range(50)] == outputs("drand48", seed, 50)
    small = ctypes.create_string_buffer(8)
    library.initstate.restype = ctypes.c_void_p
    before = library.initstate(ctypes.c_uint(seed), small, ctypes.c_size_t(8))
    assert [library.random() for _ in range(50)] == outputs("glibc-type0", seed, 50)
    library.setstate(ctypes.c_void_p(before))


@given(st.integers(0, (1 << 64) - 1))
def test_python(seed):
    own = random.Random(seed)
    assert [own.getrandbits(32) for _ in range(3)] == outputs("mt19937-array", seed, 3)


@pytest.mark.parametrize("seed", [0, 5489, 123456789])
def test_numpy(seed):
    words = np.frombuffer(np.random.RandomState(seed).bytes(4 * 700), "<u4")
    assert words.tolist() == outputs("mt19937", seed, 700)


def test_go_of_its_tutorials():
    def draw(seed, count):
        return [(number >> 32 & 0x7FFFFFFF) % 100 for number in outputs("go", seed, count)]

    assert draw(1, 10) == [81, 87, 47, 59, 81, 18, 25, 40, 56, 0]
    assert draw(42, 2) == [5, 87]
    signed = [number - (number >> 63 << 64) for number in go.table()[:3]]
    assert signed == [-4181792142133755926, -4576982950128230565, 1395769623340756751]


def test_pcg_of_its_demonstration():
    expected = [0xA15C02B7, 0x7B47F409, 0xBA1D3330, 0x83D2F293, 0xBFA4784B, 0xCBED606E]
    assert list(islice(pcg32.outputs(42, 54 << 1 | 1), 6)) == expected


def test_php():
    assert [number >> 1 for number in outputs("mt19937", 1, 2)] == [895547922, 2141438069]
    assert [number >> 1 for number in outputs("mt19937-php5", 1, 3)] == [1244335972, 15217923, 1546885062]


def test_an_unknown_name_is_a_mistake_of_the_caller():
    with pytest.raises(UsageError):
        generator("dice")
