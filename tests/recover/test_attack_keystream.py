"""One keystream for several files, with one original and with none."""

import io
import zipfile

import numpy as np
import pytest

from tests.fixtures.attacking import Evidence, attacked
from tests.lockers import drawn, shared
from unransom.catalog.oracle import judge
from unransom.core.records import Grade
from unransom.core.spans import Origin
from unransom.core.streams import BytesReader
from unransom.recover.keys.attacks.keystream import ATTACK

FILES = shared.company(50)
STREAM = shared.chacha("run", 60_000)


def lock(files, stream=STREAM, tail=40):
    return {f"{name}.zq": shared.xored(data, stream) + drawn(name, tail) for name, data in files.items()}


@pytest.fixture(scope="module")
def voted():
    locked = lock(FILES, tail=0)
    _, found = attacked(ATTACK, Evidence(locked, extension=".zq"))
    return locked, found


def test_one_original_opens_what_is_no_longer_than_it():
    longest = max(FILES, key=lambda name: len(FILES[name]))
    locked = lock(FILES)
    plan, found = attacked(ATTACK, Evidence(locked, {longest: FILES[longest]}, ".zq"))
    assert plan.chance > 0.5
    for name, plain in FILES.items():
        assert found[0].opened(name, locked[f"{name}.zq"])[0] == plain


def test_one_original_opens_all_where_a_head_was_put_before_them():
    head = b"LOCKED01" + drawn("head", 13)
    locked = {name: head + data for name, data in lock(FILES, tail=72).items()}
    longest = max(FILES, key=lambda name: len(FILES[name]))
    _, found = attacked(ATTACK, Evidence(locked, {longest: FILES[longest]}, ".zq"))
    for name, plain in FILES.items():
        assert found[0].opened(name, locked[f"{name}.zq"])[0] == plain


def packed(seed, size):
    """Return an archive as most programs write it, but for a flag that tells how hard it was packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("content", drawn(f"content {seed}", size))
    data = bytearray(out.getvalue())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 2
    return bytes(data)


def test_what_an_original_shows_is_not_outvoted_by_what_files_of_its_format_mostly_have():
    plain = {f"{number}.xlsx": packed(number, 1500 + 90 * number) for number in range(30)}
    locked = lock(plain, tail=0)
    _, found = attacked(ATTACK, Evidence(locked, {"15.xlsx": plain["15.xlsx"]}, ".zq"))
    for name, data in plain.items():
        opened, origins = found[0].opened(name, locked[f"{name}.zq"])
        known = len(data) - origins.totals()[Origin.LOST]
        assert known == min(len(data), len(plain["15.xlsx"]))
        assert opened[:known] == data[:known], name


def test_a_short_original_opens_the_beginnings_and_says_what_is_lost():
    sizes = sorted(FILES, key=lambda name: len(FILES[name]))
    short = sizes[len(sizes) // 2]
    few = {name: FILES[name] for name in sizes[-5:]} | {short: FILES[short]}
    locked = lock(few)
    _, found = attacked(ATTACK, Evidence(locked, {short: FILES[short]}, ".zq"))
    if not found:  # too little of each is there for its format to prove anything
        return
    data, origins = found[0].opened(sizes[-1], locked[f"{sizes[-1]}.zq"])
    assert origins.totals()[Origin.LOST] == len(FILES[sizes[-1]]) - len(FILES[short])
    assert data.startswith(FILES[sizes[-1]][: len(FILES[short])])


def test_without_any_original_files_vote_and_nothing_known_is_wrong(voted):
    locked, found = voted
    right = total = 0
    for name, plain in FILES.items():
        data, origins = found[0].opened(name, locked[f"{name}.zq"])
        total += len(plain)
        for run in origins:
            if run.origin is not Origin.LOST:
                assert data[run.start : run.end] == plain[run.start : run.end], name
                right += run.end - run.start
    assert right / total > 0.75


def sheet(seed):
    """Return a table whose first line is that of all others."""
    values = np.frombuffer(drawn(seed, 4000), np.uint32)
    rows = (
        f"{value},SKU-{value % 900},{value % 89}.99,2026-{value % 12 + 1:02}" for value in values.tolist()
    )
    return ("order_id,sku,price,month\n" + "\n".join(rows) + "\n").encode()


def test_what_files_of_a_format_have_in_common_outvotes_nothing():
    plain = {name: data for name, data in FILES.items() if len(data) < 9000}
    plain |= {f"table {number}.csv": sheet(f"{number}") for number in range(8)}
    locked = lock(plain, tail=40)  # behind which nobody knows of a tail
    _, found = attacked(ATTACK, Evidence(locked, extension=".zq"))
    exact = 0
    for name, data in plain.items():
        opened, origins = found[0].opened(name, locked[f"{name}.zq"])
        exact += opened == data
        for run in origins:
            if run.origin is not Origin.LOST:
                assert opened[run.start : run.end] == data[run.start : run.end], name
    assert exact >= 10


def test_originals_of_other_files_mislead_nobody():
    plain = {name: data for name, data in FILES.items() if len(data) < 9000}
    locked = lock(plain, tail=0)
    wrong = {name: drawn(f"another {name}", len(plain[name])) for name in list(plain)[:3]}
    _, found = attacked(ATTACK, Evidence(locked, wrong, ".zq"))
    exact = 0
    for name, data in plain.items():
        opened, origins = found[0].opened(name, locked[f"{name}.zq"])
        exact += opened == data
        assert opened == data or origins.totals()[Origin.LOST], name
    assert exact >= 5


def test_what_votes_call_good_is_good(voted):
    locked, found = voted
    good = 0
    for name, plain in FILES.items():
        data, origins = found[0].opened(name, locked[f"{name}.zq"])
        if origins.totals()[Origin.LOST]:
            continue  # unlock never calls such a file good
        if judge(BytesReader(data), name.encode()).validation.grade is Grade.GOOD:
            assert data == plain
            good += 1
    assert good > 15


def test_files_with_keys_of_their_own_are_not_opened():
    locked = {
        f"{name}.zq": shared.xored(data, shared.chacha(name, len(data)))
        for name, data in list(FILES.items())[:20]
    }
    plan, found = attacked(ATTACK, Evidence(locked, extension=".zq"))
    assert plan.shards == 0
    assert not found


def test_an_original_of_another_file_proves_nothing():
    names = list(FILES)[:6]
    locked = {f"{name}.zq": shared.xored(FILES[name], shared.chacha(name, 60_000)) for name in names}
    _, found = attacked(ATTACK, Evidence(locked, {names[0]: FILES[names[0]]}, ".zq"))
    assert not found


def test_originals_that_agree_on_a_keystream_prove_it():
    rng = np.random.default_rng(3)
    files = {f"sensor {number}.dat": rng.bytes(3000 + number) for number in range(4)}
    locked = lock(files)
    known = {name: files[name] for name in list(files)[2:]}
    _, found = attacked(ATTACK, Evidence(locked, known, ".zq"))
    assert found[0].opened("sensor 0.dat", locked["sensor 0.dat.zq"])[0] == files["sensor 0.dat"]
