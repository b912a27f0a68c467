"""result.json: valid by its own schema, the same bytes each time, and readable again."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from tests.report import sample_results
from unransom.core.messages import say
from unransom.report import jsonfile
from unransom.report.document import Result
from unransom.report.tallies import Part

SAMPLES = [sample_results.ordinary, sample_results.empty, sample_results.hostile]


def validator() -> Any:
    schema = jsonfile.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_is_valid_by_its_schema(sample: Any) -> None:
    validator().validate(json.loads(jsonfile.encode(sample())))


def test_the_schema_notices_what_is_wrong() -> None:
    document = json.loads(jsonfile.encode(sample_results.ordinary()))
    check = validator()
    for spoil in (
        lambda d: d["counts"].update({"in": "many"}),
        lambda d: d.update(next="Go on."),
        lambda d: d["families"][1]["wanted"].pop("template"),
        lambda d: d["not_recovered"][0].update(state="gone"),
        lambda d: d["partial_files"][0]["runs"][0].pop(),
        lambda d: d.pop("command"),
    ):
        spoiled = json.loads(json.dumps(document))
        spoil(spoiled)
        assert not check.is_valid(spoiled)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_document_gives_the_same_bytes(sample: Any) -> None:
    assert jsonfile.encode(sample()) == jsonfile.encode(sample())


@pytest.mark.parametrize("sample", [sample_results.ordinary, sample_results.empty])
def test_it_reads_back_as_it_was(sample: Any) -> None:
    assert jsonfile.decode(jsonfile.encode(sample())) == sample()


def test_a_sentence_in_a_sentence_reads_back() -> None:
    inner = say("the original of one file in an archive, the larger the better")
    outer = say("found in {place}: {what}; {why}", place="a", what=inner, why=inner)
    result = msgspec.structs.replace(sample_results.empty(), next=outer)
    assert json.loads(jsonfile.encode(result))["next"]["values"]["what"]["text"] == str(inner)
    assert jsonfile.decode(jsonfile.encode(result)) == result


def test_a_later_version_with_more_fields_still_reads() -> None:
    document = json.loads(jsonfile.encode(sample_results.ordinary()))
    document["weather"] = "fine"
    document["counts"]["elsewhere"] = 0
    assert jsonfile.decode(json.dumps(document).encode()) == sample_results.ordinary()


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"version": 1}'])
def test_what_is_no_result_document(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        jsonfile.decode(data)


def test_sentences_are_english_and_neutral_of_language() -> None:
    document = json.loads(jsonfile.encode(sample_results.ordinary()))
    assert document["next"] == {
        "text": "2,082 files need a key that was not given; ask the police.",
        "template": "{files:,} files need a key that was not given; ask the police.",
        "values": {"files": 2082},
    }
    assert document["counts"]["in"] == 1_204_881
    assert document["partial_files"][0]["runs"][0] == [0, 262_144, "lost"]


def test_lone_surrogates_become_visible() -> None:
    assert b"\\\\udcff" in jsonfile.encode(sample_results.hostile())


def parts() -> list[type[msgspec.Struct]]:
    return [*Part.__subclasses__()]


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.__name__)
def test_every_field_says_what_it_means(part: type[msgspec.Struct]) -> None:
    assert all(len(meaning) > 3 for meaning in jsonfile.meanings(part).values())
    assert len(jsonfile.meanings(part)) == len(msgspec.structs.fields(part))


def test_every_part_is_in_the_schema() -> None:
    assert {part.__name__ for part in parts()} <= set(jsonfile.schema()["$defs"])
    assert Result in parts()
