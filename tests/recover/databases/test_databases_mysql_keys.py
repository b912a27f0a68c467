"""Tables that MySQL encrypted: sealed here as MySQL 9.7 does it, with keyrings of both kinds."""

import json
import random
import struct
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.databases.innodb.made_tablespace import CREATE, ON_PAGE, SIZE, tablespace
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE, mysql_encryption
from unransom.catalog.formats._innodb_checksums import crc32c
from unransom.core.errors import UsageError
from unransom.core.streams import BytesReader
from unransom.recover.databases import keyfile

COUNT = 900
SERVER = b"6f1d5c9e-1111-2222-3333-444455556666"
NAME = f"INNODBKey-{SERVER.decode()}-7"
MASTER, OWN = (random.Random(seed).randbytes(size) for seed, size in ((1, 32), (2, 64)))
INFO_AT = 10390  # in page 0 of 16 KiB
RTREE = 17854  # type of pages of spatial indexes


def encrypted(mode, key, data):
    stream = Cipher(algorithms.AES(key), mode).encryptor()
    return stream.update(data) + stream.finalize()


def sealed(data, packed=()):
    """Return a tablespace as MySQL writes it with ENCRYPTION='Y'; pages ``packed`` also with COMPRESSION."""
    out = bytearray(data)
    info = b"lCC" + struct.pack(">I", 7) + SERVER + encrypted(modes.ECB(), MASTER, OWN)
    out[INFO_AT : INFO_AT + 111] = info + struct.pack(">I", crc32c(OWN))
    for at in range(SIZE, len(out), SIZE):
        page = out[at : at + SIZE]
        if not any(page):
            continue
        body, was = bytes(page[38:]), page[24:26]
        if at // SIZE in packed:
            body = zlib.compress(body)
            page[24:34] = struct.pack(">HBB2sHH", 16, 2, 1, was, SIZE - 38, len(body))
        elif int.from_bytes(was) == RTREE:
            page[24:26] = (17).to_bytes(2, "big")
        else:
            page[24:30] = (15).to_bytes(2, "big") + bytes(2) + was
        whole = len(body) // 16 * 16
        body = encrypted(modes.CBC(OWN[32:48]), OWN[:32], body[:whole]) + body[whole:]
        if whole < len(body):
            body = body[:-32] + encrypted(modes.CBC(OWN[32:48]), OWN[:32], body[-32:])
        out[at : at + SIZE] = (page[:38] + body).ljust(SIZE, b"\0")
    return bytes(out)


def opened(keys, *files):
    sources = [Source("made.ibd", BytesReader(data)) for data in files]
    return ENGINE.open(sources, Hints(sql=(CREATE,), keys=keys))[0]


def count(database):
    return sum(each.batch.num_rows for table in database.tables for each in database.rows(table))


PLAIN = tablespace(COUNT, full_crc32=False)


def test_with_the_master_key_every_row_is_read():
    assert b"infimum" not in sealed(PLAIN)[3 * SIZE :]
    assert count(opened({NAME: MASTER}, sealed(PLAIN))) == COUNT


def test_pages_that_were_compressed_first_and_of_spatial_indexes_are_read():
    assert count(opened({NAME: MASTER}, sealed(PLAIN, packed=range(4, 10)))) == COUNT
    spatial = PLAIN[:24] + RTREE.to_bytes(2) + PLAIN[26:SIZE]
    found = mysql_encryption.sealed(BytesReader(sealed(PLAIN)))
    reader = BytesReader(sealed(PLAIN)[:SIZE] + sealed(PLAIN[:SIZE] + spatial)[SIZE:])
    made = mysql_encryption.opened(reader, found, {NAME: MASTER})
    assert made.read_at(SIZE, SIZE) == spatial


def test_damage_costs_only_the_pages_that_it_hit():
    data = bytearray(sealed(PLAIN))
    data[6 * SIZE + 100 : 6 * SIZE + 4000] = random.Random(3).randbytes(3900)
    assert COUNT - ON_PAGE <= count(opened({NAME: MASTER}, bytes(data))) < COUNT
    data[:SIZE] = bytes(SIZE)  # page 0 with the key comes from an old copy
    assert count(opened({NAME: MASTER}, bytes(data), sealed(PLAIN)[: 4 * SIZE])) >= COUNT - ON_PAGE


@pytest.mark.parametrize("keys", [{}, {NAME: bytes(32)}, {NAME: b"short"}, {"INNODBKey-other-7": MASTER}])
def test_without_the_right_key_it_says_so(keys):
    database = opened(keys, sealed(PLAIN))
    assert not database.tables
    assert "--key" in str(database.problems[0])


def keyring(*keys):
    out = b"Keyring file version:2.0"
    for name, key in keys:
        parts = [
            name.encode(),
            b"AES",
            b"",
            bytes(a ^ b for a, b in zip(key, keyfile.MASK * 9, strict=False)),
        ]
        body = b"".join(parts)
        size = -(-(40 + len(body)) // 8) * 8
        out += (struct.pack("<5Q", size, *map(len, parts)) + body).ljust(size, b"\0")
    return out + b"EOF" + bytes(32)


def test_both_kinds_of_keyrings_are_read(tmp_path):
    old, new = tmp_path / "keyring", tmp_path / "component_keyring_file"
    old.write_bytes(keyring(("INNODBKey-x-1", bytes(range(32))), (NAME, MASTER)))
    elements = [{"user": "", "data_id": NAME, "data_type": "AES", "data": MASTER.hex(), "extension": []}]
    new.write_text(json.dumps({"version": "1.0", "elements": elements}))
    assert keyfile.read_keys([old]) == {"INNODBKey-x-1": bytes(range(32)), NAME: MASTER}
    assert keyfile.read_keys([new]) == {NAME: MASTER}


@given(
    st.binary(max_size=200), st.integers(0, 300), st.sampled_from([b"Keyring file version:2.0", b"{", b""])
)
def test_no_key_file_breaks_the_reader(noise, cut, head):
    for data in (head + noise, (keyring((NAME, MASTER))[:cut] + noise)):
        assert isinstance(keyfile._keys(data), dict)


def test_a_file_without_keys_is_refused(tmp_path):
    (tmp_path / "keys").write_text("nothing")
    with pytest.raises(UsageError):
        keyfile.read_keys([tmp_path / "keys"])
