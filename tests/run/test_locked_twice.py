"""Files that two families locked, and keys that come one after the other."""

import collections

from tests.fixtures.in_process import InProcess
from tests.fixtures.locked import (
    INC_PRIVATE,
    PHOBOS_KEY,
    archive,
    expected,
    lock_inc,
    lock_phobos,
    picture,
    recovered,
    write,
)
from unransom.case.case import Case
from unransom.case.verify import flaws_of
from unransom.core.keys import Key, KeyKind
from unransom.run.engine import Engine
from unransom.run.recover import add_sources

INC, PHOBOS = Key(KeyKind.RAW, INC_PRIVATE), Key(KeyKind.RAW, PHOBOS_KEY)
ONCE = {b"once.png": picture("once")}
TWICE = {b"a.png": picture("a"), b"note.txt": b"two lamps\n", b"one.raw": b"\xff"}


def run(case, evidence, *keys):
    """Return how many files are in which state after another run with ``keys``."""
    with Case(case, create=not case.exists()) as opened:
        add_sources(opened, [str(evidence)])
        Engine(opened, InProcess(), keys).run()
        return collections.Counter(state for (state,) in opened.database.execute("SELECT state FROM files"))


def test_keys_that_come_one_after_the_other_open_what_was_locked_twice(tmp_path):
    evidence, case = tmp_path / "evidence", tmp_path / "case"
    evidence.mkdir()
    write(evidence, {path + b".INC": lock_inc(data, path) for path, data in ONCE.items()})
    inner = {path: lock_phobos(data, path.decode()) for path, data in TWICE.items()}
    write(evidence, {path + b".INC": lock_inc(data, path) for path, data in inner.items()})
    assert run(case, evidence, INC) == {"recovered": 1, "partial": 3}
    outer = recovered(case)
    assert run(case, evidence, PHOBOS) == {"recovered": 1, "partial": 3}
    assert recovered(case) == outer, "without the outer key what is there must stay"
    assert run(case, evidence, PHOBOS, INC) == {"recovered": 4}
    assert recovered(case) == expected(ONCE | TWICE), "the still locked outputs are taken back"
    assert not list(flaws_of(case))
    assert families(case) == {"inc"}, "the outer one is what the file looks like"


def test_a_key_that_opens_a_file_names_its_family_against_its_extension(tmp_path):
    evidence, case = tmp_path / "evidence", tmp_path / "case"
    evidence.mkdir()
    data = archive("renamed", 100_000)
    write(evidence, {b"a.zip.akira": lock_inc(data, b"a.zip")})
    assert run(case, evidence) == {"locked": 1}
    assert families(case) == {"akira2"}
    assert run(case, evidence, INC) == {"recovered": 1}
    assert families(case) == {"inc"}


def families(case):
    with Case(case) as opened:
        return {family for (family,) in opened.database.execute("SELECT family FROM files")}
