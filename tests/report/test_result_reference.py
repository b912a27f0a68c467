"""docs/reference/result.md and result.schema.json are what the structs say."""

import pytest
from tools import result_reference


@pytest.mark.parametrize("path", result_reference.pages(), ids=lambda path: path.name)
def test_the_reference_is_up_to_date(path) -> None:
    text = result_reference.pages()[path]
    assert path.read_text(encoding="utf-8") == text, "run python tools/result_reference.py"


def test_a_stale_page_is_noticed(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(result_reference, "FOLDER", tmp_path / "reference")
    monkeypatch.setattr("sys.argv", ["result_reference.py", "--check"])
    assert result_reference.main() == 1
    assert "result.md is out of date" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["result_reference.py"])
    assert result_reference.main() == 0
    monkeypatch.setattr("sys.argv", ["result_reference.py", "--check"])
    assert result_reference.main() == 0
