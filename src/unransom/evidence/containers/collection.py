"""How a logical image says where its manifest is: by its last member, a block of JSON."""

from __future__ import annotations

import json

MANIFEST = b".unransom/manifest.jsonl"
INDEX = b".unransom/index.json"
MARK = b'{"format": "unransom collection", "version": 1, '
BLOCK = 512
BEHIND = 2 * BLOCK  # bytes of zeros that end a tar archive


def index(start: int, size: int) -> bytes:
    """Return the block that says where the manifest begins, and its size."""
    values = json.dumps({"manifest": start, "size": size}).encode()
    return (MARK + values[1:]).ljust(BLOCK)


def parse_index(block: bytes, size: int) -> range | None:
    """Return where the manifest lies in an archive of ``size`` bytes, None where ``block`` is another."""
    if not block.startswith(MARK):
        return None
    try:
        values = json.loads(block)
        start, length = values["manifest"], values["size"]
    except (ValueError, KeyError, TypeError):
        return None
    fits = isinstance(start, int) and isinstance(length, int) and 0 <= start <= start + length <= size
    return range(start, start + length) if fits else None
