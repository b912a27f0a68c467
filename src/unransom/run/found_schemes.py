"""Ways of locking that searches found out: kept in the case like those that people describe."""

from __future__ import annotations

import hashlib
import json

import msgspec

from unransom.case import files
from unransom.case.case import Case
from unransom.catalog.schemes.described import family_of
from unransom.core.searches import Described
from unransom.run.described import FACT, described_in
from unransom.run.searches import LOCKED


def adopt(case: Case, found: Described) -> bool:
    """Keep ``found`` in the case, for the files of the family it was found on; return whether it is new.

    Call inside of a transaction and ``publish`` after it. It becomes a candidate for each of the files: a key
    must prove itself on every one.
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
        original = ref.original or family.original_name(ref.path) or b""
        named = msgspec.structs.replace(ref, candidates=(family.name, *ref.candidates), original=original)
        body = files.encode(named).decode()
        case.database.execute("UPDATE files SET body = ? WHERE id = ?", (body, ref.id))
    return True
