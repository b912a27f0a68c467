"""Hostile metadata in every family: nothing but ``BadMarkError`` comes out, in bounded time and memory."""

import functools
import importlib
import tomllib
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.soak import LONGER
from unransom.catalog.families import FAMILIES
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.description_text import read_description
from unransom.catalog.schemes.family import BadMarkError, Insert, Lost
from unransom.core.paths import safe_name
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.keyfiles import read_keys

VECTORS = Path("tests/vectors/families")
DESCRIBED = {path.stem: path for path in sorted(Path("tests/vectors/described").glob("*.toml"))}
NAMING = sorted(  # that keep the original's name
    {path.parent.name for path in VECTORS.glob("*/*.toml") if "name" in tomllib.loads(path.read_text())}
)
HOSTILE = ("..\\..\\x.png", "../../../tmp/x", "/etc/passwd", "C:\\x", "..", "CON", "a/\0b", "x" * 200)
NAMES = [each.name for each in FAMILIES] + [f"described {stem}" for stem in DESCRIBED]
ENDS = 2048  # bytes at head and tail where metadata is
WORKED_OUT = {"way", "padding"}  # parts that a family puts there itself, from nobody's metadata
MOST_PIECES = 2000
MOST_VIEWS = 2

quick = settings(
    max_examples=25 * LONGER,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@functools.cache
def family(name):
    """Return the built-in family, or the described one whose name begins with that word."""
    if name.startswith("described "):
        path = DESCRIBED[name.removeprefix("described ")]
        return read_description(path.read_bytes(), str(path)).family()
    return next(each for each in FAMILIES if each.name == name)


@functools.cache
def made(name):
    """Return the smallest vector of a family, or of its twin, that has content and opens, and its keys."""
    twin = name.removeprefix("described ").partition("__")[0]
    vectors = [tomllib.loads(path.read_text()) for path in (VECTORS / twin).glob("*.toml")]
    for vector in sorted(vectors, key=lambda one: one.get("size", 0) or 1 << 40):
        _, locked, key_file, file_name = importlib.import_module(f"tests.lockers.{twin}").make(vector)
        keys = [key for key in read_keys(key_file, "test") if key.kind in family(name).takes]
        if tried(name, locked, keys, file_name):
            return locked, keys, file_name
    pytest.fail(f"no vector of {name} opens")


def tried(name, locked, keys, file_name, change=lambda parts: parts):
    """Open ``locked`` with each of ``keys``, its unwrapped parts changed; return how many fitted."""
    reader = Salvage(BytesReader(locked), file_name)
    mark = family(name).read(reader)
    if mark is None:
        return 0
    assert mark.bits >= 0
    assert mark.plain_size is None or 0 <= mark.plain_size <= len(locked)
    found = [file_key for key in keys if (file_key := family(name).unwrap(mark, key))]
    for file_key in found:
        consumed(name, reader, mark, msgspec.structs.replace(file_key, parts=change(file_key.parts)))
    return len(found)


def consumed(name, reader, mark, file_key):
    """Put the original together as far as a few buffers and pieces go."""
    try:
        plan = family(name).plan(reader, mark, file_key)
        assert 0 <= plan.size <= reader.size
        assert plan.name is None or is_one_part(safe_name(plan.name))
        for piece in islice(plan.pieces, MOST_PIECES):
            assert isinstance(piece, Insert) or piece.length >= 0
            assert isinstance(piece, Insert | Lost) or piece.offset >= 0
        plan = family(name).plan(reader, mark, file_key)
        for _ in islice(Assembly(reader, plan), MOST_VIEWS):
            pass
        if plan.check:
            plan.check()
    except BadMarkError:
        pass


def is_one_part(name):
    """Return whether an output called like this stays in its folder."""
    return b"/" not in name and name not in {b"", b".", b".."}


values = st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255)
changes = st.lists(st.tuples(st.booleans(), st.integers(0, ENDS - 1), values), max_size=6)


def mutated(locked, edits, cut, added):
    """Return ``locked`` with bytes at its ends changed, its end cut off, and bytes added."""
    data = bytearray(locked[: len(locked) - cut])
    for at_tail, distance, value in edits:
        if distance < len(data):
            data[-1 - distance if at_tail else distance] = value
    return bytes(data) + added


