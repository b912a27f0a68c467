"""ZIP archives under a password, by the old encryption: some lockers pack files so, and so do people.

A member is its header of twelve bytes and its data, under one stream; the last byte of the header repeats a
byte of its CRC-32, or of its time where the CRC follows the data. The key is the state that every member
begins with: it follows from the password and is the same for all archives under it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import accumulate

from unransom.catalog.formats import _zip_records as records
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
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader

HEADER = 12  # bytes before a member's data
STATE = 12  # bytes: three words
STRONG = 1 << 6  # flag: another encryption
AES = 99  # method: another encryption
LARGEST = 64 << 20  # bytes of a central directory
CHECKED = 8  # members whose headers a key is tried on
PASSWORD = 99  # bytes of a password at most


def read(locked: Locked) -> Mark | None:
    """Return the mark where a member is under the old encryption."""
    if locked.read_at(0, 2) != b"PK":
        return None
    sealed = list(_sealed(locked, CHECKED))
    if not sealed:
        return None
    checks = b"".join(locked.read_at(data_at(locked, entry), HEADER) + check(entry) for entry in sealed)
    return Mark(bits=1, fields={"checks": checks})


def members(locked: Reader) -> Iterator[records.Entry]:
    """Yield the entries of the central directory; nothing where there is none that this scheme covers."""
    directory = records.find_directory(locked)
    if directory and directory.size <= LARGEST and not directory.split and not directory.shift:
        yield from records.central_entries(locked, directory.start, directory.start + directory.size)


def is_sealed(entry: records.Entry) -> bool:
    """Return whether the member is under the old encryption."""
    return (
        bool(entry.flags & records.ENCRYPTED)
        and not entry.flags & STRONG
        and entry.method != AES
        and entry.packed >= HEADER
    )


def _sealed(locked: Reader, most: int) -> Iterator[records.Entry]:
    for entry in members(locked):
        if is_sealed(entry):
            yield entry
            most -= 1
        if not most:
            return


def data_at(locked: Reader, entry: records.Entry) -> int:
    """Return where a member's header of twelve bytes begins, the size of the archive where nothing does."""
    local = records.local_at(locked, entry.offset)
    return entry.offset + local.header if local else locked.size


def check(entry: records.Entry) -> bytes:
    """Return the last byte of the member's header."""
    streamed = entry.flags & records.STREAMED
    return bytes([entry.time >> 8 & 0xFF if streamed else entry.crc >> 24])


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take a state or a password under which the headers of the first members end as they must."""
    from unransom.crypto.ciphers.at_once import decrypted  # noqa: PLC0415 numba takes half a second to import
    from unransom.crypto.ciphers.zipcrypto import ZipCrypto, state_of  # noqa: PLC0415

    if len(key.data) > PASSWORD:
        return None
    checks = mark.fields["checks"]
    each = [checks[at : at + HEADER + 1] for at in range(0, len(checks), HEADER + 1)]
    states = [state_of(key.data), *([key.data] if len(key.data) == STATE else [])]
    for state in states:
        if all(decrypted(ZipCrypto(state), one[:HEADER])[-1:] == one[HEADER:] for one in each):
            return FileKey(
                {"state": state}, 8 * len(each), say("the headers of the members end as they must")
            )
    return None


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt every member and write the archive as it would be without a password."""
    del mark
    directory = records.find_directory(locked)
    entries = sorted(members(locked), key=lambda entry: entry.offset)
    if directory is None or len(entries) != directory.count or not entries:
        raise BadMarkError(say("the central directory does not hold"))
    before = accumulate((HEADER * is_sealed(entry) for entry in entries), initial=0)
    moved = {entry.offset: shorter for entry, shorter in zip(entries, before, strict=False)}
    size = locked.size - HEADER * sum(map(is_sealed, entries))
    return Plan(size, _pieces(locked, directory, entries, moved, key.parts["state"]))


def _pieces(
    locked: Reader,
    directory: records.Directory,
    entries: list[records.Entry],
    moved: dict[int, int],
    state: bytes,
) -> Iterator[Piece]:
    """Yield the members, the central directory with their new places, and its end."""
    from unransom.crypto.ciphers.at_once import decrypted  # noqa: PLC0415 numba takes half a second to import
    from unransom.crypto.ciphers.zipcrypto import ZipCrypto  # noqa: PLC0415

    done = 0
    for entry in (each for each in entries if is_sealed(each)):
        start = data_at(locked, entry)
        end = start + entry.packed
        if entry.offset < done or end > directory.start:
            raise BadMarkError(say("two members of the archive overlap"))
        yield Keep(done, entry.offset - done)
        yield Insert(_local(locked.read_at(entry.offset, start - entry.offset)))
        cipher = ZipCrypto(state)
        decrypted(cipher, locked.read_at(start, HEADER))
        yield Unlock(start + HEADER, entry.packed - HEADER, cipher)
        done = end
        if entry.flags & records.STREAMED and (descriptor := _descriptor(locked, end, entry)):
            yield Insert(descriptor)
            done += len(descriptor)
    yield Keep(done, directory.start - done)
    yield Insert(_central(locked.read_at(directory.start, directory.size), moved))
    yield Insert(_end(locked, directory, HEADER * sum(map(is_sealed, entries))))


