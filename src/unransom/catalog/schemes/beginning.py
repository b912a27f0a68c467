"""Whether a few bytes can be what a file went on with behind a beginning that is still there.

Lockers that write a marker over the head of a file move what was there to its end. If the end is cut off,
random bytes stand in that place, and most files have none so near to their beginning.
"""

from __future__ import annotations

import re

from unransom.crypto.noise import is_noise

CONTROL = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Headers and tables of more than a hundred bytes: OLE2, SQLite, programs for Windows and Linux.
TABLES = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"SQLite format 3\0", b"MZ", b"\x7fELF")
PNG, CHUNK = b"\x89PNG\r\n\x1a\n", 12  # bytes of a chunk besides its data
JPEG = b"\xff\xd8"
APPLICATION = range(0xE0, 0xF0)  # markers of JPEG segments in which programs write about the picture


def goes_on(head: bytes, behind: bytes) -> bool:
    """Return whether ``behind`` may follow ``head``; True for all that is not known to the contrary.

    Args:
        head: The first bytes of a file, some dozens.
        behind: As few bytes that stood behind them, or not.
    """
    if head.startswith(PNG):
        return _is_chunk(head, behind)
    if head.startswith(JPEG):
        return _is_segment(head, behind)
    structured = head.startswith(TABLES) or (head.isascii() and not CONTROL.search(head))
    return not (structured and is_noise(behind))


def _is_chunk(head: bytes, behind: bytes) -> bool:
    """Return whether a chunk of a PNG image that begins in ``behind`` has a type: four letters."""
    data, at = head + behind, len(PNG)
    while at < len(head):
        at += CHUNK + int.from_bytes(data[at : at + 4])
    kind = data[at + 4 : at + 8]
    return not kind or kind.isalpha()


def _is_segment(head: bytes, behind: bytes) -> bool:
    """Return whether JPEG segments go on: a marker where one begins, no noise in what describes a picture."""
    data, at, kind = head + behind, len(JPEG), 0
    while at < len(head):
        kind = data[at + 1] if at + 1 < len(data) else 0
        at += 2 + max(int.from_bytes(data[at + 2 : at + 4]), 2)
    if at < len(data):
        return data[at] == 0xFF
    return not (kind in APPLICATION and is_noise(behind))
