"""The bundle of a case for court and insurer: what was done, what came of it, and how to check that."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from unransom import __version__
from unransom.case import seal, stamps
from unransom.case.case import IMAGES, Case
from unransom.case.custody import Person, custody_of
from unransom.case.files import records_of
from unransom.case.verify import TOLD
from unransom.catalog.families import family
from unransom.core.clock import now_ns, rfc3339
from unransom.core.errors import UsageError, VerificationError
from unransom.core.hashing import digest
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.records import Finding, KeyFound
from unransom.report import html, jsonfile
from unransom.report.exports import manifests, stix, uco
from unransom.report.exports.records import Act, Facts, File
from unransom.run.described import described_in
from unransom.run.recover import conclude

TOOL = f"unransom {__version__}"
SAMPLE = 1000  # locked files of a family that its extension is read from
README = """How to check this bundle, without unransom:

  sha256sum -c SHA256SUMS                        the files of this bundle
  hashdeep -r -l -a -k manifest.hashdeep FILES   what came back, run in the case folder
  chain.jsonl                                    each line's "hash" is the SHA-256 of the line without it, as
                                                 JSON with sorted keys and no spaces; "previous" is the one
                                                 before; "signature": see custody.json
  timestamps/N.tsr                               openssl ts -verify -in N.tsr -data N.root -CAfile CA.pem

With it: unransom case verify DIR, on the case folder.
"""


def export(case: Case, out: Path, language: str = "en") -> list[str]:
    """Write the bundle into the new folder ``out``; return the names of its files.

    Every file of the case is read again and compared on the way.

    Raises:
        UsageError: The folder has something in it.
        VerificationError: A file is not what the chain says; no bundle is written that says so.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(
            say("{folder} is not empty", folder=str(out)), hint=say("name a new folder for the bundle")
        )
    out.mkdir(parents=True, exist_ok=True)
    files = list(_files(case))
    facts = _facts(case)
    entries = (entry for (entry,) in case.database.execute("SELECT entry FROM chain ORDER BY sequence"))
    result = conclude(case, f"unransom case export {case.folder}", [])
    documents: dict[str, Iterable[bytes]] = {
        "manifest.hashdeep": manifests.hashdeep(files, TOOL),
        "manifest.dfxml": manifests.dfxml(files, TOOL, rfc3339(now_ns())),
        "case.jsonld": uco.document(facts, files, _acts(entries)),
        "indicators.stix.json": [_json(stix.bundle(facts))],
        "keys.json": [_json(_keys(case))],
        "custody.json": [_json(_custody(case))],
        "result.json": [jsonfile.encode(result)],
        "report.html": [html.render(result, language).encode()],
        "README.txt": [README.encode()],
        "chain.jsonl": [(case.folder / "chain.jsonl").read_bytes()],
        **_stamps(case),
    }
    sums = {name: _write(out / name, pieces) for name, pieces in documents.items()}
    _write(out / "SHA256SUMS", (f"{sha256}  {name}\n".encode() for name, sha256 in sums.items()))
    return [*sums, "SHA256SUMS"]


def _write(path: Path, pieces: Iterable[bytes]) -> str:
    """Write ``pieces`` to a new file; return its SHA-256."""
    path.parent.mkdir(exist_ok=True)
    sha256 = hashlib.sha256()
    with path.open("xb") as file:
        for piece in pieces:
            sha256.update(piece)
            file.write(piece)
    return sha256.hexdigest()


def _files(case: Case) -> Iterator[File]:
    """Yield the outputs and images of the case, read again."""
    rows = case.database.execute(
        "SELECT output, md5, sha256, source, path, method, key FROM files"
        " WHERE output IS NOT NULL ORDER BY id"
    )
    for output, md5, sha256, source, path, method, key in rows:
        origin = f"{source}:{path.decode('utf-8', 'backslashreplace')}"
        yield _checked(case, File(output, 0, md5, sha256, origin, method or "", key or ""))
    for path, sha256 in json.loads(case.fact(IMAGES, "{}")).items():
        yield _checked(case, File(os.fsencode(path), 0, "", sha256, method="acquire"))