@pytest.mark.parametrize("name", NAMES)
def test_mutated_locked_files(name):
    locked, keys, file_name = made(name)  # before the clock of the examples runs

    @given(edits=changes, cut=st.just(0) | st.integers(0, ENDS), added=st.just(b"") | st.binary(max_size=64))
    @quick
    def each(edits, cut, added):
        tried(name, mutated(locked, edits, min(cut, len(locked)), added), keys, file_name)

    each()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_numbers_in_clear(name):
    """Every number that the mark has of the file, a size or a count, as hostile as it can be."""
    locked, keys, file_name = made(name)
    for at, width in sorted(set(numbers_in(name, locked, file_name))):
        room = 1 << 8 * width
        value = int.from_bytes(locked[at : at + width], "little")
        close = (value - 17, value - 1, value + 1, value + 15, value + 17, value * 2, len(locked) + 1)
        for hostile in {
            0,
            1,
            room // 2 - 1,
            room // 2,
            room - 17,
            room - 1,
            *(each % room for each in close),
        }:
            edited = locked[:at] + hostile.to_bytes(width, "little") + locked[at + width :]
            tried(name, edited, keys, file_name)
    for digits in {b"%d" % number for number in numbers_of(name, locked, file_name) if number > 99}:
        for hostile in (b"0", b"9"):
            tried(name, locked.replace(digits, hostile * len(digits)), keys, file_name)


def numbers_of(name, locked, file_name):
    """Return the numbers of the mark, the original's size among them."""
    mark = family(name).read(Salvage(BytesReader(locked), file_name))
    return {*mark.numbers.values(), *(() if mark.plain_size is None else (mark.plain_size,))}


def numbers_in(name, locked, file_name):
    """Yield where numbers of the mark stand at the ends of a file, and of how many bytes they are."""
    for number in numbers_of(name, locked, file_name):
        for width in (8, 4, 2) if number else ():
            data = number.to_bytes(8, "little")[:width]
            places = locked.find(data, 0, ENDS), locked.rfind(data, max(len(locked) - ENDS, 0))
            if int.from_bytes(data, "little") == number and max(places) >= 0:
                yield from ((at, width) for at in places if at >= 0)
                break


@pytest.mark.parametrize("name", NAMES)
def test_mutated_contents_of_the_wrap(name):
    """A hostile locker can wrap whatever numbers it likes."""
    locked, keys, file_name = made(name)

    @given(data=st.data())
    @quick
    def each(data):
        tried(name, locked, keys, file_name, lambda parts: altered(parts, data.draw))

    each()


def altered(parts, draw):
    """Return the parts of a key with one of them changed: all of it, or eight bytes of a long one."""
    which = draw(st.sampled_from(sorted(set(parts) - WORKED_OUT)))
    size = len(parts[which])
    length = min(size, 8) if size > 32 else size
    start = draw(st.integers(0, size - length))
    value = draw(
        st.binary(min_size=length, max_size=length) | st.sampled_from([bytes(length), b"\xff" * length])
    )
    edited = parts[which][:start] + value + parts[which][start + length :]
    return {**parts, which: edited}


@given(
    head=st.binary(max_size=200),
    filler=st.integers(0, 4000),
    tail=st.binary(max_size=2000),
    name=st.binary(max_size=100),
)
@quick
def test_random_files(head, filler, tail, name):
    data = head + bytes(filler) + tail
    for each in FAMILIES:
        mark = each.read(Salvage(BytesReader(data), name))
        assert mark is None or mark.bits < 64


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", NAMING)
def test_names_in_metadata_stay_in_their_folder(name, hostile):
    vectors = [tomllib.loads(path.read_text()) for path in (VECTORS / name).glob("*.toml")]
    vector = min((one for one in vectors if one.get("name")), key=lambda one: one["size"])
    made_file = importlib.import_module(f"tests.lockers.{name}").make(vector | {"name": hostile})
    keys = [key for key in read_keys(made_file.key_file, "test") if key.kind in family(name).takes]
    tried(name, made_file.locked, keys, made_file.name)