def _local(header: bytes) -> bytes:
    """Return a local header, with its name and extra fields, without encryption."""
    out = bytearray(header)
    flags, name = (struct.unpack_from("<H", out, at)[0] for at in (6, 26))
    struct.pack_into("<H", out, 6, flags & ~records.ENCRYPTED)
    _, packed = _places(out, (22, 18), records.LOCAL_SIZE + name, len(out))
    _shorten(out, packed, HEADER)
    return bytes(out)


def _places(out: bytearray, numbers: tuple[int, ...], extra: int, end: int) -> list[slice]:
    """Return where ``numbers`` stand: in the zip64 field before ``end`` where 32 bits are full."""
    while extra + 4 <= end and out[extra : extra + 2] != records.ZIP64:
        extra += 4 + int.from_bytes(out[extra + 2 : extra + 4], "little")
    end = min(extra + 4 + int.from_bytes(out[extra + 2 : extra + 4], "little"), end)
    wide = extra + 4
    places = []
    for at in numbers:
        full = out[at : at + 4] == b"\xff" * 4 and wide + 8 <= end
        places.append(slice(wide, wide + 8) if full else slice(at, at + 4))
        wide += 8 * full
    return places


def _shorten(out: bytearray, place: slice, by: int) -> None:
    """Write a number that is less by ``by``; what is none yet, since it follows the data, stays."""
    width = place.stop - place.start
    value = int.from_bytes(out[place], "little")
    if by <= value < (1 << 8 * width) - 1:
        out[place] = (value - by).to_bytes(width, "little")


def _end(locked: Reader, directory: records.Directory, by: int) -> bytes:
    """Return the records behind the central directory, which begins ``by`` bytes sooner."""
    out = bytearray(locked.read_at(directory.records, locked.size - directory.records))
    end = out.rfind(records.END, 0, directory.end - directory.records)
    while end >= 0 and records.directory_at(locked, directory.records + end) != directory:
        end = out.rfind(records.END, 0, end)
    _shorten(out, slice(end + 16, end + 20), by)
    if out.startswith(records.END64):
        _shorten(out, slice(48, 56), by)
        _shorten(out, slice(end - records.LOCATOR64_SIZE + 8, end - records.LOCATOR64_SIZE + 16), by)
    return bytes(out)


def _descriptor(locked: Reader, position: int, entry: records.Entry) -> bytes:
    """Return the data descriptor behind a member, with the size that its data has without a header."""
    size = records.descriptor_size(locked, position, entry.crc, entry.packed, entry.size) or 0
    out = locked.read_at(position, size)
    at = 8 if out.startswith(records.DESCRIPTOR) else 4
    width = (len(out) - at) // 2
    return out[:at] + (entry.packed - HEADER).to_bytes(width, "little") + out[at + width :] if out else b""


def _central(data: bytes, moved: dict[int, int]) -> bytes:
    """Return the central directory without encryption, its members where they stand now."""
    out = bytearray(data)
    at = 0
    while at + records.CENTRAL_SIZE <= len(out):
        flags, method = struct.unpack_from("<HH", out, at + 8)
        name, extra, comment = struct.unpack_from("<3H", out, at + 28)
        extras = at + records.CENTRAL_SIZE + name
        _, packed, offset = _places(out, (at + 24, at + 20, at + 42), extras, extras + extra)
        long = int.from_bytes(out[packed], "little")
        if is_sealed(records.Entry(b"", flags, method, 0, 0, long, 0, 0)):
            struct.pack_into("<H", out, at + 8, flags & ~records.ENCRYPTED)
            _shorten(out, packed, HEADER)
        _shorten(out, offset, moved.get(int.from_bytes(out[offset], "little"), 0))
        at = extras + extra + comment
    return bytes(out)


FAMILY = Family(
    name="zipcrypto",
    title="ZIP under a password",
    aliases=("pkzip",),
    sealed=True,
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the password, or the three words of state that it gives"),
    references=("PKWARE APPNOTE.TXT 6.3.10, section 6.1", "https://math.ucr.edu/~mike/zipattacks.pdf"),
    limitations=(
        "Archives in several parts, or with bytes in front, are not opened.",
        "Members under AES or strong encryption stay as they are.",
    ),
)
