"""What holds the catalogue of losses together: folder, tuple, references and made files agree."""

from pathlib import Path

import pytest

from tests.catalog.losses.made import MADE
from unransom.catalog.losses import LOSSES

FOLDER = Path("src/unransom/catalog/losses")


def test_every_file_is_in_the_tuple_and_named_like_it():
    files = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")} - {"loss"}
    assert sorted(rule.name for rule in LOSSES) == sorted(files)


@pytest.mark.parametrize("rule", LOSSES, ids=lambda rule: rule.name)
def test_a_rule_has_a_reference_and_a_made_file_or_tests_of_its_own(rule):
    assert all(reference.startswith("https://") for reference in rule.references)
    assert rule.references
    assert rule.judge or rule.judge_opened
    assert rule.name in MADE or Path(f"tests/catalog/losses/test_{rule.name}.py").exists()


def test_a_warning_says_so():
    for rule in LOSSES:
        if rule.judge and not any(made.proven for made in MADE[rule.name]):
            assert any(limitation.startswith("A warning only") for limitation in rule.limitations), rule.name
