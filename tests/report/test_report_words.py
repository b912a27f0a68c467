"""Every sentence of the report has its Chinese, with the same placeholders, and no Chinese is left over."""

import ast
import string
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from unransom import report
from unransom.core.records import Grade, State
from unransom.core.spans import Origin
from unransom.recover.carve.mapping import ORDER
from unransom.report import labels
from unransom.report.tallies import ENDS, Holdings

CHINESE = tomllib.loads(
    resources.files("unransom.core").joinpath("locale", "zh", "report.toml").read_text(encoding="utf-8")
)


def templates() -> Iterator[str]:
    for path in Path(report.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                (text,) = node.args
                assert isinstance(text, ast.Constant), f"{path.name}:{node.lineno} is not a literal"
                yield text.value


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("template", sorted(set(templates())))
def test_a_sentence_has_its_chinese(template: str) -> None:
    chinese = CHINESE[template]
    assert placeholders(chinese) == placeholders(template)
    assert chinese != template


def test_no_translation_is_left_over() -> None:
    assert set(CHINESE) == set(templates())


def test_every_state_origin_and_grade_has_a_name() -> None:
    assert set(labels.STATES) == set(ENDS) == set(State) - {State.FOUND, State.LOCKED}
    assert set(labels.ORIGINS) == set(Origin)
    assert set(labels.GRADES) == set(Grade)
    assert tuple(labels.HOLDINGS) == ORDER == tuple(Holdings().by_class())


def test_no_label_is_left_over() -> None:
    folder = Path(report.__path__[0])
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("templates/*.j2"))
    text += (folder / "text.py").read_text(encoding="utf-8")
    assert not [name for name in labels.LABELS if f"t.{name}" not in text and f'"{name}"' not in text]
