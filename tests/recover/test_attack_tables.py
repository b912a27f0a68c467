"""Hive's table, LockBit 3's footers and blocks of ECB: what some originals or names tell of all files."""

import tomllib
from pathlib import Path

import numpy as np
from Cryptodome.PublicKey import RSA

from tests.fixtures.attacking import Evidence, attacked
from tests.lockers import content, drawn, ecb, hive1, lockbit3_run, shared
from unransom.catalog.families import lockbit3
from unransom.catalog.families.phobos import FAMILY as PHOBOS
from unransom.core.records import FileRef
from unransom.core.searches import Target
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader
from unransom.recover.keys.attacks import moved
from unransom.recover.keys.attacks.ecb import ATTACK as ECB
from unransom.recover.keys.attacks.hive_table import ATTACK as HIVE
from unransom.recover.keys.attacks.lockbit3_footers import ATTACK as FOOTERS

TABLE = np.frombuffer(drawn("hive1 table", hive1.TABLE), np.uint8)
RUN = drawn("hive run", 16)
BUILD = next(iter(sorted(Path("tests/vectors/families/lockbit3").glob("*.toml"))))


def of_hive(files, known):
    """Return the files of a run of Hive, and what each is called then."""
    names = {name: name + hive1.suffix(RUN, hive1.numbers_of(name)).decode() for name in files}
    locked = {names[name]: hive1.seal(data, TABLE, hive1.numbers_of(name)) for name, data in files.items()}
    return Evidence(locked, known, originals={long: name for name, long in names.items()}), names


def test_hives_table_opens_files_without_originals_as_far_as_it_is_known():
    files = {f"file {number}.txt": shared.letter(f"hive {number}", 131_000) for number in range(60)}
    without = list(files)[:8]
    known = {name: data for name, data in files.items() if name not in without}
    evidence, names = of_hive(files, known)
    plan, found = attacked(HIVE, evidence, "hive1")
    assert plan.shards == 1
    unlocked = 0
    for name in without:
        locked = evidence.locked[names[name]]
        data, origins = found[0].opened(names[name], locked)
        for run in origins:
            if run.origin is not Origin.LOST:
                assert data[run.start : run.end] == files[name][run.start : run.end]
        unlocked += origins.totals()[Origin.UNLOCKED]
    assert unlocked > 50_000


def test_hives_table_without_originals_is_not_tried():
    plan, found = attacked(HIVE, of_hive({"a.txt": b"text " * 900}, {})[0], "hive1")
    assert (plan.shards, found) == (0, [])
    assert plan.helps


def test_originals_of_other_files_give_no_table():
    files = {f"file {number}.txt": content(f"hive {number}", 20_000) for number in range(6)}
    wrong = {name: content(f"wrong {name}", len(data)) for name, data in files.items()}
    assert not attacked(HIVE, of_hive(files, wrong)[0], "hive1")[1]


def footers(names):
    key = RSA.import_key(tomllib.loads(BUILD.read_text())["rsa_key"])
    files = {name: shared.grey(name, 40) for name in names}
    return files, lockbit3_run.run(files, (key.n, key.e))


NAMES = (
    "a.png",
    "list.png",
    "orders 2024.png",
    "invoice 77 of March.png",
    "Minutes of the 14th board meeting, Zurich, with all annexes and signatures.png",
    "Quarterly report of the northern region, third and final revision 2023 (approved by J. Smith).png",
)


def test_every_file_that_satisfies_the_condition_opens_and_no_other():
    files, locked = footers(NAMES)
    _, found = attacked(FOOTERS, Evidence(locked, extension=".Ab3dE5gH9"), "lockbit3")
    longest = max(NAMES, key=lambda name: len(lockbit3_run.usual(name)))
    expected = set(lockbit3_run.longest_openable(NAMES, longest))
    assert {"a.png", "list.png"} <= expected < set(NAMES)
    opens = set()
    for name in NAMES:
        data = locked[f"{name}.Ab3dE5gH9"]
        if lockbit3.unwrap(lockbit3.read(BytesReader(data)), found[0].key):
            assert found[0].opened(name, data)[0] == files[name]
            opens.add(name)
    assert opens == expected


def test_footers_with_keys_of_their_own_share_nothing():
    _, locked = footers(NAMES[:3])
    tails = {name: data[:-128] + drawn(name, 128) for name, data in locked.items()}
    plan, found = attacked(FOOTERS, Evidence(tails, extension=".Ab3dE5gH9"), "lockbit3")
    assert (plan.shards, found) == (0, [])


def test_names_that_are_wrong_open_no_footer():
    _, locked = footers(NAMES)
    renamed = {f"x{number:04}.Ab3dE5gH9": data for number, data in enumerate(locked.values())}
    assert not attacked(FOOTERS, Evidence(renamed, extension=".Ab3dE5gH9"), "lockbit3")[1]


def shops():
    key = drawn("ecb", 32)
    plain = {f"shop {number}.mdf": ecb.database(f"shop {number}", 30 + number) for number in range(4)}
    return plain, {f"{name}.zq": ecb.seal(data, key) for name, data in plain.items()}


def test_blocks_that_an_original_shows_open_and_all_others_are_lost():
    plain, locked = shops()
    _, found = attacked(ECB, Evidence(locked, {"shop 1.mdf": plain["shop 1.mdf"]}, ".zq"))
    assert len(found) == len(plain)
    for each, (name, data) in zip(found, plain.items(), strict=True):
        opened, origins = each.opened(name, locked[f"{name}.zq"])
        for run in origins:
            if run.origin is not Origin.LOST:
                assert opened[run.start : run.end] == data[run.start : run.end]
        assert origins.totals()[Origin.LOST] < 0.05 * len(data)


def test_an_original_of_another_file_makes_no_dictionary():
    plain, locked = shops()
    wrong = {"shop 1.mdf": content("wrong", len(plain["shop 1.mdf"]))}
    assert not attacked(ECB, Evidence(locked, wrong, ".zq"))[1]


def test_what_phobos_only_moved_needs_no_key():
    large = FileRef(source="locked", path=b"disk.vmdk", size=5_000_000, family=PHOBOS.name)
    target = Target(family=PHOBOS.name, samples=(large,), files=1, size=large.size)
    plan = moved.plan(target, Evidence({}).context)
    assert plan.shards == 0
    assert "plain" in str(plan.why)
