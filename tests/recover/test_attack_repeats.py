"""Keystreams that repeat within a file, from the locked files alone."""

import random
import sqlite3

import msgspec
import numpy as np
import pytest

from tests.catalog.formats import database_samples
from tests.fixtures.attacking import Evidence, Found, attacked
from tests.fixtures.locked import picture
from tests.lockers import blackbasta, content, drawn, ecb, moneymessage, shared
from tests.lockers.sect571k1 import multiple
from unransom.core.records import KeyFound
from unransom.core.searches import Described, Secret, Shard
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader, Salvage
from unransom.recover.keys.attacks import ecb as ecb_attack
from unransom.recover.keys.attacks.repeats import ATTACK
from unransom.recover.keys.short_keys import short_keys

CAMPAIGN = "6cb8a9d2eF1"
UNUSED = 12  # pages that a database has allocated and not used
PAGED = [
    ("shop.mdf", database_samples.mssql(pages=40) + bytes(UNUSED * 8192), 8192),
    ("shop.mdf", database_samples.mssql(pages=40) + bytes(UNUSED * 8192), 16384),
    ("shop.ibd", database_samples.innodb(size=16384, pages=20) + bytes(UNUSED * 16384), 16384),
]
STREAM = shared.chacha("basta", 5056)


def basta(plain):
    return blackbasta.seal(plain, STREAM, len(plain)) + blackbasta.tail("x", len(plain), CAMPAIGN)


def solved(locked, family=""):
    """Return what the attack makes of one file, and the file's byte map; None where it finds nothing."""
    evidence = Evidence({"file.bin.zq": locked}, extension=".zq")
    _, found = attacked(ATTACK, evidence, family)
    assert len(found) <= 1
    return found[0].opened("file.bin.zq", locked) if found else None


def test_black_basta_by_zeros_of_a_disk():
    disk = bytearray(3_000_000)
    disk[500_000:1_200_000] = content("disk", 700_000)
    plain, origins = solved(basta(bytes(disk)), "blackbasta")
    assert plain == disk
    assert origins.totals()[Origin.LOST] == 0


def test_black_basta_by_what_lies_between_in_a_text():
    text = shared.letter("basta", 90_000)
    assert solved(basta(text), "blackbasta")[0] == text


def test_black_basta_finds_nothing_in_random_content():
    assert solved(basta(drawn("noise", 120_000)), "blackbasta") is None


def test_black_basta_does_not_take_a_constant_that_few_places_have():
    plain = bytearray(drawn("noise", 192 * 200))
    for place in range(4):  # too few to be sure
        plain[place * 192 * 40 - 128 if place else 0 : place * 192 * 40 + 256] = bytes(384 if place else 256)
    assert solved(basta(bytes(plain)), "blackbasta") is None


def test_money_message_repeats_8_kib():
    plain = shared.bitmap("money", 300, 200)
    locked = moneymessage.seal(plain, multiple(12345), 6789, drawn("nonce", 12), 1)
    evidence = Evidence({"scan.bmp": locked})
    _, found = attacked(ATTACK, evidence, "moneymessage")
    assert found
    assert found[0].opened("scan.bmp", locked)[0] == plain


@pytest.mark.parametrize("length", [3, 20, 64, 1000, 8192, 25000])
def test_xor_over_a_whole_file(length):
    plain = shared.letter(f"xor {length}", max(24 * length, 20_000))
    locked = shared.xored(plain, drawn(f"xor {length}", length))
    evidence = Evidence({"notes.txt.zq": locked}, extension=".zq")
    _, found = attacked(ATTACK, evidence)
    assert found[0].opened("notes.txt", locked)[0] == plain


def scan(side):
    """Return a bitmap with the noise of a camera, where a colour and the next one are about as likely."""
    plain = bytearray(shared.bitmap("scan", side, side))
    noise = np.random.default_rng(5).integers(-6, 7, len(plain) - 54)
    plain[54:] = (np.frombuffer(plain, np.uint8)[54:] + noise).clip(0, 255).astype(np.uint8).tobytes()
    return bytes(plain)


