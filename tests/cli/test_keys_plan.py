"""``unransom keys --plan``: what every attack costs here and on several machines, and what would help."""

import json
import subprocess

import pytest

from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("locked")
    for name in ("list.xlsx.zq", "cat.png.zq"):
        (folder / name).write_bytes(drawn(name, 50_000))
    return folder


def planned(locked, *options, language="en"):
    command = [UNRANSOM, "keys", locked, "--plan", *options]
    run = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env={"LANG": f"{language}.UTF-8"},
    )
    assert run.returncode == 0, run.stderr
    assert "search:" not in run.stderr
    return run.stdout


def test_every_search_says_what_it_costs_here_and_on_many_machines(locked):
    plans = json.loads(planned(locked, "--json", "--machines", "50"))["plans"]
    costs = {each["attack"]: each for each in plans if not each["family"]}
    assert {"drawn", "milliseconds", "ticks", "truncated", "nanoseconds", "repeats"} <= set(costs)
    for each in plans:
        if not each["shards"]:
            assert each["cost"] is None
            continue
        cost = each["cost"]
        assert (cost["machines"], each["candidates"] > 0, 0 < each["chance"] <= 1) == (50, True, True)
        assert cost["seconds_together"] <= cost["seconds_here"] <= each["seconds"]
    ticks = costs["ticks"]
    assert ticks["cost"]["seconds_here"] == pytest.approx(ticks["seconds"] / ticks["cost"]["cores"])
    assert ticks["cost"]["seconds_together"] == pytest.approx(ticks["cost"]["seconds_here"] / 50)
    assert all(
        costs[name]["helps"] for name in ("drawn", "milliseconds", "ticks", "nanoseconds", "keystream")
    )


def test_the_table_for_people_begins_with_what_is_most_worth_its_cost(locked):
    page = planned(locked)
    assert "10 machines like it:" in page
    assert "what would help: the family, the locker's program, or the time to the minute" in page
    places = [page.index(f"unnamed, {name}:") for name in ("repeats", "drawn", "ticks", "keystream")]
    assert places == sorted(places)


def test_the_plan_is_told_in_chinese(locked):
    page = planned(locked, language="zh_CN")
    assert "10 台同样的机器" in page
    assert "machines like it" not in page
