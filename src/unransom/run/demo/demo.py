"""The demo: makes a locked company, runs the main job on it, and compares every hash with the original's.

DIR/evidence/           the locked company: a share, a disk image, a copy of a bucket
DIR/campaign-key.txt    the private key, as a key holder would hand it over
DIR/originals.sha256    what `sha256sum -c` in DIR/case/recovered checks
DIR/case/               the case
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from unransom.case.case import Case
from unransom.core.errors import UsageError
from unransom.core.hashing import digest
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.progress import Listener, silent
from unransom.report.document import Result
from unransom.run.demo.company import company
from unransom.run.demo.evidence import Layout, sources_in
from unransom.run.demo.seal import EXTENSION, NOTE, NOTE_NAME, seal
from unransom.run.executor import Executor
from unransom.run.recover import Job, recover

NAME = "Lantern & Loom"
EVIDENCE, KEY, HASHES, CASE = "evidence", "campaign-key.txt", "originals.sha256", "case"


class Played(msgspec.Struct, frozen=True):
    """What the demo came to.

    Attributes:
        result: Of the main job.
        files: Files that were locked.
        exact: Of these, how many came back byte for byte.
        differing: Paths below ``recovered`` of the others.
        seconds: The main job's time.
    """

    result: Result
    files: int
    exact: int
    differing: tuple[str, ...]
    seconds: float


def holds_demo(folder: Path) -> bool:
    """Return whether ``folder`` holds a demo that was made before.

    Raises:
        UsageError: It holds something else.
    """
    if (folder / HASHES).is_file():
        return True
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            say("{folder} is neither empty nor a demo", folder=str(folder)),
            hint=say("name a new folder with --out: the demo writes beside no other files"),
        )
    return False


def make(folder: Path) -> None:
    """Make the locked company in ``folder``: all of it or, where that fails, nothing."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _make(draft)
        folder.mkdir(exist_ok=True)
        for name in (EVIDENCE, KEY, HASHES):  # the hashes last: by them a demo is known
            (draft / name).replace(folder / name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make(folder: Path) -> None:
    private = X25519PrivateKey.generate()
    public = private.public_key()
    evidence = folder / EVIDENCE
    evidence.mkdir()
    layout = Layout(evidence, lambda content: seal(content, public), EXTENSION, (NOTE_NAME, NOTE))
    layout.write(company())
    (folder / KEY).write_text(private.private_bytes_raw().hex() + "\n")
    lines = (f"{hashed}  {path}\n" for path, hashed in layout.hashes.items())
    (folder / HASHES).write_text("".join(lines), encoding="utf-8")


def play(folder: Path, executor: Executor, listener: Listener = silent, language: str = "en") -> Played:
    """Recover the demo in ``folder`` and compare what came back with the hashes of the originals."""
    began = time.monotonic()
    job = Job(
        sources=tuple(map(str, sources_in(folder / EVIDENCE))),
        case=folder / CASE,
        keys=(folder / KEY,),
        command="unransom demo",
    )
    with Case(job.case, create=True, name=NAME):
        pass  # made, or still there
    result = recover(job, executor, listener, language)
    seconds = time.monotonic() - began
    lines = (folder / HASHES).read_text(encoding="utf-8").splitlines()
    expected = {path: hashed for hashed, _, path in (line.partition("  ") for line in lines)}
    recovered = folder / CASE / "recovered"
    differing = tuple(path for path, hashed in expected.items() if not _is(recovered / path, hashed))
    return Played(result, len(expected), len(expected) - len(differing), differing, seconds)


def _is(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with FileReader(path) as reader:
        return digest(reader).sha256 == sha256
