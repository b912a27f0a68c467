"""What is written in base64 or hexadecimal and is longer than a bare key: private keys in files of programs.

Scripts, JSON, exported registries and the values of hives hold whole structures so, in one run or in lines.
What they say is looked through like memory, and counts only where the numbers of a key prove it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice

import msgspec
import numpy as np

from unransom.crypto.search.memory import structures
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory

NAME = "written structures"
LIMIT = 4096  # runs in one piece of memory
ESCAPED = {rb"\r": b"  ", rb"\n": b" \n", rb"\/": b"/"}  # as JSON and scripts write ends of lines
SAME = rb"[ \t]{0,8}\r?\n[ \t]{0,8}"  # between lines of one run
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{48,}(?:" + SAME + rb"[A-Za-z0-9+/_-]+){0,400}={0,2}")
BYTES = re.compile(rb"(?:(?:0x)?[0-9a-fA-F]{2}[,:; -]\\?\s{0,8}){64,16384}(?:0x)?[0-9a-fA-F]{2}")
SEPARATORS = re.compile(rb"0x|[^0-9a-fA-F]")
STANDARD = bytes.maketrans(b"-_", b"+/")


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield what is written in ``memory``, in ASCII and in UTF-16; in small files alone."""
    for start, stride in ((0, 1), (0, 2), (1, 2)) if clues.guesses else ():
        text = memory[start::stride].tobytes()
        if stride == 1:
            for escaped, plain in ESCAPED.items():
                text = text.replace(escaped, plain)
        for at, data in islice(_said(text), LIMIT):
            for candidate in structures.find(np.frombuffer(data, np.uint8), clues):
                yield msgspec.structs.replace(candidate, offset=start + stride * at)
        yield from _in_lines(text, start, stride, clues)


def _in_lines(text: bytes, start: int, stride: int, clues: Clues) -> Iterator[Candidate]:
    """Yield what stands in ``text`` itself once its lines end as they did before they were escaped."""
    if stride == 1 and b"PRIVATE KEY-----" in text:
        for candidate in structures.find(np.frombuffer(text, np.uint8), clues):
            yield msgspec.structs.replace(candidate, offset=start + candidate.offset)


def _said(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield where something is written, and what that says."""
    for found in BASE64.finditer(text):
        digits = b"".join(found[0].split()).rstrip(b"=")
        yield found.start(), base64.b64decode(_whole(digits.translate(STANDARD)))
        if len(digits) % 2 == 0:
            try:
                yield found.start(), binascii.unhexlify(digits)
            except binascii.Error:
                continue
    for found in BYTES.finditer(text):
        yield found.start(), bytes.fromhex(SEPARATORS.sub(b"", found[0]).decode())


def _whole(digits: bytes) -> bytes:
    """Return ``digits`` of base64 such that they are whole bytes."""
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return digits + b"=" * (-len(digits) % 4)


FINDER = Finder(NAME, 0, find)
