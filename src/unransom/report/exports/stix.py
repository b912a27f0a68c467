"""STIX 2.1: what others can look for, read from notes and names that the locker left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from unransom.report.exports.records import Facts

NAMESPACE = uuid.UUID("4ac8b6de-2f03-5d9f-8a47-6f7f2d6a9c11")
Node = dict[str, object]


def bundle(facts: Facts) -> Node:
    """Return a bundle: one malware for each family, one indicator for each thing to look for."""
    objects = list(_objects(facts))
    return {"type": "bundle", "id": _name("bundle", facts.case), "objects": objects}


def _objects(facts: Facts) -> Iterator[Node]:
    time = _milliseconds(facts.time)
    common = {"spec_version": "2.1", "created": time, "modified": time}
    author = _name("identity", "unransom")
    yield {
        "type": "identity",
        "id": author,
        **common,
        "name": "unransom",
        "identity_class": "system",
    }
    for family in facts.families:
        yield {
            "type": "malware",
            "id": _name("malware", f"{facts.case} {family}"),
            **common,
            "created_by_ref": author,
            "name": family,
            "malware_types": ["ransomware"],
            "is_family": True,
        }
    for kind, value in facts.indicators:
        pattern = _pattern(kind, value)
        if not pattern:
            continue
        identifier = _name("indicator", f"{facts.case} {pattern}")
        yield {
            "type": "indicator",
            "id": identifier,
            **common,
            "created_by_ref": author,
            "name": f"{kind}: {value}",
            "indicator_types": ["malicious-activity"],
            "pattern": pattern,
            "pattern_type": "stix",
            "valid_from": time,
        }
        if len(facts.families) == 1:  # of several, nobody knows which one's it is
            yield {
                "type": "relationship",
                "id": _name("relationship", f"{facts.case} {pattern}"),
                **common,
                "created_by_ref": author,
                "relationship_type": "indicates",
                "source_ref": identifier,
                "target_ref": _name("malware", f"{facts.case} {facts.families[0]}"),
            }


def _pattern(kind: str, value: str) -> str:
    """Return what finds it, "" for what no observable of STIX has."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    if kind == "onion":
        host = quoted.removeprefix("http://").removeprefix("https://").partition("/")[0]
        return f"[domain-name:value = '{host}'] OR [url:value = '{quoted}']"
    if kind == "contact" and "@" in value:
        return f"[email-addr:value = '{quoted}']"
    if kind == "extension":
        like = quoted.replace("%", "\\\\%").replace("_", "\\\\_")
        return f"[file:name LIKE '%{like}']"
    return f"[artifact:payload_bin LIKE '%{quoted}%']" if kind == "wallet" else ""


def _name(kind: str, what: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, f'{kind} {what}')}"


def _milliseconds(time: str) -> str:
    head, _, fraction = time.rstrip("Z").partition(".")
    return f"{head}.{fraction[:3]:0<3}Z"
