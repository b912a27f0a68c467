"""The key file of MariaDB's plugin file_key_management: a number and a key in hex on each line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from unransom.core.errors import UsageError
from unransom.core.messages import say

MOST = 1 << 20  # bytes of a key file
LINE = re.compile(
    rb"^\s*(\d{1,10})\s*;\s*((?:[0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64}))\s*(?:#.*)?$", re.M
)


def read_keys(files: Iterable[Path]) -> dict[str, bytes]:
    """Return the keys in ``files`` by their numbers.

    Raises:
        UsageError: A file holds none.
    """
    keys: dict[str, bytes] = {}
    for path in files:
        with path.open("rb") as file:
            data = file.read(MOST)
        found = {number.decode(): bytes.fromhex(value.decode()) for number, value in LINE.findall(data)}
        if not found:
            raise UsageError(
                say("{file} holds no key of file_key_management", file=path.name),
                hint=say("one key a line: its number, a semicolon, the key in hex; not encrypted itself"),
            )
        keys |= found
    return keys
