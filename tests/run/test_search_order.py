"""Which shards come when: what one file gave away is used on its neighbours before anything dear begins."""

import msgspec

from unransom.case import files, found_keys
from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.records import FileRef, KeyFound, State
from unransom.core.searches import AttackPlan, Secret
from unransom.run.recover import add_sources
from unransom.run.searches import BUDGET, Search

WHY = say("a test")
CHEAP = AttackPlan(attack="drawn", family="", each=True, shards=2, seconds=1.0, chance=0.9, why=WHY)
DEAR = AttackPlan(attack="ticks", family="", each=True, shards=500, seconds=5000.0, chance=0.001, why=WHY)


def case_with(folder, count, *plans):
    case = Case(folder / "case", create=True)
    (folder / "in").mkdir()
    add_sources(case, [str(folder / "in")])
    case.set_fact(BUDGET, "1000")
    with transaction(case.database):
        files.add(
            case.database, (FileRef(source="in", path=b"%d.zq" % each, size=9000) for each in range(count))
        )
        for ref in list(files.select(case.database, "1")):
            files.store(
                case.database,
                "triage",
                ref.id,
                [msgspec.structs.replace(ref, state=State.UNKNOWN, candidates=("maze",))],
            )
        files.store(case.database, "plan", 0, plans)
    return case


def found(case, item):
    record = KeyFound(
        family="maze", fingerprint="00", bits=64, proof=WHY, item=item, attack="drawn", clue="a key"
    )
    with transaction(case.database):
        files.store(case.database, "search", item, [record])


def test_neighbours_come_before_dearer_searches_even_if_the_clue_is_late(tmp_path):
    with case_with(tmp_path, 9, CHEAP, DEAR) as case:
        search = Search(case.database, 1e9)
        begun = [next(search)[1] for _ in range(8)]
        assert [each.plan.attack for each in begun] == ["drawn"] * 8  # four files in full
        assert next(search)[1].plan.attack == "ticks"  # nothing is known yet: they are still at work
        found(case, begun[0].target.samples[0].id)
        near = [next(search)[1] for _ in range(8)]
        assert {each.plan.attack for each in near} == {"drawn"}
        assert [each.target.clues[0][1] for each in near] == ["a key"] * 8
        assert len({each.target.samples[0].id for each in near}) == 8


def test_no_shard_comes_twice(tmp_path):
    with case_with(tmp_path, 9, CHEAP, DEAR) as case:
        search = Search(case.database, 100.0)
        numbers = []
        for number, shard in search:
            numbers.append(number)
            if len(numbers) in {3, 6}:
                found(case, shard.target.samples[0].id)
        assert len(numbers) == len(set(numbers)) >= 9


def test_where_files_differ_all_are_tried_but_a_few_before_other_searches(tmp_path):
    apart = msgspec.structs.replace(CHEAP, attack="repeats", shards=1)
    between = AttackPlan(attack="ecb", family="", shards=1, seconds=2.0, chance=1.0, why=WHY)
    with case_with(tmp_path, 9, apart, between) as case:
        begun = [shard.plan.attack for _, shard in Search(case.database, 100.0)]
    assert begun == ["repeats"] * 4 + ["ecb"] + ["repeats"] * 5


def test_the_total_grows_with_the_neighbours_of_what_gave_way(tmp_path):
    with case_with(tmp_path, 40, CHEAP) as case:
        search = Search(case.database, 100.0)
        assert search.total == 4 * CHEAP.shards  # four files stand for all
        _, first = next(search)
        found(case, first.target.samples[0].id)
        assert search.total == 1 + 39
        assert sum(1 for _ in search) >= 39


def test_a_clue_names_the_key_that_searches_are_given(tmp_path):
    key = Key(KeyKind.RAW, b"a key of which records say its name alone")
    with case_with(tmp_path, 9, CHEAP) as case:
        search = Search(case.database, 100.0)
        item = next(search)[1].target.samples[0].id
        told = KeyFound(
            family="maze",
            fingerprint=key.fingerprint,
            bits=64,
            proof=WHY,
            item=item,
            attack="drawn",
            clue=f"XOR {key.fingerprint}",
        )
        with transaction(case.database):
            files.store(case.database, "search", item, [told])
            found_keys.keep(case.database, [Secret(family="maze", key=key, item=item)])
        _, near = next(search)
        assert near.target.clues == ((0, told.clue),)
        assert [each.data for each in near.target.keys] == [key.data]
