"""Petya (red and green) and what came from it: the file table of a disk under Salsa20, in the boot code.

The locked file is the image of a whole disk. Petya's own sectors, all of 512 bytes, with the numbers of
GoldenEye and NotPetya behind the slash: 54/32 begins with a state (1: locked) and has the nonce of 8
bytes at 0x21; 55/33 is the byte 37/07 512 times, encrypted from the beginning of the keystream; 56/34 is
the boot sector of before under XOR with 37/07. Red Petya takes 16 characters as its key, each of which
gives two bytes; the keystream of the first versions was compiled for 16 bits, and that of all repeats
after 4 MiB. It is asked with the number of a sector where the number of its first byte was meant, so it
moves on by one byte with every sector.

Of every volume the records of the file table are encrypted. Which of the numbers the keystream is asked
with, and for how many sectors at once, shows by the records that decrypt to such.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import (
    BadMarkError,
    Family,
    FileKey,
    Insert,
    Keep,
    Locked,
    Mark,
    Piece,
    Plan,
    Unlock,
)
from unransom.catalog.schemes.mft import (
    RECORD,
    SECTOR,
    FileTable,
    file_table,
    is_record,
    partition_starts,
    table_runs,
)
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader
from unransom.crypto.ciphers.at_once import decrypted

CODE = bytes.fromhex("fa6631c08ed08ec08ed8bc007cfb8816")  # that the disk starts with
ADDRESS, ADDRESSES = b"http://", (0x29, 0x69)  # where it stands in the sector of the nonce
NONCE = slice(0x21, 0x29)
BOOT_BITS = 16 + 4 * 7  # the end of a boot sector, and four flags of partitions
CHECK_BITS = 128  # of the sector that shows the key; it has more
DAMAGED = b"BAAD"  # begins a record that Windows found damaged
TEXT_KEY, SHORT_KEY, KEY_SIZE = 16, 8, 32
PERIOD = 1 << 22  # bytes after which the keystream repeats
SAMPLES = 16  # records of a table, its own and the volume's other metadata, that are always in use
ENOUGH = 4  # of them that must decrypt to records


class Place(NamedTuple):
    """Petya's sectors on a disk: of the nonce, the check and the old boot sector; and its constant byte."""

    nonce: int
    check: int
    boot: int
    byte: int


PLACES = {"red or green": Place(54, 55, 56, 0x37), "golden": Place(32, 33, 34, 0x07)}
CIPHERS = (
    Cipher("petya-salsa", iv="nonce"),
    Cipher("salsa", iv="nonce"),
    Cipher("salsa", iv="nonce", constants=b"-1nvalid s3ct-id".hex()),
)


