"""Whole private keys in the forms that programs store: DER, PEM, XML, and Windows' RSA blobs.

What is found must be a key by its own numbers, so nothing that is yielded is anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.keyfiles import read_keys
from unransom.crypto.search.memory.candidate import Candidate, Memory

NAME = "private keys"
LARGEST = 16384  # bytes of a key as PEM or XML; in UTF-16 twice as many
LARGEST_DER = 12288  # bytes of an RSA-16384 key with all its numbers
LEAST, MOST = 48, 2048  # bytes of a modulus
BACK = 64  # bytes before an anchor at which its structure may begin
REACH = 2 * LARGEST + BACK
OTHER_BITS = 128
DER_ANCHORS = (b"\x02\x01\x00\x02", b"\x02\x01\x01\x04", b"\x2b\x65\x6e\x04")  # PKCS #1, SEC 1, X25519
PRIVATE_BLOB = b"\x07\x02"  # CryptoAPI's header begins so, eight bytes before the magic
BLOB_ANCHORS = (b"RSA2", b"RSA3")
TEXT_ANCHORS = (b"PRIV", b"P\0R\0", b"<RSA", b"<\0R\0")
PEM = re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-<>]{32,}?-----END [A-Z ]{0,20}PRIVATE KEY-----")
XML = re.compile(rb"<RSAKeyValue>[A-Za-z0-9+/=<>\s]{64,}?</RSAKeyValue>")


def der(memory: Memory, at: int) -> Iterator[Candidate]:
    """Yield the key whose sequence begins shortly before the anchor at ``at``."""
    for header in (2, 3, 4, 8, 9):
        start = at - header
        size = _sequence_size(memory[max(start, 0) : max(start, 0) + 4].tobytes()) if start >= 0 else 0
        if header < size <= LARGEST_DER and start + size <= len(memory):
            yield from _keys(memory[start : start + size].tobytes(), start, "DER")


def _sequence_size(head: bytes) -> int:
    """Return the bytes of a DER sequence with its header, 0 where none begins so."""
    if len(head) < 4 or head[0] != 0x30:
        return 0
    if head[1] < 0x80:
        return 2 + head[1]
    if head[1] == 0x81:
        return 3 + head[2]
    return 4 + (head[2] << 8 | head[3]) if head[1] == 0x82 else 0


def blob(memory: Memory, at: int) -> Iterator[Candidate]:
    """Yield the key of a CryptoAPI or CNG blob whose magic stands at ``at``, its bits behind it."""
    start = at - 8 if memory[max(at - 8, 0) : max(at - 6, 0)].tobytes() == PRIVATE_BLOB else at
    numbers = memory[at + 4 : at + 12].tobytes()
    sizes = (int.from_bytes(numbers[:4], "little") // 8, int.from_bytes(numbers[4:], "little") // 8)
    # In bits; first, or behind that in bytes.
    size = next((each for each in sizes if LEAST <= each <= MOST), 0)
    if size:
        yield from _keys(memory[start : at + 32 + 5 * size].tobytes(), start, "RSA2 or RSA3")


def text(memory: Memory, at: int) -> Iterator[Candidate]:
    """Yield the key in PEM or XML around the anchor at ``at``, in ASCII or UTF-16."""
    start = max(at - BACK, 0)
    data = memory[start : at + 2 * LARGEST].tobytes()
    wide = memory[at + 1 : at + 2].tobytes() == b"\0"
    if wide:
        shift = (at - start) % 2
        start, data = start + shift, data[shift:]
        data = data[: len(data) // 2 * 2].decode("utf-16-le", "replace").encode("ascii", "replace")
    for pattern, name in ((PEM, "PEM"), (XML, "XML")):
        found = pattern.search(data[: LARGEST + BACK])
        if found and found.start() <= BACK:
            place = start + found.start() * (2 if wide else 1)
            yield from _keys(found[0], place, name)


def _keys(data: bytes, offset: int, form: str) -> Iterator[Candidate]:
    """Yield the private keys that ``data`` is read as, not what anything is read as: raw bytes."""
    for key in read_keys(data, form):
        if key.kind is KeyKind.RSA_PUBLIC or (key.kind is KeyKind.RAW and key.data in {data, data.strip()}):
            continue
        yield Candidate(
            finder=NAME,
            kind=key.kind,
            data=key.data,
            offset=offset,
            bits=4 * len(data) if key.kind is KeyKind.RSA else OTHER_BITS,  # half follows from two primes
            why=say("a whole private key as {form}", form=form),
        )
