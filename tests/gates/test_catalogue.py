"""What holds the catalogue together: folder, tuple and vectors agree, and nothing is left undocumented."""

import tomllib
from pathlib import Path

import pytest

from tests.catalog.formats.samples import SAMPLES
from unransom.catalog.families import FAMILIES
from unransom.catalog.formats import FORMATS
from unransom.cli.program import COMMANDS

CATALOG = Path("src/unransom/catalog")
VECTORS = Path("tests/vectors/families")


def modules(folder, besides):
    names = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    return names - besides


def test_every_family_file_is_in_the_tuple_and_named_like_it():
    assert sorted(each.name for each in FAMILIES) == sorted(modules(CATALOG / "families", set()))


def test_every_format_file_is_in_the_tuple_and_named_like_it():
    assert sorted(each.name for each in FORMATS) == sorted(
        modules(CATALOG / "formats", {"format", "identify"})
    )


def test_every_command_has_its_file():
    for command in COMMANDS:
        assert Path(f"src/unransom/cli/{command.name}.py").exists(), command.name


@pytest.mark.parametrize("each", FAMILIES, ids=lambda each: each.name)
def test_a_family_has_a_reference_and_vectors_with_a_pedigree(each):
    assert each.references
    vectors = sorted((VECTORS / each.name).glob("*.toml"))
    assert vectors, f"tests/vectors/families/{each.name}/ has no vector"
    for path in vectors:
        vector = tomllib.loads(path.read_text())
        assert {"made_by", "checked_against", "plain_sha256", "locked_sha256"} <= vector.keys(), path
        assert Path(vector["made_by"]).exists(), path


def test_no_vector_is_without_its_family():
    assert {path.name for path in VECTORS.iterdir()} == {each.name for each in FAMILIES}


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_a_format_has_a_reference_and_a_sample(each):
    assert each.references
    assert each.name in {sample.format for sample in SAMPLES.values()}


def test_names_and_aliases_are_unique():
    for entries in (FAMILIES, FORMATS):
        names = [name for each in entries for name in (each.name, *getattr(each, "aliases", ()))]
        assert len(names) == len(set(names))
