"""Akira of 2024 without the key of its second cipher."""

import pytest

from tests.lockers import akira2 as maker
from tests.lockers import drawn, packed
from unransom.catalog.families import akira2
from unransom.catalog.schemes.assemble import Assembly
from unransom.core.keys import Key, KeyKind
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader, Salvage

BLOCK = 0xFFFF
SIZE = 600_000


def test_what_chacha_locked_is_lost_without_its_key():
    plain = (b"10042;two lamps;shipped\n" * SIZE)[:SIZE]
    secrets = tuple(drawn(what, length) for what, length in (("k", 16), ("i", 16), ("c", 16), ("n", 8)))
    locked = Salvage(BytesReader(maker.seal(plain, [(0, SIZE // 2)], secrets) + drawn("tail", 512)))
    mark = akira2.read(locked)
    file_key = akira2.unwrap(mark, Key(KeyKind.RAW, secrets[0] + secrets[1]))
    assembly = Assembly(locked, akira2.plan(locked, mark, file_key))
    data = b"".join(bytes(view) for view in assembly)
    last = (SIZE // 2 - 1) // BLOCK * BLOCK
    assert data == plain[:BLOCK] + bytes(last - BLOCK) + plain[last:]
    assert assembly.map.totals()[Origin.LOST] == last - BLOCK


@pytest.mark.parametrize("locked_bytes", [65_535, 131_071, 2 * 131_071])
def test_regions_of_a_renamed_archive_are_seen_from_its_checksums(locked_bytes):
    plain = packed("archive", 131_071 if locked_bytes < 131_072 else 2 * 131_071)
    secrets = tuple(drawn(what, length) for what, length in (("k", 16), ("i", 16), ("c", 16), ("n", 8)))
    locked = Salvage(BytesReader(maker.seal(plain, [(0, locked_bytes)], secrets) + drawn("tail", 512)))
    mark = akira2.read(locked)
    file_key = akira2.unwrap(mark, Key(KeyKind.RAW, b"".join(secrets)))
    assert b"".join(bytes(view) for view in Assembly(locked, akira2.plan(locked, mark, file_key))) == plain


def test_a_file_that_was_cut_off_into_its_text_has_no_tail():
    text = b"10042;two lamps;shipped\n" * 4000
    assert akira2.read(Salvage(BytesReader(drawn("start", 60_000) + text))) is None
    assert akira2.read(Salvage(BytesReader(drawn("start", 60_000) + text[:64]))) is None
    assert akira2.read(Salvage(BytesReader(drawn("start", 60_000)))) is not None


def test_a_wrong_key_is_told_by_the_beginning_and_no_pattern_is_tried(monkeypatch):
    text = (b"10042;two lamps;shipped\n" * SIZE)[:SIZE]
    secrets = drawn("right", 56)
    sealed = maker.seal(text, [(0, SIZE // 2)], (secrets[:16], secrets[16:32], secrets[32:48], secrets[48:]))
    locked = Salvage(BytesReader(sealed + drawn("tail", 512)))
    mark = akira2.read(locked)
    tried = []
    monkeypatch.setattr(akira2, "_shown", lambda *others: tried.append(others) or 0)
    for key, expected in ((drawn("wrong", 56), False), (secrets, True)):
        akira2.plan(locked, mark, akira2.unwrap(mark, Key(KeyKind.RAW, key)))
        assert bool(tried) is expected


def test_the_name_decides_before_the_size():
    assert akira2.regions(100, b"a.MDF", 50)[0].end == 100
    assert akira2.regions(100, b"a.txt", 50)[0].end == 50
    assert [len(span) for span in akira2.regions(1000, b"a.vmdk", 50)] == [100] * 4
    assert [len(span) for span in akira2.regions(2_000_000, b"", 50)] == [200_000] * 4
