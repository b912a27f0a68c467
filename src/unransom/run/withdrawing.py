"""Takes back outputs that are not what was wanted, so that their files can be unlocked again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from unransom.case.case import Case
from unransom.case.database import transaction

COLUMNS = (  # that unlocking fills
    *("output", "output_size", "method", "key", "md5", "sha256", "verdict"),
    *("plain", "unlocked", "guessed", "lost"),
)
# Outputs that a second family has still locked. Without the key of the outer layer they are all there is.
_LOCKED_BENEATH = (
    "method = 'unlock' AND output IS NOT NULL AND verdict <> 'good'"
    " AND key IN (SELECT value FROM json_each(?)) AND id IN (SELECT item FROM records WHERE type = 'Output'"
    " AND coalesce(json_extract(body, '$.locked_by'), '') <> '')"
)


def withdraw(case: Case, where: str, value: str) -> list[bytes]:
    """Take back the outputs of the files that meet ``where``; call inside of a transaction.

    Args:
        case: The case.
        where: SQL condition on ``files`` with one parameter.
        value: That parameter.

    Returns:
        The paths that no other file has: ``remove`` takes them once the transaction is over.
    """
    database = case.database
    rows = database.execute(
        f"SELECT id, family, output, sha256 FROM files WHERE {where} ORDER BY id", (value,)
    ).fetchall()
    by_family: dict[str, list[list[str]]] = {}
    for _, family, path, sha256 in rows:
        by_family.setdefault(family or "", []).append([path.decode("utf-8", "backslashreplace"), sha256])
    for family, outputs in by_family.items():
        case.record("outputs withdrawn", {"family": family, "outputs": outputs})
    database.executemany(
        f"UPDATE files SET {', '.join(f'{name} = NULL' for name in COLUMNS)} WHERE id = ?",
        ((number,) for number, *_ in rows),
    )
    database.executemany(
        "DELETE FROM journal WHERE step IN ('unlock', 'integrity') AND item = ?",
        ((number,) for number, *_ in rows),
    )
    paths = [path for _, _, path, _ in rows]
    return [
        each
        for each in paths
        if not database.execute("SELECT 1 FROM files WHERE output = ?", (each,)).fetchone()
    ]


def remove(case: Case, paths: Iterable[bytes]) -> None:
    """Publish that outputs were withdrawn, and remove them."""
    case.publish()
    for path in paths:
        case.folder.joinpath(os.fsdecode(path)).unlink(missing_ok=True)


def withdraw_locked_beneath(case: Case, keys: Iterable[str]) -> None:
    """Let files be unlocked again of which only an outer layer was undone, and for which there is a new key.

    Args:
        case: The case.
        keys: Fingerprints of the keys that are at hand: the outer layer is undone once more.
    """
    where, value = _LOCKED_BENEATH, json.dumps(sorted(keys))
    with transaction(case.database):
        numbers = case.database.execute(f"SELECT id FROM files WHERE {where}", (value,)).fetchall()
        paths = withdraw(case, where, value)
        case.database.executemany("UPDATE files SET state = 'locked' WHERE id = ?", numbers)
    remove(case, paths)
