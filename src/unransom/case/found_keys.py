"""Keys that attacks found, in a file of their own that only its owner can read.

The database, the chain and every report call a key by its fingerprint; only this file holds the key, so
that a run that was interrupted need not find it again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from unransom.core.searches import Secret

NAME = "keys.jsonl"


def keep(database: sqlite3.Connection, secrets: list[Secret]) -> None:
    """Append ``secrets`` to the file beside the case's database and flush them to the disk."""
    if secrets:
        write(_path(database), secrets)


def write(path: Path, secrets: Iterable[Secret]) -> None:
    """Append ``secrets`` to a file that only its owner can read, and flush them to the disk."""
    lines = b"".join(msgspec.json.encode(secret) + b"\n" for secret in secrets)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(descriptor)


def of(database: sqlite3.Connection) -> list[Secret]:
    """Return every key that was kept, each once."""
    path = _path(database)
    return read(path.read_bytes()) if path.exists() else []


def read(data: bytes) -> list[Secret]:
    """Return the keys in such a file, each once; a line that a crash cut off is passed over."""
    found: dict[tuple[str, str, int], Secret] = {}
    for line in data.splitlines():
        try:
            secret = msgspec.json.decode(line, type=Secret)
        except msgspec.DecodeError:
            continue
        found[secret.family, secret.key.fingerprint, secret.item] = secret
    return list(found.values())


def _path(database: sqlite3.Connection) -> Path:
    _, _, file = database.execute("PRAGMA database_list").fetchone()
    return Path(file).with_name(NAME)
