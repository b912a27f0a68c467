"""A locked file without a mark gets its family from the ransom note beside it, if there is just one."""

import json

from tests.fixtures.program import unransom
from tests.lockers import drawn

NOTE = (
    "All your files have been encrypted! To decrypt them write to help@example.org and pay in Bitcoin. "
    "Your personal ID: A1B2C3D4. Do not rename files. You have 72 hours."
)


def triaged(folder):
    rows = map(json.loads, unransom("triage", folder, "--jsonl").stdout.splitlines())
    return {row["path"]: row for row in rows}


def test_a_note_names_what_only_its_content_shows_to_be_locked(tmp_path):
    for folder in ("akira/deep/er", "unclear", "none"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "plan.docx").write_bytes(drawn(folder, 40_001))
    (tmp_path / "akira" / "akira_readme.txt").write_text(NOTE)
    (tmp_path / "unclear" / "readme.txt").write_text(NOTE)  # what several families call theirs
    found = triaged(tmp_path)
    named = found["akira/deep/er/plan.docx"]
    assert (named["state"], named["family"]) == ("locked", "akira2")
    assert "akira2" in named["why"]
    assert found["unclear/plan.docx"]["family"] is None
    assert found["none/plan.docx"]["family"] is None
