"""Ways of locking that searches found out: kept in the case like those that people describe."""

from __future__ import annotations

import hashlib
import json

import msgspec

from unransom.case import files
from unransom.case.case import Case
from unransom.catalog.schemes.described import family_of
from unransom.core.records import FileRef
from unransom.core.searches import Described
from unransom.run.described import FACT, described_in
from unransom.run.searches import LOCKED


def adopt(case: Case, found: Described) -> bool:
    """Keep ``found`` in the case and name the files by it that it was found on; return whether it is new.

    Call inside of a transaction and ``publish`` after it. Files whose names do not show it become candidates:
    a key must prove itself on each of them.
    """
    known = described_in(case)
    family = family_of(found.description)
    if any(family_of(body).name == family.name for body in known):
        return False
    case.set_fact(FACT, json.dumps([body.decode() for body in (*known, found.description)]))
    case.record(
        "family found", {"name": family.name, "sha256": hashlib.sha256(found.description).hexdigest()}
    )
    where = f"{LOCKED} AND coalesce(family, '') = :family"
    for ref in list(files.select(case.database, where, family=found.family)):
        original = family.original_name(ref.path)
        _name(case, _named(ref, family.name, original))
    return True


def _named(ref: FileRef, name: str, original: bytes | None) -> FileRef:
    candidates = (name, *ref.candidates)
    if original is None:
        return msgspec.structs.replace(ref, candidates=candidates)
    return msgspec.structs.replace(ref, family=name, candidates=candidates, original=ref.original or original)


def _name(case: Case, ref: FileRef) -> None:
    body = files.encode(ref).decode()
    case.database.execute("UPDATE files SET family = ?, body = ? WHERE id = ?", (ref.family, body, ref.id))
