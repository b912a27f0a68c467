"""The JSON Schema of descriptions of families, each key with what its part's docstring says about it."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from unransom.catalog.schemes.described import Description

_ENTRY = re.compile(r"^    (\w[\w, ]*): (.*(?:\n {8}.*)*)", re.M)


def schema() -> dict[str, Any]:
    """Return the schema; that names lead somewhere, and to what, it cannot say."""
    found = msgspec.json.schema(Description)
    for part in found["$defs"].values():
        text = inspect.cleandoc(part.get("description", ""))
        summary, _, attributes = text.partition("\n\nAttributes:\n")
        part["description"] = _plain(summary)
        for names, meaning in _ENTRY.findall(attributes):
            for name in names.split(", "):
                if name in part["properties"]:
                    part["properties"][name]["description"] = _plain(meaning)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _plain(text: str) -> str:
    """Return a piece of a docstring as running text."""
    return re.sub(r"\s+", " ", text).replace("``", "`").strip()
