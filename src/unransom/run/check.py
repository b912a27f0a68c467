"""The verdict on plain files: the same judgement and manifests as on a case's outputs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from unransom.case.manifests import is_of
from unransom.catalog.oracle import judge
from unransom.core.errors import UsageError
from unransom.core.hashing import digest
from unransom.core.messages import Message, say
from unransom.core.outputs import FileReader
from unransom.core.records import Grade, Verdict
from unransom.verify.integrity.manifest import Entry, entries, verdict_on


class Checked(NamedTuple):
    """A file, its format and the verdict on it."""

    path: Path
    format: str
    verdict: Verdict


class Promise(NamedTuple):
    """What a manifest says of a file: its path there, its hash, and the manifest's name."""

    path: bytes
    digest: str
    manifest: str


def check_files(paths: Iterable[Path], manifests: Sequence[Path]) -> Iterator[Checked]:
    """Yield the verdict on each file, and on each below a folder; a manifest outranks its structure.

    Raises:
        UsageError: There is no hash in a manifest.
    """
    known: dict[bytes, list[Promise]] = {}
    for manifest in manifests:
        for entry in hashes_in(manifest):
            promises = known.setdefault(entry.path.rpartition(b"/")[2], [])
            promises.append(Promise(entry.path, entry.digest, manifest.name))
    for path in paths:
        for file in _files_at(path):
            yield file if isinstance(file, Checked) else _check(file, _below(path, file), known)


def hashes_in(manifest: Path) -> Iterator[Entry]:
    """Yield the entries of a manifest.

    Raises:
        UsageError: There is none.
    """
    entry = None
    with manifest.open("rb") as lines:
        for entry in entries(lines):
            yield entry
    if entry is None:
        raise UsageError(
            say("there is no hash in {path}", path=str(manifest)),
            hint=say("md5sum, sha256sum, hashdeep and CSV with MD5 or SHA-256 are read"),
        )


def _files_at(path: Path) -> Iterator[Path | Checked]:
    """Yield ``path``, or the files below it, and what is said of folders that cannot be listed."""
    if not path.is_dir():
        yield path
        return
    faults: list[OSError] = []
    for folder, _, names in os.walk(path, onerror=faults.append):
        yield from (Path(folder, name) for name in sorted(names))
    for fault in faults:
        why = say("it cannot be listed: {error}", error=fault.strerror or str(fault))
        yield Checked(Path(os.fsdecode(fault.filename)), "", _undecided(why))


def _below(folder: Path, file: Path) -> bytes:
    """Return the path of ``file`` below ``folder``, its name where it is no other."""
    return os.fsencode(file.name if file == folder else file.relative_to(folder))


def _undecided(why: Message) -> Verdict:
    return Verdict(item=0, grade=Grade.UNKNOWN, check="none", why=why)


def _check(path: Path, below: bytes, known: dict[bytes, list[Promise]]) -> Checked:
    promised = known.get(below.rpartition(b"/")[2], [])
    try:
        with FileReader(path) as reader:
            judgement = judge(reader, below)
            digests = digest(reader) if promised else None
    except OSError as error:
        why = say("the file cannot be read: {error}", error=error.strerror or str(error))
        return Checked(path, "", _undecided(why))
    if digests:
        verdicts = [(each, verdict_on(digests, each.digest, each.manifest)) for each in promised]
        good = [verdict for _, verdict in verdicts if verdict.grade is Grade.GOOD]
        binding = good or [verdict for each, verdict in verdicts if _is_of(each.path, below)]
        if binding:
            return Checked(path, judgement.format, binding[0])
    validation = judgement.validation
    verdict = Verdict(
        item=0,
        grade=validation.grade,
        check="structure" if judgement.format else "none",
        bits=validation.bits,
        why=validation.why,
    )
    return Checked(path, judgement.format, verdict)


def _is_of(entry: bytes, path: bytes) -> bool:
    """Return whether ``entry`` binds ``path``: not where only the name is the same, and the folder is not."""
    return is_of(entry, path) or entry.split(b"/")[-2:] == path.split(b"/")[-2:]
