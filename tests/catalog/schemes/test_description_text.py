"""Errors in descriptions: each names the line and what is allowed; nothing else ever comes out."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from unransom.catalog.families import FAMILIES
from unransom.catalog.schemes.data import parts_of
from unransom.catalog.schemes.described import encoded
from unransom.catalog.schemes.description_schema import schema
from unransom.catalog.schemes.description_text import DescriptionError, read_description
from unransom.core.errors import UsageError

FOLDER = Path("tests/vectors/described")
TEXTS = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.toml"))}
HARBOUR = b"""\
# A locker that nobody knows.
name = "harbour"
title = "Harbour"
extensions = ['\\.harbour']

[original]
size = "size"

[tail]
wrapped = "public"
parts = [
    { type = "field", name = "public", size = 32 },
    { type = "number", name = "size", size = 8 },
    { type = "number", name = "mode", size = 1, values = [1, 2] },
    # The word at the end.
    { type = "magic", value = "68617262" },
    { type = "sum" },
]

[wrap]
type = "x25519"
public = "public"
derive = "sha512"

[wrap.parts]
key = [0, 32]
iv = [32, 48]

[plan]
type = "one-stream"
cipher = { kind = "aes-ctr" }

[plan.extents]
type = "by-number"
number = "mode"
cases.1 = { type = "whole" }