def table(rows):
    """Return a table of numbers, in which commas and digits are commoner than spaces and letters."""
    values = np.random.default_rng(6).integers(0, 10**9, (rows, 3))
    lines = (
        f"{a},2026-{b % 12 + 1:02}-{c % 28 + 1:02},SKU-{b % 900},{c % 100},{a % 977}.99" for a, b, c in values
    )
    return ("order,date,sku,quantity,price\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("length", [16, 64, 20])
def test_a_bitmap_with_noise_is_opened_to_the_last_bit(length):
    plain = scan(160)
    locked = shared.xored(plain, drawn(f"noise {length}", length))
    _, found = attacked(ATTACK, Evidence({"scan.bmp.zq": locked}, extension=".zq"))
    assert found[0].opened("scan.bmp", locked)[0] == plain


def rendered(width, height):
    """Return a picture of soft lights: all values are about as often, but near those beside them."""
    down, across = np.mgrid[0:height, 0:width]
    light = np.sin(across / 37) * 50 + np.cos(down / 29) * 50
    tint = np.random.default_rng(9).normal(0, 0.6, (height, width, 3))
    page = (light[:, :, None] + np.array([90, 120, 150]) + tint).clip(0, 255).astype(np.uint8)
    return shared.bitmap("rendered", width, height)[:54] + page.tobytes()


@pytest.mark.parametrize("length", [7, 61, 2048])
def test_a_picture_without_a_commonest_value_is_opened_by_its_smoothness(length):
    plain = rendered(256, 250)
    locked = shared.xored(plain, drawn(f"smooth {length}", length))
    _, found = attacked(ATTACK, Evidence({"view.bmp.zq": locked}, extension=".zq"))
    opened = np.frombuffer(found[0].opened("view.bmp", locked)[0], np.uint8)
    wrong = opened != np.frombuffer(plain, np.uint8)
    assert not opened[wrong].any()  # zeros, which the map calls lost
    assert wrong.mean() < 0.03


def database(rows):
    """Return a database of SQLite with an index."""
    chance = random.Random(rows)
    with sqlite3.connect(":memory:") as opened:
        opened.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, amount REAL, note TEXT)")
        opened.execute("CREATE INDEX customers ON orders (customer)")
        for number in range(rows):
            note = " ".join(chance.choices(shared.WORDS, k=chance.randrange(3, 20)))
            row = (number, f"customer {chance.randrange(3000)}", chance.random() * 1e4, note)
            opened.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", row)
        opened.commit()
        content = opened.serialize()
    opened.close()
    return content


def test_bytes_of_a_database_that_are_not_known_are_lost():
    length = 4095  # beside the size of its pages
    plain = database(5000)
    locked = shared.xored(plain, drawn(f"database {length}", length))
    _, found = attacked(ATTACK, Evidence({"shop.sqlite.zq": locked}, extension=".zq"))
    content, origins = found[0].opened("shop.sqlite", locked)
    opened = np.frombuffer(content, np.uint8)
    wrong = opened != np.frombuffer(plain, np.uint8)
    assert not opened[wrong].any()  # zeros, which the map calls lost
    assert origins.totals()[Origin.LOST] >= wrong.sum()
    assert wrong.mean() < 0.06


@pytest.mark.parametrize("length", [40, 255, 1000])
def test_a_table_of_numbers_is_a_text(length):
    plain = table(2500)
    locked = shared.xored(plain, drawn(f"table {length}", length))
    _, found = attacked(ATTACK, Evidence({"orders.csv.zq": locked}, extension=".zq"))
    assert found[0].opened("orders.csv", locked)[0] == plain


def test_no_other_encoding_makes_a_text_of_a_wrong_key():
    lines = [f"{number * 7919 % 10007},深圳市 {number},{number % 31}.50" for number in range(2500)]
    for encoding in ("gb18030", "utf-8"):
        plain = ("\n".join(lines) + "\n").encode(encoding)
        locked = shared.xored(plain, drawn("encodings", 120))
        _, found = attacked(ATTACK, Evidence({"orders.csv.zq": locked}, extension=".zq"))
        assert all(each.opened("orders.csv", locked)[0] == plain for each in found)
        assert found


def test_the_key_of_a_neighbour_opens_what_does_not_vote():
    key = drawn("one key", 333)
    plain = {"photo.png": picture("neighbour", 90), "notes.txt": shared.letter("neighbour", 30_000)}
    evidence = Evidence(
        {f"{name}.zq": shared.xored(data, key) for name, data in plain.items()}, extension=".zq"
    )
    plan, (solved,) = attacked(ATTACK, evidence)  # the text alone gives way
    target = evidence.target()
    near = msgspec.structs.replace(
        target,
        samples=target.samples[:1],
        others=(),
        clues=((0, "64"), (1, solved.found.clue)),
        keys=(solved.key,),
    )
    assert key.hex() not in str(solved.found).lower()  # records name keys by their fingerprints
    records = list(ATTACK.search(Shard(plan=plan, target=near, number=0), evidence.context))
    (found,) = (each for each in records if isinstance(each, KeyFound))
    (secret,) = (each for each in records if isinstance(each, Secret))
    assert not any(isinstance(each, Described) for each in records)  # it is known since the neighbour
    opened = Found(found, secret.key, solved.described).opened("photo.png", evidence.locked["photo.png.zq"])
    assert opened[0] == plain["photo.png"]


def test_the_plan_looks_at_content_that_is_not_compressed():
    key = drawn("among", 100)
    plain = {f"photo {number}.png": picture(str(number), 60) for number in range(8)}
    plain["zz.txt"] = shared.letter("among", 20_000)
    evidence = Evidence(
        {f"{name}.zq": shared.xored(data, key) for name, data in plain.items()}, extension=".zq"
    )
    plan, found = attacked(ATTACK, evidence)
    assert plan.chance > 0.5
    assert found


def test_xor_over_the_head_of_a_file():
    plain = shared.letter("head", 300_000)
    locked = shared.xored(plain[:65536], drawn("head", 32)) + plain[65536:]
    evidence = Evidence({"notes.txt.zq": locked}, extension=".zq")
    _, found = attacked(ATTACK, evidence)
    assert found[0].opened("notes.txt", locked)[0] == plain


