"""Which keys or values a place in a description may have, found by following its types."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

from unransom.catalog.schemes.data import Path


def allowed_at(kind: type, tree: object, path: Path) -> tuple[str, ...]:
    """Return the keys of the table at ``path`` in ``tree``, or the words that may stand there.

    Args:
        kind: What ``tree`` should be.
        tree: What was written.
        path: From the root of ``tree``.
    """
    node, value = inspect.type_info(kind), tree
    for step in path:
        here = _chosen(node, value)
        if step == "type" and isinstance(value, dict):
            return tuple(str(each.tag) for each in _structs(node))
        found = _below(here, step)
        if found is None or not isinstance(value, dict | list):
            return ()
        node, value = found, value[step]  # type: ignore[index]
    return _words(_chosen(node, value))


def _bare(node: inspect.Type) -> inspect.Type:
    return node.type if isinstance(node, inspect.Metadata) else node


def _structs(node: inspect.Type) -> list[inspect.StructType]:
    node = _bare(node)
    types = node.types if isinstance(node, inspect.UnionType) else (node,)
    return [each for each in map(_bare, types) if isinstance(each, inspect.StructType)]


def _chosen(node: inspect.Type, value: Any) -> inspect.Type:
    """Return the type that ``value`` has of those that ``node`` may be."""
    structs = _structs(node)
    if isinstance(value, dict) and structs:
        tagged = [each for each in structs if each.tag == value.get("type")]
        return next(iter(tagged), structs[0])
    return _bare(node)


def _below(node: inspect.Type, step: str | int) -> inspect.Type | None:
    """Return the type of the value that ``step`` leads to."""
    match node:
        case inspect.StructType():
            return next((field.type for field in node.fields if field.encode_name == step), None)
        case inspect.DictType():
            return node.value_type
        case inspect.VarTupleType():
            return node.item_type
        case inspect.TupleType() if isinstance(step, int) and step < len(node.item_types):
            return node.item_types[step]
        case _:
            return None


def _words(node: inspect.Type) -> tuple[str, ...]:
    match node:
        case inspect.StructType():
            tag = (node.tag_field,) if node.tag_field else ()
            return (*tag, *(field.encode_name for field in node.fields))
        case inspect.LiteralType():
            return tuple(map(str, node.values))
        case _:
            return ()
