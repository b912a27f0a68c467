"""``result.json``: the result document for programs, and its JSON Schema.

The same document gives the same bytes: fields stand in the order of the structs, the keys of free
tables are sorted, two spaces indent. A sentence is an object with the English ``text`` as people read
it, and, neutral of language, its ``template`` and ``values``: programs compare templates, and any
language is rendered from them.
"""

from __future__ import annotations

import enum
import inspect
import re
from typing import Any

import msgspec

from unransom.core.messages import Message
from unransom.report.document import Result
from unransom.report.tallies import Part

SCHEMA_ID = "https://github.com/unransom/unransom/blob/main/docs/reference/result.schema.json"
SENTENCE: dict[str, Any] = {
    "title": "Message",
    "description": "A sentence for people.",
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "The sentence in English."},
        "template": {"type": "string", "description": "The English template, the same for all of its kind."},
        "values": {
            "type": "object",
            "description": "What is put into the template, by name; some values are sentences themselves.",
            "additionalProperties": {
                "anyOf": [
                    *({"type": each} for each in ("string", "number", "null")),
                    {"$ref": "#/$defs/Message"},
                ]
            },
        },
    },
    "required": ["text", "template", "values"],
}


def encode(result: Result) -> bytes:
    """Return ``result`` as JSON in UTF-8 with a final line break."""
    return msgspec.json.format(msgspec.json.encode(_plain(result)), indent=2) + b"\n"


def decode(data: bytes) -> Result:
    """Return the result document of a ``result.json``, also of a later version with more fields.

    Raises:
        msgspec.DecodeError: It is not JSON or not a result document.
    """
    return msgspec.convert(_with_messages(msgspec.json.decode(data)), Result)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``result.json``, with the meaning of every field."""
    (reference,), components = msgspec.json.schema_components((Result,), ref_template="#/$defs/{name}")
    components["Message"] = dict(SENTENCE)
    for part in Part.__subclasses__():
        described = components[part.__name__]
        described["description"] = (inspect.getdoc(part) or "").partition("\n\n")[0]
        for name, meaning in meanings(part).items():
            described["properties"][name]["description"] = meaning
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **reference,
        "$defs": components,
    }


def meanings(part: type[msgspec.Struct]) -> dict[str, str]:
    """Return what each field of ``part`` means, by its name in JSON, from the docstring."""
    text = inspect.getdoc(part) or ""
    entries = re.findall(
        r"^    (\w+): (.+(?:\n {8,}.+)*)", text.partition("\nAttributes:\n")[2], re.MULTILINE
    )
    found = {name: re.sub(r"\s+", " ", meaning).replace("``", "`") for name, meaning in entries}
    return {field.encode_name: found[field.name] for field in msgspec.structs.fields(part)}


def _plain(value: Any) -> Any:
    """Return ``value`` in JSON's own types, sentences with their English text."""
    if isinstance(value, Message):
        return {"text": _text(str(value)), "template": value.text, "values": _plain(value.values)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(key): _plain(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(type(value))
        if value.__struct_config__.array_like:
            return [_plain(getattr(value, field.name)) for field in fields]
        return {field.encode_name: _plain(getattr(value, field.name)) for field in fields}
    return value


def _text(text: str) -> str:
    """Return ``text`` without lone surrogates, which UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _with_messages(value: Any) -> Any:
    """Return decoded JSON with sentences turned back into what ``Message`` is made of."""
    if isinstance(value, list):
        return [_with_messages(each) for each in value]
    if isinstance(value, dict):
        if value.keys() >= SENTENCE["properties"].keys() and isinstance(value["values"], dict):
            return {"text": value["template"], "values": _with_messages(value["values"])}
        return {key: _with_messages(each) for key, each in value.items()}
    return value
