"""Key files of servers: MariaDB's file_key_management, and both kinds of MySQL's keyring files."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

from unransom.core.errors import UsageError
from unransom.core.messages import say

MOST = 1 << 20  # bytes of a key file
LINE = re.compile(
    rb"^\s*(\d{1,10})\s*;\s*((?:[0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64}))\s*(?:#.*)?$", re.M
)
KEYRING = b"Keyring file version:"  # and three characters of a number
LENGTHS = struct.Struct("<5Q")  # of the entry, and of its name, type, user and key
MASK = b"*305=Ljt0*!@$Hnm(*-9-w;:"  # with which the keyring hides keys


def read_keys(files: Iterable[Path]) -> dict[str, bytes]:
    """Return the keys in ``files`` by their numbers, those of keyrings by their names.

    Raises:
        UsageError: A file holds none.
    """
    keys: dict[str, bytes] = {}
    for path in files:
        with path.open("rb") as file:
            data = file.read(MOST)
        found = _keys(data)
        if not found:
            raise UsageError(
                say("{file} holds no key of a server", file=path.name),
                hint=say(
                    "MariaDB: one key a line, its number, a semicolon, the key in hex, not encrypted itself;"
                    " MySQL: the file of keyring_file or component_keyring_file"
                ),
            )
        keys |= found
    return keys


def _keys(data: bytes) -> dict[str, bytes]:
    if data.startswith(KEYRING):
        return _keyring(data)
    if data.lstrip()[:1] == b"{":
        return _component(data)
    return {number.decode(): bytes.fromhex(value.decode()) for number, value in LINE.findall(data)}


def _keyring(data: bytes) -> dict[str, bytes]:
    """Return the keys of the plugin keyring_file."""
    keys: dict[str, bytes] = {}
    at = len(KEYRING) + 3
    while at + LENGTHS.size <= len(data):
        size, *lengths = LENGTHS.unpack_from(data, at)
        if size < LENGTHS.size + sum(lengths) or at + size > len(data):
            break
        start = at + LENGTHS.size
        name = data[start : start + lengths[0]].decode("utf-8", "replace")
        start += sum(lengths[:3])
        hidden = data[start : start + lengths[3]]
        keys[name] = bytes(one ^ other for one, other in zip(hidden, cycle(MASK), strict=False))
        at += size
    return keys


def _component(data: bytes) -> dict[str, bytes]:
    """Return the keys of component_keyring_file, which are JSON."""
    try:
        return {each["data_id"]: bytes.fromhex(each["data"]) for each in json.loads(data)["elements"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
