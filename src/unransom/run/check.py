"""The verdict on plain files: the same judgement and manifests as on a case's outputs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from unransom.case.manifests import is_of
from unransom.catalog.oracle import judge
from unransom.core.ahead import ahead
from unransom.core.errors import UsageError
from unransom.core.hashing import digest
from unransom.core.messages import Message, say
from unransom.core.outputs import FileReader
from unransom.core.progress import Listener, Progress, silent
from unransom.core.records import Grade, Verdict
from unransom.verify.integrity.manifest import Entry, entries, verdict_on

AHEAD = 4  # files that wait for each thread


class Checked(NamedTuple):
    """A file, its format, the verdict on it, and its size in bytes."""

    path: Path
    format: str
    verdict: Verdict
    size: int = 0


class Promise(NamedTuple):
    """What a manifest says of a file: its path there, its hash, and the manifest's name."""

    path: bytes
    digest: str
    manifest: str


class Check:
    """The check of files; what manifests promise and no file was found for is known after it."""

    def __init__(self, manifests: Sequence[Path]) -> None:
        """Read the manifests.

        Raises:
            UsageError: There is no hash in one.
        """
        self._known: dict[bytes, list[Promise]] = {}
        self._unseen: set[Promise] = set()
        for manifest in manifests:
            for entry in hashes_in(manifest):
                promise = Promise(entry.path, entry.digest, manifest.name)
                self._known.setdefault(entry.path.rpartition(b"/")[2], []).append(promise)
                self._unseen.add(promise)
        self.promised = len(self._unseen)

    @property
    def unseen(self) -> list[bytes]:
        """The paths that manifests name and that no file was held against, sorted."""
        return sorted({promise.path for promise in self._unseen})

    def files(self, paths: Iterable[Path], listener: Listener = silent) -> Iterator[Checked]:
        """Yield the verdict on each file, and on each below a folder; a manifest outranks its structure.

        Hashing and most of what reads content leaves Python's lock, so that threads use all cores.
        """
        began, size, done = time.monotonic(), 0, 0
        for done, checked in enumerate(ahead(self._one, _every_file(paths), AHEAD), 1):
            size += checked.size
            yield checked
            listener(_progress(done, size, began, str(checked.path)))
        if done:
            listener(_progress(done, size, began, finished=True))

    def _one(self, found: tuple[Path, Path | Checked]) -> Checked:
        path, file = found
        if isinstance(file, Checked):
            return file
        below = _below(path, file)
        promised = self._known.get(below.rpartition(b"/")[2], [])
        checked, kept = _check(file, below, promised)
        self._unseen.difference_update(kept)
        return checked


def _progress(done: int, size: int, began: float, name: str = "", *, finished: bool = False) -> Progress:
    seconds = time.monotonic() - began
    return Progress("verify", done, 0, "files", name, bytes_done=size, seconds=seconds, finished=finished)


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


def _every_file(paths: Iterable[Path]) -> Iterator[tuple[Path, Path | Checked]]:
    """Yield each of ``paths`` with itself or the files below it."""
    for path in paths:
        for file in _files_at(path):
            yield path, file


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


def _check(path: Path, below: bytes, promised: list[Promise]) -> tuple[Checked, list[Promise]]:
    """Return the verdict on a file, and what manifests promise of it."""
    try:
        with FileReader(path) as reader:
            judgement = judge(reader, below)
            digests = digest(reader) if promised else None
    except OSError as error:
        why = say("the file cannot be read: {error}", error=error.strerror or str(error))
        return Checked(path, "", _undecided(why)), [each for each in promised if _is_of(each.path, below)]
    if digests:
        verdicts = [(each, verdict_on(digests, each.digest, each.manifest)) for each in promised]
        good = [(each, verdict) for each, verdict in verdicts if verdict.grade is Grade.GOOD]
        binding = good or [(each, verdict) for each, verdict in verdicts if _is_of(each.path, below)]
        if binding:
            checked = Checked(path, judgement.format, binding[0][1], reader.size)
            return checked, [each for each, _ in binding]
    validation = judgement.validation
    verdict = Verdict(
        item=0,
        grade=validation.grade,
        check="structure" if judgement.format else "none",
        bits=validation.bits,
        why=validation.why,
    )
    return Checked(path, judgement.format, verdict, reader.size), []


def _is_of(entry: bytes, path: bytes) -> bool:
    """Return whether ``entry`` binds ``path``: not where only the name is the same, and the folder is not."""
    return is_of(entry, path) or entry.split(b"/")[-2:] == path.split(b"/")[-2:]
