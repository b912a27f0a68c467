"""Every attack is in the tuple, says where its flaw is written down, and has been held to a made case."""

import re
from pathlib import Path

import pytest

from unransom.recover.keys.attacks import ATTACKS

FOLDER = Path("src/unransom/recover/keys/attacks")
TESTS = "\n".join(path.read_text() for path in sorted(Path("tests").rglob("test_attack*.py")))


def test_every_attack_file_is_in_the_tuple_and_named_like_it():
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "attack"}
    assert sorted(each.name for each in ATTACKS) == sorted(files)


@pytest.mark.parametrize("each", ATTACKS, ids=lambda each: each.name)
def test_an_attack_has_references_and_a_made_case(each):
    assert each.references
    assert re.fullmatch(r"T\d{1,2}", each.weakness)
    imported = rf"keys\.attacks(\.{each.name} import| import [^\n]*\b{each.name}\b)"
    own = Path(f"tests/recover/test_attack_{each.name}.py").exists()
    tried = own or re.search(imported, TESTS) or f'"{each.name}"' in TESTS
    assert tried, f"no tests/**/test_attack*.py tries {each.name}"
