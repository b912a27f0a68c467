"""The example in the guide on describing a locker is a family, and its mistake is told as the guide says."""

import hashlib
import re
import struct
from pathlib import Path

import pytest
from Cryptodome.Cipher import ChaCha20
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.lockers import content, drawn
from unransom.catalog.schemes.assemble import assemble_in_memory
from unransom.catalog.schemes.described import encoded, family_of
from unransom.catalog.schemes.description_text import DescriptionError, read_description
from unransom.core.keys import Key, KeyKind
from unransom.core.streams import BytesReader, Salvage

GUIDE = Path("docs/guides/describe-a-locker.md").read_text()
EXAMPLE = re.search(r"```toml\n(.*?)```", GUIDE, re.S)[1]
MIB = 1 << 20


def seal(plain, private):
    """Lock as the guide says that Harbour does."""
    own = X25519PrivateKey.from_private_bytes(drawn("harbour file", 32))
    secret = own.exchange(X25519PrivateKey.from_private_bytes(private).public_key())
    derived = hashlib.sha512(secret).digest()
    cipher, locked = ChaCha20.new(key=derived[:32], nonce=derived[32:44]), bytearray(plain)
    on = len(plain) if len(plain) <= MIB else MIB // 16
    for start in range(0, len(plain), MIB):
        locked[start : start + on] = cipher.encrypt(plain[start : start + on])
    return bytes(locked) + own.public_key().public_bytes_raw() + struct.pack("<Q", len(plain)) + b"HARBR"


@pytest.mark.parametrize("size", [5000, 2 * MIB + 77_777])
def test_the_example_opens_what_it_describes(size):
    family = family_of(encoded(read_description(EXAMPLE.encode(), "harbour.toml")))
    plain, private = content("guide", size), drawn("harbour", 32)
    locked = Salvage(BytesReader(seal(plain, private)))
    mark = family.read(locked)
    assert mark.bits >= 64
    plan = family.plan(locked, mark, family.unwrap(mark, Key(KeyKind.RAW, private)))
    assert assemble_in_memory(locked, plan, 4 * MIB) == plain


def test_the_mistake_is_told_as_the_guide_says():
    with pytest.raises(DescriptionError) as caught:
        read_description(EXAMPLE.replace('"chacha"', '"chacha20"').encode(), "harbour.toml")
    assert f"error: {caught.value.what}\n" in GUIDE
    told = re.search(r"^  - (there is no such value here; .*), \.\.\.$", GUIDE, re.M)[1]
    assert str(caught.value.causes[0]).startswith(told)