[plan.extents.cases.2]
type = "by-size"
above = { type = "repeat", on = 1048576, off = 9437184 }
[[plan.extents.cases.2.steps]]
largest = 10
extents = { type = "whole" }
[[plan.extents.cases.2.steps]]
largest = 20
extents = { type = "first", percent = 50 }
"""


def refused(text, taken=()):
    with pytest.raises(DescriptionError) as caught:
        read_description(text, "harbour.toml", taken)
    return caught.value


def test_the_example_is_right():
    assert read_description(HARBOUR, "harbour.toml").name == "harbour"


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "why"),
    [
        # Structure: what is missing, too much or of another kind.
        (b"size = 32", b"siez = 32", 12, "tail.parts[0].siez", "type, name, size, encoding, random"),
        (b", size = 32", b"", 12, "tail.parts[0]", "the key size is missing"),
        (b"size = 32", b'size = "32"', 12, "tail.parts[0].size", "expected `int`, got `str`"),
        (b"size = 32", b"size = 0", 12, "tail.parts[0].size", ">= 1"),
        (b"size = 32", b"size = 32000000", 12, "tail.parts[0].size", "<= 1048576"),
        (b"size = 32", b"size = 1979-05-27", 12, "tail.parts[0].size", "expected `int`"),
        (b'"68617262"', b'"harb"', 16, "tail.parts[3].value", "hexadecimal|regex"),
        (b'"68617262"', b'"686172620"', 16, "tail.parts[3].value", "regex"),
        (b'"sum"', b'"crc"', 17, "tail.parts[4].type", "field, number, magic, sum"),
        (b'"x25519"\n', b'"x448"\n', 21, "wrap.type", "x25519, agreed-box, key-box"),
        (b'"sha512"', b'"sha384"', 23, "wrap.derive", "sha256-twice"),
        (b"iv = [32, 48]", b"iv = [32]", 27, "wrap.parts.iv", "length 2"),
        (b"iv = [32, 48]", b'iv = [32, "48"]', 27, "wrap.parts.iv[1]", "expected `int`"),
        (b'"aes-ctr"', b'"aes"', 31, "plan.cipher.kind", "aes-cbc, aes-cfb, aes-cfb8, aes-ctr"),
        (b"cases.1 =", b"cases.one =", 36, "plan.extents.cases", "expected `int`"),
        (b"on = 1048576", b"on = 0", 40, "plan.extents.cases.2.above.on", ">= 1"),
        (b"largest = 20", b"", 44, "plan.extents.cases.2.steps[1]", "the key largest is missing"),
        (b"percent = 50", b"percent = 101", 46, "plan.extents.cases.2.steps[1].extents.percent", "<= 100"),
        (b"[plan]\n", b"[paln]\n", 29, "paln", "name, title, extensions"),
        (b'"harbour"\n', b'"Harbour"\n', 2, "name", "regex"),
        # Meaning: names that nothing has, and what no scheme can be.
        (b'wrapped = "public"', b'wrapped = "pubic"', 10, "tail.wrapped", "no field called pubic"),
        (b'\npublic = "public"', b'\npublic = "key"', 22, "wrap.public", "no field called key"),
        (b'"aes-ctr"', b'"aes-ctr", iv = "nonce"', 31, "plan.cipher.iv", "is called nonce"),
        (b'number = "mode"', b'number = "made"', 35, "plan.extents.number", "is called made"),
        (b"off = 9437184", b'off = "gap"', 40, "plan.extents.cases.2.above.off", "is called gap"),
        (b'size = "size"', b'size = "length"', 7, "original.size", "is called length"),
        (b'name = "mode"', b'name = "size"', 14, "tail.parts[2].name", "two parts are called size"),
        (b'name = "size", size = 8', b'name = "size", size = 9', 13, "tail.parts[1].size", "8 bytes"),
        (b'"68617262"', b'""', 16, "tail.parts[3].value", "at least one byte"),
        (b'"sum" }', b'"sum", of = "mode" }', 17, "tail.parts[4].of", "no field called mode before"),
        (b"iv = [32, 48]", b"iv = [48, 48]", 27, "wrap.parts.iv", "ends behind its beginning"),
        (b"iv = [32, 48]", b"iv = [32, 65]", 27, "wrap.parts.iv", "behind the 64 bytes"),
        (b"largest = 20", b"largest = 10", 45, "plan.extents.cases.2.steps[1].largest", "more than the one"),
        (b"'\\.harbour'", b"'\\.(harbour'", 4, "extensions[0]", "regular expression"),
        (b'title = "Harbour"', b'key = ""\ntitle = "X"\nnotes = ["+"]', 5, "notes[0]", "regular expression"),
        (b'"one-stream"', b'"one-stream"\ntag = "public"', 31, "plan.tag", "aes-ctr has no tag"),
        (b'"one-stream"', b'"one-stream"\npadded = true', 31, "plan.padded", "only aes-cbc"),
    ],
)
def test_an_error_names_the_line_and_what_is_allowed(old, new, line, key, why):
    assert HARBOUR.count(old) >= 1
    error = refused(HARBOUR.replace(old, new, 1))
    assert str(error.what) == f"harbour.toml:{line}: {key} is wrong"
    assert any(each in str(error.causes[0]) for each in why.split("|"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'name = "harbour"\ntitle = \n', 2),
        (b'name = "harbour"\n[tail\n', 2),
        (b'name = "a"\nname = "b"\n', 2),
        (b"name = [\n\n1,\n", 3),
        (b'name = "harbour"\ntitle = "\xff"\n', 2),
        (b"#" * 300_000, 1),
        (b"x = " + b"[" * 20_000, 1),
    ],
)
def test_what_is_no_toml_is_refused_with_the_line(text, line):
    assert str(refused(text).what) == f"harbour.toml:{line}: the description of a family is wrong"


def test_lines_count_with_either_ending():
    error = refused(HARBOUR.replace(b"size = 32", b"size = 0").replace(b"\n", b"\r\n"))
    assert str(error.what).startswith("harbour.toml:12: ")


def test_a_missing_section_is_blamed_on_the_first_line():
    error = refused(b'title = "x"\nname = "harbour"\n')
    assert str(error.what) == "harbour.toml:1: the description of a family is wrong"
    assert "wrap" in str(error.causes[0])


def test_the_name_of_a_built_in_family_is_taken():
    error = refused(HARBOUR, {"harbour"})
    assert str(error.what) == "harbour.toml:2: name is wrong"


def test_errors_are_usage_errors_with_a_hint():
    error = refused(b"")
    assert isinstance(error, UsageError)
    assert error.exit_code == 2
    assert "--schema" in str(error.hint)


def test_a_key_does_not_travel():
    description = read_description(b'key = "' + b"ab" * 32 + b'"\n' + HARBOUR, "harbour.toml")
    assert b"abab" not in encoded(description)
    assert bytes.fromhex("ab" * 32) in {key.data for key in description.own_keys()}


def test_the_schema_takes_what_the_program_takes():
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    for text in (*TEXTS.values(), HARBOUR):
        validator.validate(json.loads(json.dumps(tomllib.loads(text.decode()))))
    wrong = tomllib.loads(HARBOUR.replace(b"size = 32", b"siez = 32").decode())
    assert not validator.is_valid(wrong)


def test_the_schema_explains_every_key():
    for name, part in schema()["$defs"].items():
        assert part["description"], name
        keys = {key: each for key, each in part["properties"].items() if key != "type"}
        silent = {key for key, each in keys.items() if not each.get("description")}
        assert len(keys) == 1 or all(f"`{key}`" in part["description"] for key in silent), name


def test_built_in_families_have_no_faults():
    """What they are put together from is held to the same rules as what is written in the field."""
    parts = [
        part
        for family in FAMILIES
        for piece in (family.read, family.unwrap, family.plan)
        for _, part in parts_of(piece)
    ]
    assert len(parts) > 20
    assert [list(part.faults()) for part in parts if list(part.faults())] == []
