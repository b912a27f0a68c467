"""Zips under a password, as bills come by mail: opened with it, and told clearly without."""

import base64
import random

import pytest

from tests.catalog.channels.test_hostile_exports import read, zipped
from unransom.catalog.exports.channel import Export
from unransom.catalog.exports.containers import is_locked
from unransom.core.streams import BytesReader
from unransom.verify.orders.reading import Unread

# The same export of two orders, by 7-Zip 23.01 (-mem=AES256; -mm=Copy -mem=AES192) and Info-ZIP 3.0 (-P).
AES256 = base64.b64decode(
    "UEsDBDMAAQBjAP17dl0AAAAAhAAAAIwAAAAFAAsAYS5jc3YBmQcAAgBBRQMIAJMTHMZvGHHDGU1zaeHie5AJkW9PsTRfMw7I"
    "OBu6kWohQs1vGsfS/cXL2chNGQASLQVEUDEtp2WzgBl8pWnC4LAfOicdAhJtNVR6OoFzP++v6vVX2wgFxawFaVqsTnKQag9E"
    "P9Apg6CXbpylBMV1ZIBrgcG4z/93NTSsqP1FKlY12pVAhFBLAQI/AzMAAQBjAP17dl0AAAAAhAAAAIwAAAAFAC8AAAAAAAAA"
    "IICkgQAAAABhLmNzdgoAIAAAAAAAAQAYAETtYZuWet0BAAAAAAAAAAAAAAAAAAAAAAGZBwACAEFFAwgAUEsFBgAAAAABAAEA"
    "YgAAALIAAAAAAA=="
)
AES192_STORED = base64.b64decode(
    "UEsDBDMAAQBjAP17dl0AAAAApAAAAIwAAAAFAAsAYS5jc3YBmQcAAgBBRQIAAExF5tWhSDB6UjpJQQaFqcYxq5X42OMyaXJP"
    "FZC3aIq0mDLJgYuUTBfnlyacrhTwo+HMVHvL07g6550O6lwV/MmcbD3v1FRclhaZX1A1DNFnokDmVw9Y5JAkXo7xGiYPAoyX"
    "9HLa+hR76NAs+6ses7Pnt1clpb87A6BF4ZXXNHJD99dKFRDrym/fUrbgxAM5OoFUMfkJuEBt/UfGkWI4cFWWtE8jUEsBAj8D"
    "MwABAGMA/Xt2XQAAAACkAAAAjAAAAAUALwAAAAAAAAAggKSBAAAAAGEuY3N2CgAgAAAAAAABABgARO1hm5Z63QEAAAAAAAAA"
    "AAAAAAAAAAAAAZkHAAIAQUUCAABQSwUGAAAAAAEAAQBiAAAA0gAAAAAA"
)
OLD = base64.b64decode(
    "UEsDBBQACQAIAPx7dl29VfvMdAAAAIwAAAAFAAAAYS5jc3ZBoHKPVBFAf4n9ahMNCaVefJdT66Nmk4RuuDnKmDp31BysOj9+"
    "7WVo/6OA2GAq4Jr+VZzpkBF6y5hyB4VgYkcB/MlktPLh+xoq24c7jlWP3fPX9meM4RHcx2tzXASMPivDvSJQnVITxVoPuQuI"
    "ls7q6W9JjlBLBwi9VfvMdAAAAIwAAABQSwECHgMUAAkACAD8e3ZdvVX7zHQAAACMAAAABQAAAAAAAAABAAAApIEAAAAAYS5j"
    "c3ZQSwUGAAAAAAEAAQAzAAAApwAAAAAA"
)
LOCKED = {"aes256": AES256, "aes192-stored": AES192_STORED, "old": OLD}
locked_zips = pytest.mark.parametrize("data", LOCKED.values(), ids=LOCKED)


@locked_zips
def test_a_locked_zip_is_opened_with_its_password(data):
    export = read(data, password="geheim")
    assert export.sales["order_id"].to_pylist() == ["A1", "A2"]
    assert is_locked(BytesReader(data))


@locked_zips
def test_without_the_password_or_with_another_it_is_told(data):
    assert "locked with a password" in str(read(data).why)
    assert "UNRANSOM_ZIP_PASSWORD" in str(read(data).hint)
    for wrong in ("falsch", "密码"):
        assert "password does not open it" in str(read(data, password=wrong).why)


def test_a_zip_without_a_lock_needs_none():
    data = zipped(**{"a.csv": b"hello"})
    assert not is_locked(BytesReader(data))
    assert not is_locked(BytesReader(data[:-30]))
    assert not is_locked(BytesReader(b"hello"))


@locked_zips
def test_a_damaged_locked_zip_never_crashes_and_never_gives_other_rows(data):
    chance = random.Random(7)
    for _ in range(120):
        damaged = bytearray(data[: chance.randrange(len(data))] if chance.random() < 0.3 else data)
        for _ in range(chance.randrange(1, 4)):
            if damaged:
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            result = read(bytes(damaged), password="geheim")
        except ValueError:  # nothing was left of the zip: it holds no export
            continue
        if isinstance(result, Export):
            assert result.sales["order_id"].to_pylist() == ["A1", "A2"]
        else:
            assert isinstance(result, Unread)
