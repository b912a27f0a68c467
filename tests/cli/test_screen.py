"""Progress in words: of its language, and never more than all or less than no time."""

import pytest

from tests.fixtures.locked import lock_inc, picture, write
from tests.fixtures.program import unransom
from unransom.cli import screen
from unransom.core.progress import Progress
from unransom.report.labels import STEPS
from unransom.run.flow import CARVE, FLOW


def test_a_search_that_grew_never_says_more_than_all_or_less_than_no_time(capsys):
    shown = screen.Screen(screen.Style.LINE)
    shown(Progress("search", 183, 180, "parts", "seeds", seconds=20.0, tried=5, finished=True))
    line = capsys.readouterr().err
    assert "183/183" in line
    assert "-" not in line
    assert "min left" not in line


@pytest.mark.parametrize("step", [*FLOW, CARVE])
def test_every_step_has_a_name_for_people(step):
    assert step.name in STEPS


def test_chinese_rows_and_progress_have_no_english_states(tmp_path):
    write(tmp_path / "in", {b"a.png.INC": lock_inc(picture("a"), b"a"), b"b.png": picture("b")})
    row = unransom("triage", tmp_path / "in", "--lang", "zh").stdout.splitlines()[0]
    assert row.startswith("被加密     inc")
    assert unransom("triage", tmp_path / "in").stdout.startswith("locked     inc")


def test_a_folder_without_databases_is_said_to_have_none(tmp_path):
    write(tmp_path / "in", {b"b.png": picture("b")})
    told = unransom("databases", tmp_path / "in", "--out", tmp_path / "rows", code=3).stderr
    assert "No database was found" in told
