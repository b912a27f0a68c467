"""The plan: one line of JSON for each file, batch by batch, made to be read, compared and approved.

The first line says where the files go and what each batch holds. The last has the SHA-256 of all lines
before it: a plan that was cut off or edited is refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from unransom.core.errors import UnransomError
from unransom.core.messages import Message, say
from unransom.core.paths import safe_path, stays_below

KIND = "unransom restore"
LONGEST = 1 << 20  # bytes of a line
OUT = 0  # the batch of what stays out


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A file of the plan.

    Attributes:
        batch: Number from 1; ``OUT`` for a file that does not move.
        path: Where it goes, below the target, as text.
        source: Path of the file to move, below the case folder.
        size: Bytes.
        sha256, md5: Digests that the source and, afterwards, the target must have.
        modified: Nanoseconds since 1970 UTC, None where not known.
        path_b64, source_b64: The bytes of both, where they are no UTF-8.
        accepted: Why a file that is not shown to be good moves all the same.
        verdict, why: For what stays out.
        options: What the target needs besides.
    """

    batch: int
    path: str
    source: str
    size: int
    sha256: str
    md5: str = ""
    modified: int | None = None
    path_b64: str = ""
    source_b64: str = ""
    accepted: str = ""
    verdict: str = ""
    why: Message | None = None
    options: dict[str, str] = {}

    @property
    def target(self) -> bytes:
        """Where it goes."""
        return base64.b64decode(self.path_b64) if self.path_b64 else self.path.encode()

    @property
    def origin(self) -> bytes:
        """Where it is."""
        return base64.b64decode(self.source_b64) if self.source_b64 else self.source.encode()


class Batch(msgspec.Struct, frozen=True):
    """A batch: its number from 1, its name, and what it comes to."""

    number: int
    name: str
    files: int
    size: int


class Head(msgspec.Struct, frozen=True):
    """The first line of a plan.

    Attributes:
        plan: ``KIND``.
        version: Of the form.
        case: Name of the case.
        target: Where the files go; no secrets.
        batches: In the order in which they move.
        out: How many files stay out.
    """

    plan: str
    version: int
    case: str
    target: str
    batches: tuple[Batch, ...]
    out: int = 0


class _Seal(msgspec.Struct, frozen=True):
    sha256: str


def texts(raw: bytes, shown: str) -> tuple[str, str]:
    """Return a path as text and, where it is no UTF-8, as base64."""
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError:
        return shown, base64.b64encode(raw).decode()


def write_plan(path: Path, head: Head, entries: Iterable[Entry]) -> None:
    """Write the plan to ``path``; the same case, target and rules give the same file."""
    encode = msgspec.json.Encoder().encode
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for line in (head, *entries):
            text = encode(line) + b"\n"
            digest.update(text)
            file.write(text)
        file.write(encode(_Seal(digest.hexdigest())) + b"\n")


class Plan:
    """A plan that was read back; ``id`` is the digest that its last line has, which an approval is about."""

    def __init__(self, path: Path) -> None:
        """Open the plan.

        Raises:
            UnransomError: It is none, or it is not what was written.
        """
        self.path = path
        try:
            self.head, self.id = _checked(path)
        except FileNotFoundError as error:
            raise UnransomError(
                say("there is no plan {file}", file=str(path)),
                hint=say("make it with `unransom restore plan`"),
            ) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise UnransomError(say("{file} is no plan", file=path.name), detail=str(error)) from error

    @property
    def batches(self) -> Sequence[Batch]:
        """The batches in the order in which they move."""
        return self.head.batches

    def batch(self, number: int) -> Batch:
        """Return a batch.

        Raises:
            UnransomError: There is none of that number.
        """
        for batch in self.head.batches:
            if batch.number == number:
                return batch
        raise UnransomError(say("the plan has no batch {number}", number=number))

    def entries(self, batch: int | None = None) -> Iterator[tuple[int, Entry]]:
        """Yield the files of a batch, or of all, with their numbers in the plan from 1."""
        decoder = msgspec.json.Decoder(Entry)
        with self.path.open("rb") as file:
            next(file)
            for number, line in enumerate(file, 1):
                if line.startswith(b'{"sha256"'):
                    return
                entry = decoder.decode(line)
                if batch is None or entry.batch == batch:
                    yield number, entry


def _checked(path: Path) -> tuple[Head, str]:
    """Return the head and the digest of a plan.

    Raises:
        ValueError: It is none.
        UnransomError: It was changed, or a path of it leads out of the target.
    """
    digest = hashlib.sha256()
    seal = ""
    decoder = msgspec.json.Decoder(Entry)
    with path.open("rb") as file:
        first = file.readline(LONGEST)
        head = msgspec.json.decode(first, type=Head)
        if head.plan != KIND:
            raise ValueError("another kind of file")
        digest.update(first)
        while line := file.readline(LONGEST):
            if line.startswith(b'{"sha256"'):
                seal = msgspec.json.decode(line, type=_Seal).sha256
                break
            entry = decoder.decode(line)
            if not stays_below(entry.target) or safe_path(entry.origin) != entry.origin:
                raise UnransomError(say("a path in the plan leads elsewhere"), detail=entry.path)
            digest.update(line)
        rest = file.read(1)
    if seal != digest.hexdigest() or rest:
        raise UnransomError(
            say("the plan is not what was written: its own digest does not fit"),
            hint=say("make the plan again; what moves is settled by options and by the file of priorities"),
        )
    return head, seal