def read(locked: Locked) -> Mark | None:
    """Return the mark of a disk with Petya's code or address, and the old boot sector where it keeps it."""
    code = 8 * len(CODE) if locked.read_at(0, len(CODE)) == CODE else 0
    for variant, place in PLACES.items():
        nonce, check, boot = (
            locked.read_at(number * SECTOR, SECTOR) for number in (place.nonce, place.check, place.boot)
        )
        old = bytes(byte ^ place.byte for byte in boot)
        addressed = any(nonce[at : at + len(ADDRESS)] == ADDRESS for at in ADDRESSES)
        if not (code or addressed) or partition_starts(old) is None or not any(old[: SECTOR // 2]):
            continue
        return Mark(
            bits=code + 8 * len(ADDRESS) * addressed + BOOT_BITS,
            fields={"nonce": nonce[NONCE], "check": check, "boot": old},
            plain_size=locked.size,
            variant=variant,
            wrapped=nonce[NONCE] + check[:KEY_SIZE],
        )
    return None


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take the key that the boot code asks for, or what it makes of that, if it opens the check."""
    wanted = bytes([PLACES[mark.variant].byte]) * SECTOR
    for secret in _secrets(key.data):
        for way, cipher in enumerate(CIPHERS):
            parts = {"key": secret, "nonce": mark.fields["nonce"], "way": bytes([way])}
            if decrypted(cipher.start(FileKey(parts)), mark.fields["check"]) == wanted:
                return FileKey(parts, CHECK_BITS, say("Petya's own check of the key"))
    return None


def _secrets(data: bytes) -> Iterator[bytes]:
    """Yield the keys of 32 bytes that ``data`` can mean."""
    if len(data) == KEY_SIZE:
        yield data
    if len(data) == SHORT_KEY:  # those of red Petya's 16 characters that make a difference
        data = b"".join(bytes([byte]) + b"x" for byte in data)
    if len(data) == TEXT_KEY:
        yield b"".join(bytes([(byte + 0x7A) & 0xFF, byte * 2 & 0xFF]) for byte in data)


class Counting(NamedTuple):
    """How the keystream is asked for.

    Attributes:
        origin: Sector that has the number 0.
        step: Bytes of keystream from one number to the next.
        start, sectors: The keystream goes on for so many sectors, counted from the sector ``start``.
    """

    origin: int
    step: int
    start: int
    sectors: int

    def places(self, first: int, count: int) -> NDArray[np.int64]:
        """Return the places in the keystream of the first bytes of ``count`` sectors from ``first`` on."""
        sectors = np.arange(first, first + count, dtype=np.int64)
        asked = sectors - (sectors - self.start) % self.sectors
        return ((asked - self.origin) * self.step + (sectors - asked) * SECTOR) % PERIOD


@functools.lru_cache(maxsize=4)
def _period(way: int, key: bytes, nonce: bytes) -> bytes:
    """Return all of the keystream that is not repeated."""
    return decrypted(CIPHERS[way].start(FileKey({"key": key, "nonce": nonce})), bytes(PERIOD))


class Keystream:
    """The keystream of a disk, of which any sector's part can be had."""

    def __init__(self, file_key: FileKey) -> None:
        """Take the parts ``key`` and ``nonce``, and ``way``, the number of the cipher."""
        parts = file_key.parts
        stream = _period(parts["way"][0] % len(CIPHERS), parts["key"], parts["nonce"])
        self._bytes = np.frombuffer(stream + stream[:SECTOR], np.uint8)

    def of(self, counting: Counting, sector: int, count: int) -> NDArray[np.uint8]:
        """Return what ``count`` sectors from ``sector`` on are locked with."""
        windows = np.lib.stride_tricks.sliding_window_view(self._bytes, SECTOR)
        return windows[counting.places(sector, count)].reshape(-1)


class _Sectors:
    """Decrypts sectors of a disk, one after the other."""

    spill = 0

    def __init__(self, stream: Keystream, counting: Counting, offset: int) -> None:
        self._stream = stream
        self._counting = counting
        self._offset = offset  # of the next byte on the disk

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        first, skip = divmod(self._offset, SECTOR)
        last = -(-(self._offset + len(data)) // SECTOR)
        stream = self._stream.of(self._counting, first, last - first)[skip : skip + len(data)]
        np.bitwise_xor(np.frombuffer(data, np.uint8), stream, out=np.frombuffer(out, np.uint8))
        self._offset += len(data)


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Put the old boot sector back and decrypt the file tables.

    Raises:
        BadMarkError: No file table is found, or one does not decrypt to a file table.
    """
    stream = Keystream(key)
    starts = partition_starts(mark.fields["boot"]) or []
    tables = [table for start in starts if (table := file_table(locked, start))]
    if not tables:
        raise BadMarkError(say("no file table is found on the disk"))
    runs = [run for table in tables for run in _locked(locked, table, stream)]
    runs.sort(key=lambda run: run.span.start)
    return Plan(locked.size, _pieces(locked, mark.fields["boot"], runs, stream))


class _Run(NamedTuple):
    """A stretch of a file table with records that may be locked, and how."""

    span: Span
    record: int  # bytes
    counting: Counting


def _locked(locked: Reader, table: FileTable, stream: Keystream) -> list[_Run]:
    """Return the runs of a file table that was locked; none where it was not.

    Raises:
        BadMarkError: It is no file table, decrypted or not.
    """
    record = locked.read_at(table.start, table.record)
    counting = _counting(locked, table, stream)
    if counting is None and is_record(record):
        return []
    if counting and not is_record(record):
        record = decrypted(_Sectors(stream, counting, table.start), record)
    runs = table_runs(table, record, locked.size) if counting and is_record(record) else None
    if counting is None or runs is None:
        raise BadMarkError(say("the file table of a volume does not decrypt to one"))
    return [_Run(span, table.record, counting) for span in runs]


def _counting(locked: Reader, table: FileTable, stream: Keystream) -> Counting | None:
    """Return the way of counting by which most of the first records decrypt to records."""
    first, volume = table.start // SECTOR, table.volume // SECTOR
    sample = locked.read_at(table.start, SAMPLES * table.record)
    ways = [
        Counting(origin, step, first, sectors)
        for origin in (0, volume, first)
        for step, sectors in ((1, 1), (1, table.record // SECTOR), (1, table.cluster // SECTOR), (SECTOR, 1))
    ]
    hits = {
        way: _records(decrypted(_Sectors(stream, way, table.start), sample), table.record) for way in ways
    }
    best = max(ways, key=lambda way: hits[way])
    return best if hits[best] >= ENOUGH else None


def _records(data: bytes, size: int) -> int:
    """Return how many of the records in ``data`` are such."""
    return sum(is_record(data[at : at + size]) for at in range(0, len(data) - size + 1, size))


def _pieces(locked: Reader, boot: bytes, runs: list[_Run], stream: Keystream) -> Iterator[Piece]:
    """Yield the old boot sector, then the disk with those records decrypted that are locked."""
    yield Insert(boot)
    position = SECTOR
    for run in runs:
        for span in _records_locked(locked, run, stream):
            if span.start < position:
                raise BadMarkError(say("the locked areas overlap"))
            yield Keep(position, span.start - position)
            yield Unlock(span.start, len(span), _Sectors(stream, run.counting, span.start))
            position = span.end
    yield Keep(position, locked.size - position)


def _records_locked(locked: Reader, run: _Run, stream: Keystream) -> Iterator[Span]:
    """Yield where records of a run are locked: they are none as they are, and are some when decrypted."""
    step = CHUNK // run.record * run.record
    for start in range(run.span.start, run.span.end - run.record + 1, step):
        count = min(step, run.span.end - start) // run.record
        data = np.frombuffer(locked.read_at(start, count * run.record), np.uint8)
        keys = stream.of(run.counting, start // SECTOR, len(data) // SECTOR)
        before, after = (part.reshape(-1, run.record) for part in (data, data ^ keys))
        needs = ~_begins(before) & (_begins(after) | ~after.any(axis=1))
        edges = np.flatnonzero(np.diff(needs, prepend=False, append=False))
        for first, last in edges.reshape(-1, 2).tolist():
            yield Span(start + first * run.record, start + last * run.record)


def _begins(records: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return of each record whether it begins as records do, whole ones and those known to be damaged."""
    words = np.ascontiguousarray(records[:, : len(RECORD)]).view("<u4")[:, 0]
    return np.isin(words, np.frombuffer(RECORD + DAMAGED, "<u4"))


FAMILY = Family(
    name="petya",
    title="Petya",
    aliases=("goldeneye", "notpetya"),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say(
        "the key that Petya's boot code asks for, 16 characters, or the 32 bytes that it makes of them"
    ),
    references=(
        "https://github.com/hasherezade/petya_recovery",
        "https://github.com/hasherezade/petya_key",
        "https://www.crowdstrike.com/blog/decrypting-notpetya-tools-for-recovering-your-mft-after-an-attack/",
    ),
    limitations=(
        "Only red Petya's characters are turned into a key here; of green Petya and GoldenEye, which hash "
        "theirs, the 32 bytes are needed.",
        "How the number of a sector is counted is not documented: it is taken from what makes records of "
        "the file table's first ones.",
        "The first bytes of files, which NotPetya encrypts as well, stay as they are.",
        "Disks with a GUID partition table are not looked at.",
        "Held to made disks; no real one was at hand.",
    ),
)
