"""Key files as they are named on the command line, read into keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from unransom.case import found_keys
from unransom.core.errors import UsageError
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto.keyfiles import MAX_KEY_FILE, read_keys
from unransom.recover.databases import keyfile

MAX_SCANNED = 1000  # key files in one folder


def load_keys(paths: Sequence[Path]) -> tuple[Key, ...]:
    """Return every key in the files, and in those files of the folders that hold one.

    Raises:
        UsageError: A file cannot be read or holds no key.
    """
    found: dict[str, Key] = {}
    for path in paths:
        files = sorted(path.iterdir())[:MAX_SCANNED] if path.is_dir() else [path]
        keys = [key for file in files if file.is_file() for key in _keys_in(file)]
        if not keys:
            raise UsageError(
                say("there is no key in {path}", path=str(path)),
                hint=say("PEM, DER, XML, raw bytes, hex, base64, CAPI and BCRYPT blobs are read"),
            )
        found.update((key.fingerprint, key) for key in keys)
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


def _keys_in(file: Path) -> tuple[Key, ...]:
    try:
        with file.open("rb") as stream:
            begin = stream.read(MAX_KEY_FILE)
            if begin.startswith(b"{"):  # keys that a search found, or a raw key that begins like that
                found = tuple(secret.key for secret in found_keys.read(begin + stream.read()))
                return found or read_keys(begin, file.name)
            return read_keys(begin, file.name)
    except OSError as error:
        raise UsageError(
            say("the key file {path} cannot be read", path=str(file)), detail=os.strerror(error.errno or 0)
        ) from error