def _checked(case: Case, file: File) -> File:
    with FileReader(os.path.join(os.fsencode(case.folder), file.path)) as reader:  # noqa: PTH118 bytes
        found = digest(reader)
    if found.sha256 != file.sha256:
        shown = file.path.decode("utf-8", "backslashreplace")
        raise VerificationError(
            say("{path}: the content was changed", path=shown),
            hint=say("`unransom case verify DIR` names everything that was changed"),
        )
    return msgspec.structs.replace(file, size=found.size, md5=found.md5)


def _acts(entries: Iterable[str]) -> Iterator[Act]:
    for entry in map(json.loads, entries):
        facts = entry["facts"]
        outputs = facts["outputs"] if entry["act"] in TOLD else ()
        person = facts.get("person", "")
        paths = tuple(path for path, _ in outputs)
        yield Act(entry["sequence"], entry["time"], entry["act"], entry["hash"], facts["tool"], person, paths)


def _facts(case: Case) -> Facts:
    described = described_in(case)
    rows = case.database.execute("SELECT DISTINCT family FROM files WHERE family IS NOT NULL ORDER BY 1")
    named = [family(name, described) for (name,) in rows]
    found: dict[tuple[str, str], None] = {}
    for finding in records_of(case.database, Finding):
        if finding.kind == "note":
            for kind, values in finding.facts.items():
                found |= dict.fromkeys((kind, value) for value in values.split(", ") if value)
    found |= dict.fromkeys(("extension", each) for each in _extensions(case))
    return Facts(
        case=custody_of(case).case,
        name=case.fact("name"),
        time=rfc3339(int(case.fact("created", "0"))),
        families=tuple(each.title for each in named),
        indicators=tuple(found),
    )


def _extensions(case: Case) -> Iterator[str]:
    """Yield the endings that lockers gave to most of the files that were unlocked again."""
    query = "SELECT DISTINCT family FROM files WHERE method = 'unlock'"
    for (name,) in case.database.execute(query).fetchall():
        rows = case.database.execute(
            "SELECT path FROM files WHERE method = 'unlock' AND family = ? LIMIT ?", (name, SAMPLE)
        ).fetchall()
        endings = Counter(path.rpartition(b"/")[2].rpartition(b".")[2] for (path,) in rows)
        ending, count = endings.most_common(1)[0]
        if count > len(rows) // 2:
            yield f".{ending.decode('utf-8', 'backslashreplace')}"


def _keys(case: Case) -> list[dict[str, str | int]]:
    found = {(each.family, each.fingerprint): each for each in records_of(case.database, KeyFound)}
    return [
        {
            "family": key.family,
            "fingerprint": key.fingerprint,
            "proof": str(key.proof),
            "bits": key.bits,
            "attack": key.attack,
        }
        for key in found.values()
    ]


def _custody(case: Case) -> dict[str, object]:
    custody = custody_of(case)
    return {
        "tool": TOOL,
        "case": custody.case,
        "entries": custody.tree.size,
        "root": custody.tree.root(),
        "signatures": custody.signed,
        "signature": "Ed25519 over 'unransom case signature 1', a zero byte and the JSON of act and facts"
        " without signature and tool",
        "people": [_person(each) for each in custody.people.values()],
        "removed": [_person(each) for each in custody.former],
        "time_stamps": [
            {"authority": each.authority, "root": each.root, "time": stamps.time_of(each)}
            for each in custody.stamps
            if each.token
        ],
        "images": json.loads(case.fact(IMAGES, "{}")),
        "sealed": msgspec.to_builtins(seal.read(case.folder)),
    }


def _person(person: Person) -> dict[str, str]:
    return {**msgspec.to_builtins(person), "fingerprint": person.fingerprint}


def _stamps(case: Case) -> dict[str, Iterable[bytes]]:
    written: dict[str, Iterable[bytes]] = {}
    for stamp in custody_of(case).stamps:
        if stamp.token:
            written[f"timestamps/{stamp.sequence}.tsr"] = [base64.b64decode(stamp.token)]
            written[f"timestamps/{stamp.sequence}.root"] = [stamp.root.encode()]
    return written


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
