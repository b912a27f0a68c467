"""The key library: signed files, finding by what a key opens, and parts of keys."""

import contextlib
import secrets

import pytest
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from unransom.catalog.keylibrary import (
    Entry,
    Library,
    LibraryError,
    completions,
    decode,
    digest,
    encode,
    entries_in,
    entry_of,
    text_of,
)
from unransom.core.keys import Key, KeyKind
from unransom.crypto.der import sequence_of

SEED = bytes(range(32))
ENTRIES = (
    Entry(KeyKind.RAW, b"k" * 32, family="phobos", victim="ABC", source="a release"),
    Entry(KeyKind.RAW, b"m" * 32, family="phobos", wrapped=(digest(b"blob"),)),
    Entry(KeyKind.RAW, b"\x0a\x00", known=b"\xff\xf0", family="other"),
)


def test_a_file_comes_back_with_its_signer():
    file = encode(ENTRIES + ENTRIES, SEED)
    library = decode(file)
    assert library.entries == ENTRIES
    assert decode(file, [library.signer]) == library
    with pytest.raises(LibraryError, match="nobody who is trusted"):
        decode(file, ["00" * 32])
    assert encode(ENTRIES, SEED) == file


@given(st.data())
def test_changed_files_are_refused(data):
    file = bytearray(encode(ENTRIES, SEED))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    changed = bytes(file[: data.draw(st.integers(0, len(file)))])
    with contextlib.suppress(LibraryError):
        assert decode(changed).entries == ENTRIES  # the signer's name in capital letters is the same name


@given(st.binary(max_size=300))
def test_hostile_files_are_refused(data):
    for file in (data, b"unransom key library 1\n" + data):
        with pytest.raises(LibraryError):
            decode(file)


def test_the_surest_entry_is_tried_first():
    scalar = X25519PrivateKey.from_private_bytes(secrets.token_bytes(32))
    public = scalar.public_key().public_bytes_raw()
    own = entry_of(Key(KeyKind.RAW, scalar.private_bytes_raw(), "found"), family="proton")
    library = Library(ENTRIES).joined([own, ENTRIES[0]])
    assert len(library.entries) == 4
    found = library.find(public=public, wrapped=b"blob", victim="ABC", family="phobos")
    assert found == (own, ENTRIES[1], ENTRIES[0])
    assert library.find(public=b"other") == ()
    assert own.source == "found"


def test_an_rsa_key_is_found_by_its_modulus():
    made = RSA.generate(1024)
    entry = entry_of(Key(KeyKind.RSA, made.export_key("DER")), source="seized")
    assert Library((entry,)).find(public=made.n.to_bytes(128)) == (entry,)
    assert entry.key() == Key(KeyKind.RSA, made.export_key("DER"), "seized")


def test_missing_bits_are_enumerated_in_shards():
    part = ENTRIES[2]
    assert part.unknown_bits == 4
    assert part.key() is None
    keys = [key.data for key in completions(part)]
    assert sorted(keys) == [bytes((0x0A, low)) for low in range(16)]
    shards = [key.data for start in range(0, 16, 5) for key in completions(part, start, start + 5)]
    assert shards == keys
    assert [key.data for key in completions(ENTRIES[0])] == [b"k" * 32]
    with pytest.raises(ValueError, match="are missing"):
        next(completions(Entry(KeyKind.RAW, bytes(32), known=bytes(32))))


NUMBERS = (0, 33, 3, 7, 11, 3, 7, 1, 4)  # of RSA


@pytest.mark.parametrize(
    "entry",
    [
        Entry(KeyKind.RAW, b""),
        Entry(KeyKind.RAW, b"ab", known=bytes(32)),
        Entry(KeyKind.RAW, bytes(32), known=b"\xff" * 4),
        Entry(KeyKind.RSA, b"junk"),
        Entry(KeyKind.RSA, sequence_of((0,))),
        Entry(KeyKind.RSA, sequence_of((*NUMBERS[:5], 0, *NUMBERS[6:]))),
        Entry(KeyKind.RSA, sequence_of((0, 0, *NUMBERS[2:4], 0, 0, 0, 0, 0))),
        Entry(
            KeyKind.RSA,
            sequence_of(NUMBERS).replace(b"\x02\x01\x07\x02\x01\x0b", b"\x02\x01\xf7\x02\x01\x0b"),
        ),
        Entry(KeyKind.RSA, b"junk", known=b"\xff\xff\xff\xf0"),
        Entry(KeyKind.RSA_PUBLIC, b"junk"),
        Entry(KeyKind.RSA_PUBLIC, sequence_of((0, 0))),
        Entry(KeyKind.EC, b"junk"),
        Entry(KeyKind.PARTIAL, b"junk"),
    ],
)
def test_what_is_no_key_is_left_out_of_a_library_of_others(entry):
    sound = Entry(KeyKind.RSA, sequence_of(NUMBERS))
    assert entries_in(text_of((entry, sound))) == (sound,)
    assert decode(encode((entry, sound), bytes(32))).entries == (sound,)
