"""The evidence chain: any change is found and named."""

import json
import random

import pytest

from unransom.case.case import Case
from unransom.case.chain import check
from unransom.case.database import transaction
from unransom.case.verify import flaws
from unransom.core.errors import CaseLockedError, NoSuchCaseError, UsageError


@pytest.fixture
def case(tmp_path):
    with Case(tmp_path / "case", create=True) as case:
        for number in range(20):
            with transaction(case.database):
                case.record("noted", {"number": number})
            case.publish()
        yield case


def lines(case):
    return (case.folder / "chain.jsonl").read_bytes().splitlines(keepends=True)


def test_a_chain_holds_as_it_was_written(case):
    assert check(lines(case)) is None
    assert list(flaws(case)) == []
    assert [json.loads(line)["sequence"] for line in lines(case)] == list(range(1, 22))


def test_every_changed_bit_is_found(case):
    data = bytearray(b"".join(lines(case)))
    for place in random.Random(7).sample(range(len(data) * 8), 2000):
        data[place // 8] ^= 1 << place % 8
        assert check(bytes(data).splitlines(keepends=True)) is not None, place
        data[place // 8] ^= 1 << place % 8


def test_missing_doubled_and_swapped_entries_are_named(case):
    whole = lines(case)
    assert check(whole[:5] + whole[6:]).sequence == 6
    assert check([*whole[:5], whole[4], *whole[5:]]).sequence == 6
    assert check([*whole[:5], whole[6], whole[5], *whole[7:]]).sequence == 6


def test_entries_cut_off_at_the_end_are_missed_beside_the_database(case):
    (case.folder / "chain.jsonl").write_bytes(b"".join(lines(case)[:-2]))
    assert [str(flaw) for flaw in flaws(case)] == ["chain.jsonl and case.sqlite do not tell the same"]


def test_a_torn_last_line_is_mended_from_the_database(tmp_path):
    with Case(tmp_path / "case", create=True) as case, transaction(case.database):
        case.record("noted", {})
    file = tmp_path / "case/chain.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    with Case(tmp_path / "case") as case:
        assert len(lines(case)) == 2
        assert list(flaws(case)) == []


def test_a_transaction_that_fails_leaves_nothing(case):
    def fail():
        with transaction(case.database):
            case.record("never", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    case.publish()
    assert list(flaws(case)) == []
    assert b"never" not in b"".join(lines(case))


def test_one_case_one_process_one_folder(case, tmp_path):
    with pytest.raises(CaseLockedError):
        Case(case.folder)
    with pytest.raises(NoSuchCaseError):
        Case(tmp_path / "elsewhere")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").touch()
    with pytest.raises(UsageError):
        Case(tmp_path / "full", create=True)
