"""CASE/UCO as JSON-LD: files, what was done, by which tool and whom, in the ontology of investigations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator

from unransom.report.exports.records import Act, Facts, File

ONTOLOGY = "https://ontology.unifiedcyberontology.org/uco/"
CONTEXT = {
    "kb": "http://example.org/kb/",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    **{
        f"uco-{name}": f"{ONTOLOGY}{name}/"
        for name in ("action", "core", "identity", "observable", "tool", "types", "vocabulary")
    },
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Node = dict[str, object]


def document(facts: Facts, files: Iterable[File], acts: Iterable[Act]) -> Iterator[bytes]:
    """Yield a JSON-LD document; files and acts are written as they come.

    Args:
        facts: The case.
        files: Its files.
        acts: The entries of its chain; their outputs are files of the case.
    """
    names = _Names(facts.case)
    yield b'{"@context": ' + json.dumps(CONTEXT).encode() + b', "@graph": [\n'
    yield json.dumps(_investigation(facts, names), ensure_ascii=False).encode()
    said: set[str] = set()
    for act in acts:
        for node in _of_act(act, names):
            if str(node["@id"]) not in said:
                yield b",\n" + json.dumps(node, ensure_ascii=False).encode()
            if node["@type"] != "case-investigation:InvestigativeAction":
                said.add(str(node["@id"]))
    for file in files:
        yield b",\n" + json.dumps(_file(file, names), ensure_ascii=False).encode()
    yield b"\n]}\n"


class _Names:
    """Identifiers that are the same whenever the same case is exported."""

    def __init__(self, case: str) -> None:
        self._space = uuid.uuid5(uuid.NAMESPACE_URL, f"unransom:{case}")

    def of(self, kind: str, what: str) -> str:
        return f"kb:{kind}-{uuid.uuid5(self._space, f'{kind} {what}')}"


def _investigation(facts: Facts, names: _Names) -> Node:
    return {
        "@id": names.of("investigation", facts.case),
        "@type": "case-investigation:Investigation",
        "uco-core:name": facts.name,
        "uco-core:objectCreatedTime": _time(facts.time),
    }


def _of_act(act: Act, names: _Names) -> Iterator[Node]:
    name, _, version = act.tool.partition(" ")
    tool = names.of("tool", act.tool)
    yield {
        "@id": tool,
        "@type": "uco-tool:AnalyticTool",
        "uco-core:name": name,
        "uco-tool:version": version,
    }
    action: Node = {
        "@id": names.of("action", act.hash),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": act.act,
        "uco-core:description": f"chain entry {act.sequence}, SHA-256 {act.hash}",
        "uco-action:endTime": _time(act.time),
        "uco-action:instrument": {"@id": tool},
    }
    if act.person:
        person = names.of("person", act.person)
        yield {"@id": person, "@type": "uco-identity:Person", "uco-core:name": act.person}
        action["uco-action:performer"] = {"@id": person}
    if act.outputs:
        action["uco-action:result"] = [{"@id": names.of("file", each)} for each in act.outputs]
    yield action


def _file(file: File, names: _Names) -> Node:
    path = file.path.decode("utf-8", "backslashreplace")  # as in the chain
    digests = [("MD5", file.md5), ("SHA256", file.sha256)]
    return {
        "@id": names.of("file", path),
        "@type": "uco-observable:File",
        "uco-core:description": f"{file.method} {file.derived_from}".strip(),
        "uco-core:hasFacet": [
            {
                "@id": names.of("file-facet", path),
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": path.rpartition("/")[2],
                "uco-observable:filePath": path,
                "uco-observable:sizeInBytes": {"@type": "xsd:integer", "@value": str(file.size)},
            },
            {
                "@id": names.of("content-facet", path),
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:hash": [_hash(path, *each, names) for each in digests if each[1]],
            },
        ],
    }


def _hash(path: str, method: str, value: str, names: _Names) -> Node:
    return {
        "@id": names.of("hash", f"{path} {method}"),
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": {"@type": "uco-vocabulary:HashNameVocab", "@value": method},
        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value.upper()},
    }


def _time(text: str) -> Node:
    return {"@type": "xsd:dateTime", "@value": text}
