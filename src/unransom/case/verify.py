"""Whether a case is what it was: its chain, and every output that the chain tells of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from unransom.case.case import Case
from unransom.case.chain import check
from unransom.core.hashing import digest
from unransom.core.messages import Message, say
from unransom.core.outputs import FileReader


def flaws(case: Case) -> Iterator[Message]:
    """Yield everything that was changed, is missing or out of order; nothing where all holds."""
    with (case.folder / "chain.jsonl").open("rb") as file:
        lines = file.read().splitlines(keepends=True)
    flaw = check(lines)
    if flaw:
        yield say("chain.jsonl, entry {sequence}: {why}", sequence=flaw.sequence, why=str(flaw.why))
        return
    stored = [entry for (entry,) in case.database.execute("SELECT entry FROM chain ORDER BY sequence")]
    if stored != [line.decode().rstrip("\n") for line in lines]:
        yield say("chain.jsonl and case.sqlite do not tell the same")
    told = _outputs(lines)
    for path, sha256 in told.items():
        yield from _output(case, path, sha256)
    known = case.database.execute("SELECT output, sha256 FROM files WHERE output IS NOT NULL")
    for path, sha256 in known:
        shown = path.decode("utf-8", "backslashreplace")
        if told.get(shown) != sha256:
            yield say("{path}: case.sqlite has another hash than the chain", path=shown)


def _outputs(lines: Iterable[bytes]) -> dict[str, str]:
    """Return the SHA-256 of every output that the chain tells of, by path, save those withdrawn later."""
    told: dict[str, str] = {}
    for line in lines:
        entry = json.loads(line)
        if entry["act"] == "outputs":
            told.update(entry["facts"]["outputs"])
        elif entry["act"] == "outputs withdrawn":
            for path, _ in entry["facts"]["outputs"]:
                told.pop(path, None)
    return told


def _output(case: Case, shown: str, sha256: str) -> Iterator[Message]:
    """Yield what is wrong with an output on disk; the chain has odd bytes of names escaped."""
    row = case.database.execute("SELECT output FROM files WHERE sha256 = ?", (sha256,)).fetchone()
    path = case.folder / (row[0].decode("utf-8", "surrogateescape") if row else shown)
    try:
        with FileReader(path) as reader:
            if digest(reader).sha256 != sha256:
                yield say("{path}: the content was changed", path=shown)
    except OSError:
        yield say("{path}: the file is missing", path=shown)
