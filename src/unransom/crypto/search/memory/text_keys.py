"""Keys that are written down: base64 and hexadecimal of 16, 24 or 32 bytes, and what is called a password.

Memory is full of digests and identifiers that look like keys in hexadecimal, so these count for little:
they are worth trying where little else is found.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterator

import numpy as np

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.noise import is_noise
from unransom.crypto.search.memory.anchor_kernel import ANCHORS, find_anchors
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory
from unransom.crypto.search.memory.text_kernel import find_runs

NAME = "written keys"
SIZES = (16, 24, 32)
LEAST, MOST = 22, 66  # characters: base64 of 16 bytes unpadded, 32 bytes in hexadecimal behind 0x
LIMIT = 1 << 14  # runs in one piece of memory
PASSWORD_REACH = 100  # bytes from the word to the end of what it names
BEFORE = 48  # bytes in front of a run that may name it
BITS, NAMED_BITS = 8, 24
CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
MEMBERS = np.isin(np.arange(256), np.frombuffer(CHARACTERS, np.uint8)).astype(np.uint8)
LABEL = re.compile(rb"(?i)(?:pass(?:word|wd|phrase)?|key|secret|seed|pwd)[\"'\s]{0,3}[:=][\"'\s]{0,3}$")
BYTE = rb"(?:0x)?[0-9a-fA-F]{2}"
ONE_BY_ONE = re.compile(
    rb"(?<![0-9a-fA-F])" + BYTE + rb"(?:[,:; -]\\?\s{0,8}" + BYTE + rb"){15,63}(?![0-9a-fA-F])"
)
SEPARATORS = re.compile(rb"0x|[^0-9a-fA-F]")
NAMES = (b"pass", b"Pass", b"PASS", b"pwd=", b"PWD=")
WIDE = tuple(bytes((name[0], 0, name[1], 0)) for name in NAMES)
WORDS = (*NAMES, *WIDE, b"psk=", b"PSK=")
ANCHOR_WORDS = np.array([int.from_bytes(word, "little") for word in dict.fromkeys(WORDS)], np.uint32)
PASSWORD = re.compile(rb"(?i)(?:pass(?:word|phrase|wd)?|pwd|psk)[\"']?\s?[:=]\s?[\"']?([!-~]{6,64})")


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield the keys written in ``memory``, in ASCII and in UTF-16."""
    out = np.empty((LIMIT, 2), np.int64)
    for stride in (1, 2):
        count = find_runs(memory, MEMBERS, stride, LEAST, MOST, out)
        for at, length in out[:count].tolist():
            text = memory[at : at + length * stride : stride].tobytes()
            for key, form in _readings(text):
                before = memory[max(at - BEFORE * stride, 0) : at : stride].tobytes()
                named = bool(LABEL.search(before))
                if named or clues.guesses:
                    yield _candidate(key, at, form, named=named)
    yield from _passwords(memory)
    if clues.guesses:
        yield from _one_by_one(memory)


def _one_by_one(memory: Memory) -> Iterator[Candidate]:
    """Yield the keys whose bytes stand apart, as in exported registries and in the code of scripts."""
    for start, stride in ((0, 1), (0, 2), (1, 2)):
        for found in itertools.islice(ONE_BY_ONE.finditer(memory[start::stride].tobytes()), LIMIT):
            at, end = (start + stride * place for place in found.span())
            key = bytes.fromhex(SEPARATORS.sub(b"", found[0]).decode())
            wide = stride == 2 and not memory[at + 1 : end - 1 : 2].any()
            if len(key) in SIZES and (wide or stride == 1) and is_noise(key):
                yield _candidate(key, at, "hexadecimal", named=False)


def _readings(text: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield the keys that ``text`` may say."""
    digits = text.removeprefix(b"0x")
    if len(digits) in {2 * size for size in SIZES}:
        try:
            key = binascii.unhexlify(digits)
        except binascii.Error:
            pass
        else:
            if is_noise(key):
                yield key, "hexadecimal"
            return
    plain = text.translate(bytes.maketrans(b"-_", b"+/"))
    if len(plain) in {-(-size * 4 // 3) for size in SIZES}:
        key = base64.b64decode(plain + b"=" * (-len(plain) % 4))
        if is_noise(key):
            yield key, "base64"


def _passwords(memory: Memory) -> Iterator[Candidate]:
    """Yield what stands behind the word password, as it is."""
    places, which = np.empty(LIMIT, np.int64), np.empty(LIMIT, np.uint8)
    count = find_anchors(memory, np.resize(ANCHOR_WORDS, ANCHORS), places, which)
    for place in places[:count].tolist():
        stride = 2 if memory[place + 1] == 0 else 1
        found = PASSWORD.match(memory[place : place + PASSWORD_REACH * stride : stride].tobytes())
        if found:
            yield _candidate(found[1].rstrip(b"\"'&"), place, "text", named=True)


def _candidate(key: bytes, offset: int, form: str, *, named: bool) -> Candidate:
    return Candidate(
        finder=NAME,
        kind=KeyKind.RAW,
        data=key,
        offset=offset,
        bits=NAMED_BITS if named else BITS,
        why=say("a name such as key or password in front of it, as {form}", form=form)
        if named
        else say("as long as a key, as {form}", form=form),
    )


FINDER = Finder(NAME, 2 * (MOST + BEFORE + PASSWORD_REACH), find)
