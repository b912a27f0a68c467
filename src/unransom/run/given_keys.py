"""Key files as they are named on the command line, read into keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from unransom.case import found_keys
from unransom.core.errors import UsageError
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto.keyfiles import MAX_KEY_FILE, is_number, read_keys
from unransom.recover.databases import keyfile

MAX_SCANNED = 1000  # key files in one folder
FOUND = b"{"  # how a file of keys that a search found begins; raw keys may, too


def load_keys(paths: Sequence[Path]) -> tuple[Key, ...]:
    """Return every key in the files, and in those files of the folders that hold one.

    Files that are one long number each are read together besides: a modulus may stand in one, its private
    exponent or the second prime in the other.

    Raises:
        UsageError: A file cannot be read or holds no key.
    """
    found: dict[str, Key] = {}
    numbers: dict[str, bytes] = {}
    for path in paths:
        files = sorted(path.iterdir())[:MAX_SCANNED] if path.is_dir() else [path]
        keys: list[Key] = []
        for file in filter(Path.is_file, files):
            content = _content(file)
            keys += _keys_in(content, file.name)
            if is_number(content):
                numbers[file.name] = content
        if not keys:
            raise UsageError(
                say("there is no key in {path}", path=str(path)),
                hint=say("PEM, DER, XML, raw bytes, hex, base64, CAPI and BCRYPT blobs are read"),
            )
        found.update((key.fingerprint, key) for key in keys)
    together = read_keys(b"\n".join(numbers.values()), ", ".join(numbers)) if len(numbers) > 1 else ()
    found.update((key.fingerprint, key) for key in together if key.kind is KeyKind.RSA)
    return tuple(found.values())


def load_server_keys(paths: Sequence[Path]) -> tuple[Key, ...]:
    """Return every key in the key files of database servers.

    Raises:
        UsageError: A file holds none.
    """
    return tuple(
        Key(KeyKind.SERVER, name.encode() + b"\0" + secret, path.name)
        for path in paths
        for name, secret in keyfile.read_keys([path]).items()
    )


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            begin = stream.read(MAX_KEY_FILE)
            return begin + stream.read() if begin.startswith(FOUND) else begin
    except OSError as error:
        raise UsageError(
            say("the key file {path} cannot be read", path=str(file)), detail=os.strerror(error.errno or 0)
        ) from error


def _keys_in(content: bytes, name: str) -> tuple[Key, ...]:
    found = tuple(secret.key for secret in found_keys.read(content)) if content.startswith(FOUND) else ()
    return found or read_keys(content, name)
