"""Manifests of original hashes: md5sum, sha256sum, hashdeep 1.0 and CSV, told apart by their lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unransom.core.hashing import Digests
from unransom.core.messages import say
from unransom.core.records import Grade, Verdict

SUM_LINE = re.compile(rb"\\?([0-9a-fA-F]{32}|[0-9a-fA-F]{64})[ \t]+\*?(.+)")
BSD_LINE = re.compile(rb"(?:MD5|SHA256) \((.+)\) = ([0-9a-fA-F]{32}|[0-9a-fA-F]{64})")
HASH = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{64}")
MAX_LINE = 65536  # bytes


class Entry(NamedTuple):
    """The hash of a file from before the attack, lower-case hexadecimal, and its path."""

    path: bytes
    digest: str


def entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries of a manifest; lines that are none are passed over.

    Args:
        lines: The manifest line by line, as a binary file gives them.
    """
    columns: list[str] | None = None
    for raw in lines:
        line = raw[:MAX_LINE].rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf")
        if line.startswith(b"%%%% size"):
            columns = line[5:].decode("ascii", "replace").split(",")
        elif found := SUM_LINE.fullmatch(line):
            path = found[2]
            if raw.startswith(b"\\"):  # sha256sum escapes newlines and backslashes in such lines
                path = path.replace(b"\\n", b"\n").replace(b"\\\\", b"\\")
            yield Entry(path.removeprefix(b"./"), found[1].decode().lower())
        elif found := BSD_LINE.fullmatch(line):
            yield Entry(found[1].removeprefix(b"./"), found[2].decode().lower())
        elif line and line[:1] not in b"%#":
            yield from _row(line, columns)


def _row(line: bytes, columns: list[str] | None) -> Iterator[Entry]:
    """Yield the entry of a hashdeep or CSV row: the strongest hash in it, and its path."""
    text = line.decode("utf-8", "surrogateescape")
    # hashdeep does not quote: whatever follows the last known column is the file name.
    cells = text.split(",", len(columns) - 1) if columns else _cells(text)
    hashes = [cell.strip() for cell in cells if HASH.fullmatch(cell.strip())]
    if not hashes:
        return
    names = [cell for cell in cells if not HASH.fullmatch(cell.strip()) and not cell.strip().isdigit()]
    path = (cells[-1] if columns else max(names, key=len, default="")).encode("utf-8", "surrogateescape")
    if path:
        yield Entry(path.replace(b"\\", b"/").removeprefix(b"./"), max(hashes, key=len).lower())


def _cells(row: str) -> list[str]:
    try:
        return next(csv.reader([row]), [])
    except csv.Error:  # such as a line of a file that is no text
        return []


def verdict_on(digests: Digests, expected: str, manifest: str, item: int = 0) -> Verdict:
    """Return the verdict on bytes with ``digests`` of which ``manifest`` promises the hash ``expected``.

    Args:
        digests: Of the bytes.
        expected: MD5 or SHA-256, lower-case hexadecimal.
        manifest: Name of the manifest, for people.
        item: ``FileRef.id`` of the file, 0 outside a case.
    """
    found = digests.md5 if len(expected) == len(digests.md5) else digests.sha256
    if found == expected:
        why = say("the hash agrees with {manifest}", manifest=manifest)
        return Verdict(item=item, grade=Grade.GOOD, check="manifest", bits=4 * len(found), why=why)
    why = say(
        "{manifest} promises {expected}, the output has {found}",
        manifest=manifest,
        expected=expected,
        found=found,
    )
    return Verdict(item=item, grade=Grade.BAD, check="manifest", why=why)
