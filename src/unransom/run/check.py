"""The verdict on plain files: the same judgement and manifests as on a case's outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from unransom.catalog.oracle import judge
from unransom.core.hashing import digest
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.records import Grade, Verdict
from unransom.verify.integrity.manifest import entries, verdict_on


class Checked(NamedTuple):
    """A file, its format and the verdict on it."""

    path: Path
    format: str
    verdict: Verdict


def check_files(paths: Iterable[Path], manifests: Sequence[Path]) -> Iterator[Checked]:
    """Yield the verdict on each file; a manifest outranks its structure."""
    known: dict[bytes, list[tuple[str, str]]] = {}
    for manifest in manifests:
        with manifest.open("rb") as lines:
            for entry in entries(lines):
                promises = known.setdefault(entry.path.rpartition(b"/")[2], [])
                promises.append((entry.digest, manifest.name))
    for path in paths:
        try:
            yield _check(path, known)
        except OSError as error:
            why = say("the file cannot be read: {error}", error=str(error))
            yield Checked(path, "", Verdict(item=0, grade=Grade.UNKNOWN, check="none", why=why))


def _check(path: Path, known: dict[bytes, list[tuple[str, str]]]) -> Checked:
    name = str(path).encode("utf-8", "surrogateescape")
    with FileReader(path) as reader:
        judgement = judge(reader, name)
        promised = known.get(name.rpartition(b"/")[2], [])
        digests = digest(reader) if promised else None
    if digests:
        verdicts = [verdict_on(digests, expected, manifest) for expected, manifest in promised]
        good = [verdict for verdict in verdicts if verdict.grade is Grade.GOOD]
        return Checked(path, judgement.format, (good or verdicts)[0])
    validation = judgement.validation
    verdict = Verdict(
        item=0,
        grade=validation.grade,
        check="structure" if judgement.format else "none",
        bits=validation.bits,
        why=validation.why,
    )
    return Checked(path, judgement.format, verdict)
