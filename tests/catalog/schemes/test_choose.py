"""Two patterns, one file: which of them it was locked by is seen from the content."""

import hashlib
import io
import zipfile

import pytest

from tests.lockers import drawn
from tests.lockers.proton import seal
from tests.lockers.sojusz import salsa
from unransom.catalog.families import sojusz
from unransom.catalog.families.proton import FAMILY
from unransom.catalog.schemes import choose
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import FileKey, Mark
from unransom.core.keys import Key, KeyKind
from unransom.core.streams import BytesReader, Salvage

SIZE = 1_700_000


def archive(first):
    """Return a ZIP archive of bytes without any order, whose first member is called ``first``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for index, name in enumerate([first, "b.bin", "c.bin"]):
            data = hashlib.shake_128(bytes([index])).digest(SIZE // 3)
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data)
    return out.getvalue()


CONTENTS = {
    "text": b"10042;two lamps;shipped\n" * (SIZE // 24),
    "archive": archive("a.bin"),
    "noise": hashlib.shake_128(b"noise").digest(SIZE),
}


def opened(locked, seed, name=b""):
    reader = Salvage(BytesReader(locked), name)
    mark = FAMILY.read(reader)
    file_key = FAMILY.unwrap(mark, Key(KeyKind.RAW, drawn(seed + " master", 32)))
    return b"".join(bytes(view) for view in Assembly(reader, FAMILY.plan(reader, mark, file_key)))


@pytest.mark.parametrize("places", [3, 4])
@pytest.mark.parametrize("kind", ["text", "archive"])
def test_the_pattern_is_seen(kind, places):
    assert opened(seal(CONTENTS[kind], kind, places), kind) == CONTENTS[kind]


def test_without_any_sign_the_usual_pattern_is_taken():
    assert opened(seal(CONTENTS["noise"], "noise", 3), "noise") == CONTENTS["noise"]


@pytest.mark.parametrize(("name", "places"), [(b"a.txt", 3), (b"a.SQL", 4)])
def test_without_any_sign_in_the_bytes_the_name_tells(name, places):
    locked = seal(CONTENTS["noise"], "noise", places)
    assert opened(locked, "noise", name + b".[who@example.org].Kigatsu") == CONTENTS["noise"]


@pytest.mark.parametrize("name", [b"a.sql", b"a.[who@example.org].sql", b"a.sql.[who@example.org].Kigatsu"])
def test_bytes_are_believed_more_than_names_and_a_new_name_not_at_all(name):
    assert opened(seal(CONTENTS["text"], "text", 3), "text", name) == CONTENTS["text"]
    assert (
        opened(seal(CONTENTS["archive"], "zip", 3), "zip", name.replace(b".Kigatsu", b""))
        == CONTENTS["archive"]
    )


def test_the_format_is_believed_more_than_the_name():
    name = b"a.sql.[who@example.org].Kigatsu"
    assert opened(seal(CONTENTS["archive"], "archive", 3), "archive", name) == CONTENTS["archive"]


@pytest.mark.parametrize("end", [sojusz.FIRST, sojusz.FIRST + 3])
def test_few_bytes_at_the_end_of_a_text_are_seen_by_their_values(end):
    plain = (b"10042;two lamps;shipped\n" * sojusz.FIRST)[: sojusz.FIRST + 3]
    key = FileKey({"key": drawn("few", 32), "iv": drawn("few", 8)})
    locked = salsa(plain[:end], key.parts["key"], key.parts["iv"], 8) + plain[end:]
    reader = Salvage(BytesReader(locked + bytes(520)), b"")
    plan = sojusz.plan(reader, Mark(0, plain_size=len(plain)), key)
    assert b"".join(bytes(view) for view in Assembly(reader, plan)) == plain


def test_a_file_too_large_for_memory_is_judged_all_the_same(monkeypatch):
    monkeypatch.setattr(choose, "LARGEST", 1000)
    name = b"a.sql.[who@example.org].Kigatsu"
    assert opened(seal(CONTENTS["archive"], "archive", 3), "archive", name) == CONTENTS["archive"]


def test_a_file_too_large_to_be_judged_goes_by_how_it_begins(monkeypatch):
    monkeypatch.setattr(choose, "LARGEST", 1000)
    monkeypatch.setattr(choose, "REPLAYED", 1000)
    assert opened(seal(CONTENTS["archive"], "large", 4), "large") == CONTENTS["archive"]
    assert opened(seal(CONTENTS["noise"], "large", 3), "large") == CONTENTS["noise"]