@pytest.mark.parametrize(("piece", "length"), [(65536, 100), (70_000, 48), (4096, 100)])
def test_a_key_that_begins_anew_in_every_piece(piece, length):
    plain = shared.letter("pieces", 160_000)
    key = drawn(f"pieces {length}", length)
    parts = (plain[start : start + piece] for start in range(0, len(plain), piece))
    locked = b"".join(shared.xored(part, key) for part in parts)
    _, found = attacked(ATTACK, Evidence({"notes.txt.zq": locked}, extension=".zq"))
    assert found[0].opened("notes.txt", locked)[0] == plain


def test_a_short_xor_over_compressed_content_by_known_bytes():
    plain = picture("png", 90)
    locked = shared.xored(plain, drawn("png", 11))
    evidence = Evidence({"photo.png.zq": locked}, extension=".zq")
    _, found = attacked(ATTACK, evidence)
    assert found[0].opened("photo.png", locked)[0] == plain


@pytest.mark.parametrize(
    "plain", [shared.letter("sound", 60_000), shared.bitmap("sound", 200, 150), picture("sound", 120)]
)
def test_a_sound_stream_is_not_broken(plain):
    locked = shared.xored(plain, shared.chacha("sound", len(plain)))
    for name in ("notes.txt.zq", "scan.bmp.zq", "photo.png.zq"):
        plan, found = attacked(ATTACK, Evidence({name: locked}, extension=".zq"))
        assert not found
        assert plan.chance <= 0.01


def test_blocks_that_are_locked_by_themselves_are_looked_up_first():
    plain = {f"shop {number}.mdf": ecb.database(f"shop {number}", 30) for number in range(3)}
    locked = {f"{name}.zq": ecb.seal(data, drawn("ecb", 16)) for name, data in plain.items()}
    evidence = Evidence(locked, dict(list(plain.items())[:1]), extension=".zq")
    target = evidence.target()
    plans = [attack.plan(target, evidence.context) for attack in (ecb_attack.ATTACK, ATTACK)]
    costs = [plan.seconds / plan.chance for plan in plans]
    assert costs == sorted(costs)


def test_what_is_not_locked_has_no_key():
    for name, plain in shared.company(5).items():
        assert not attacked(ATTACK, Evidence({name + ".zq": plain}, extension=".zq"))[1]


def test_a_key_with_one_wrong_byte_is_never_good():
    plain = shared.grey("wrong", 100)
    key = bytearray(drawn("wrong", 16))
    locked = bytearray(shared.xored(plain, bytes(key)))
    locked[1000] ^= 1  # damaged: the checksum must refuse it
    assert not attacked(ATTACK, Evidence({"photo.png.zq": bytes(locked)}, extension=".zq"))[1]


@pytest.mark.parametrize(("name", "plain", "length"), PAGED)
def test_unused_pages_of_a_database_are_the_key(name, plain, length):
    locked = shared.xored(plain, drawn(f"{name} {length}", length))
    _, found = attacked(ATTACK, Evidence({f"{name}.zq": locked}, extension=".zq"))
    content, origins = found[0].opened(name, locked)
    assert content == plain
    assert origins.totals()[Origin.LOST] == 0


@pytest.mark.parametrize(
    ("name", "pages", "size"),
    [
        ("shop.mdf", database_samples.mssql(torn=True, pages=40), 8192),
        ("shop.ibd", database_samples.innodb("none", 16384, 20)[:-16384], 16384),
    ],
)
def test_pages_that_are_alike_prove_no_key_without_checksums(name, pages, size):
    page = bytearray(size)
    page[4000:4040] = b"\x5a" * 40  # unused pages that are not all zeros
    plain = pages + bytes(page) * 3
    locked = shared.xored(plain, drawn(f"alike {name}", size))
    _, found = attacked(ATTACK, Evidence({f"{name}.zq": locked}, extension=".zq"))
    for each in found:
        content, origins = each.opened(name, locked)
        wrong = np.frombuffer(content, np.uint8) != np.frombuffer(plain, np.uint8)
        assert origins.totals()[Origin.LOST] >= wrong.sum()


def test_no_wrong_byte_is_sure_where_a_key_is_about_as_long_as_a_page():
    chance = random.Random(1)
    with sqlite3.connect(":memory:") as opened:
        opened.execute("create table a(id integer primary key, n text, t text)")
        rows = (
            (" ".join(chance.choices(shared.WORDS, k=2)), " ".join(chance.choices(shared.WORDS, k=25)))
            for _ in range(1600)
        )
        opened.executemany("insert into a(n, t) values(?, ?)", rows)
        opened.commit()
        plain = opened.serialize()
    opened.close()
    key = drawn("pages", 4095)
    locked = Salvage(BytesReader(shared.xored(plain, key)), b"shop.sqlite")
    found = next(short_keys(locked, b"shop.sqlite"))
    right = found.key == np.frombuffer(key, np.uint8)
    assert not found.known[~right].any()
    assert found.known.mean() > 0.8
