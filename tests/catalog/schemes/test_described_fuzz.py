"""Mutated descriptions: a family, or an error that names a line; and the family fails in no odd way."""

import functools
import importlib
import re
import tomllib
import typing
from itertools import islice
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.soak import LONGER
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.ciphers import Kind
from unransom.catalog.schemes.described import Description, encoded, family_of
from unransom.catalog.schemes.description_text import DescriptionError, read_description, written
from unransom.catalog.schemes.family import BadMarkError
from unransom.core.streams import BytesReader, Salvage
from unransom.crypto.keyfiles import read_keys

TEXTS = {path.stem: path.read_bytes() for path in sorted(Path("tests/vectors/described").glob("*.toml"))}
FAMILY_VECTORS = Path("tests/vectors/families")
MOST_PIECES = 2000
ODD = [
    b"",
    b"\n",
    b"\\",
    b"\xff",
    b"\0",
    b'"""',
    b'""',
    *b"0 -1 99999999999999999999 \" ' [ ] { } = # .".split(),
]
ODD += b'1.5 nan true 1979-05-27 "key" [[ type'.split()
KINDS = """whole first last repeat share spread listed one-stream each-span behind by-number aes-ctr aes-cbc
aes-ecb aes-cfb aes-gcm chacha chacha-poly1305 salsa salsa-state petya-salsa sosemanuk hc-128 rc4 kcipher-2
xor same position next-block next-iv raw hex base64 digits big rsa x25519 run-key sealed-box"""

quick = settings(max_examples=40 * LONGER, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@functools.cache
def words():
    """Return every word of every description: mutations that swap them stay close to what is right."""
    found = sorted({word for text in TEXTS.values() for word in text.split()})
    return [*found, *(f'"{kind}"{end}'.encode() for kind in KINDS.split() for end in ("", ","))]


@functools.cache
def sample(stem):
    """Return the smallest locked file that the description is for, and its keys."""
    twin, _, some = stem.partition("__")
    paths = [path for path in (FAMILY_VECTORS / twin).glob("*.toml") if not some or path.stem in some]
    vectors = sorted((tomllib.loads(path.read_text()) for path in paths), key=lambda one: one["size"])
    made = importlib.import_module(f"tests.lockers.{twin}").make(next(one for one in vectors if one["size"]))
    return made.locked, read_keys(made.key_file, "test")


@given(
    stem=st.sampled_from(sorted(TEXTS)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.data()), min_size=1, max_size=3),
)
@quick
def test_mutated_bytes(stem, edits):
    data = TEXTS[stem]
    for at, length, draw in edits:
        new = draw.draw(st.sampled_from(ODD) | st.sampled_from(words()) | st.binary(max_size=3))
        start = int(at * len(data))
        data = data[:start] + new + data[start + length :]
    tried(stem, data)


@given(stem=st.sampled_from(sorted(TEXTS)), draw=st.data())
@quick
def test_swapped_words(stem, draw):
    data = TEXTS[stem]
    for _ in range(draw.draw(st.integers(1, 2))):
        old = draw.draw(st.sampled_from(sorted(set(data.split()))))
        new = draw.draw(st.sampled_from(words()) | st.sampled_from(ODD))
        data = data.replace(old, new, draw.draw(st.integers(1, 2)))
    tried(stem, data)


@given(stem=st.sampled_from(sorted(TEXTS)), draw=st.data())
@quick
def test_other_numbers(stem, draw):
    data = TEXTS[stem]
    numbers = [word for word in data.translate(bytes.maketrans(b",[]", b"   ")).split() if word[:1].isdigit()]
    value = draw.draw(st.sampled_from([0, 1, 2, 7, 8, 15, 16, 24, 31, 64, 2**31, 2**63 - 1]))
    if numbers:
        tried(stem, data.replace(draw.draw(st.sampled_from(numbers)), str(value).encode(), 1))


@given(stem=st.sampled_from(sorted(TEXTS)), kind=st.sampled_from(typing.get_args(Kind)))
@quick
def test_other_ciphers(stem, kind):
    tried(stem, re.sub(rb'kind = "[a-z0-9-]+"', f'kind = "{kind}"'.encode(), TEXTS[stem], count=1))


def tried(stem, data):
    try:
        description = read_description(data, "mutated.toml")
    except DescriptionError as error:
        place, line, _ = str(error.what).split(":", 2)
        assert place == "mutated.toml"
        assert 1 <= int(line) <= data.count(b"\n") + 1
        return
    assert msgspec.json.decode(msgspec.json.encode(description), type=Description) == description
    assert read_description(written(description).encode(), "again") == description
    family = family_of(encoded(description))
    locked, keys = sample(stem)
    for content in (b"", bytes(100), locked):
        reader = Salvage(BytesReader(content), b"shop.sql.harbour")
        mark = family.read(reader)
        assert mark is None or 0 <= mark.bits <= 8 * len(content)
        for key in keys if mark else ():
            file_key = family.unwrap(mark, key) if key.kind in family.takes else None
            if file_key:
                consumed(family, reader, mark, file_key)


def consumed(family, reader, mark, file_key):
    try:
        plan = family.plan(reader, mark, file_key)
        assert 0 <= plan.size <= reader.size
        assert all(True for _ in islice(plan.pieces, MOST_PIECES))
        plan = family.plan(reader, mark, file_key)
        for _ in islice(Assembly(reader, plan), 2):
            pass
        if plan.check:
            plan.check()
    except BadMarkError:
        pass
