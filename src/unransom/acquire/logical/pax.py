"""Headers of tar archives in the format pax (POSIX.1-2001); names are bytes, holes as GNU tar has them."""

from __future__ import annotations

import functools

from unransom.acquire.logical.entries import Entry

BLOCK = 512
LONGEST = 100  # bytes of a name in a header
LARGEST = 0o77777777777  # bytes of a file whose size fits a header
END = bytes(2 * BLOCK)
MARKED = b"./.unransom/deleted/"  # below it, the keys of deleted objects


def name_of(entry: Entry) -> bytes:
    """Return what the archive calls an entry: older versions of objects are below ``.unransom``."""
    path = b"./" + entry.path if entry.path else b"."
    if entry.version:
        path = b"./.unransom/versions/" + entry.version.encode() + b"/" + entry.path
    return MARKED + entry.path if entry.kind == "D" else path


def head(entry: Entry) -> bytes:
    """Return the headers of an entry, and the map of a file with holes; its content comes next."""
    name, sparse = name_of(entry), b""
    stored = entry.size if entry.kind == "0" else 0
    records = _records(entry, name)
    if entry.segments is not None:
        sparse = sparse_map(entry.segments)
        stored = len(sparse) + sum(length for _, length in entry.segments)
        records |= {
            b"GNU.sparse.major": b"1",
            b"GNU.sparse.minor": b"0",
            b"GNU.sparse.name": name,
            b"GNU.sparse.realsize": b"%d" % entry.size,
        }
    if stored > LARGEST:
        records[b"size"] = b"%d" % stored
    said = b"".join(_record(key, value) for key, value in records.items())
    extended = _announced(len(said)) + padded(said)
    kind = "0" if entry.kind == "D" else entry.kind
    return extended + _header(name[:LONGEST], kind, min(stored, LARGEST), entry) + sparse


def sparse_map(segments: tuple[tuple[int, int], ...]) -> bytes:
    """Return the map in front of the content of a file with holes: numbers in lines, filled up to a block."""
    lines = [str(len(segments)), *(str(number) for segment in segments for number in segment)]
    return padded("".join(f"{line}\n" for line in lines).encode())


def padded(data: bytes) -> bytes:
    """Return ``data`` filled up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def _records(entry: Entry, name: bytes) -> dict[bytes, bytes]:
    times = ((b"mtime", entry.modified), (b"atime", entry.accessed), (b"ctime", entry.changed))
    records = {key: _time(value) for key, value in times if value is not None}
    plain, plain_link = name.isascii(), entry.link.isascii()
    if not ((plain or _is_utf8(name)) and (plain_link or _is_utf8(entry.link))):
        records[b"hdrcharset"] = b"BINARY"
    if len(name) > LONGEST or not plain:
        records[b"path"] = name
    if len(entry.link) > LONGEST or not plain_link:
        records[b"linkpath"] = entry.link
    if not entry.attributes:
        return records
    return records | {b"SCHILY.xattr." + key: value for key, value in entry.attributes.items()}


def _record(key: bytes, value: bytes) -> bytes:
    size = len(key) + len(value) + 3
    size += len(str(size + len(str(size))))
    return b"%d %s=%s\n" % (size, key, value)


@functools.lru_cache(4096)
def _announced(size: int) -> bytes:
    """Return the header in front of so many bytes of records."""
    return _header(b"PaxHeaders/entry", "x", size, Entry(path=b"", kind="x"))


def _header(name: bytes, kind: str, size: int, entry: Entry) -> bytes:
    seconds = (entry.modified or 0) // 1_000_000_000
    fields = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0%s%s%s" % (
        name.ljust(100, b"\0"),
        entry.mode & 0o7777,
        entry.uid & 0o7777777,
        entry.gid & 0o7777777,
        size,
        min(max(seconds, 0), LARGEST),
        b" " * 8,
        kind.encode(),
        entry.link[:LONGEST].ljust(100, b"\0"),
    )
    fields += b"ustar\00000" + bytes(64)
    fields += b"%07o\0%07o\0" % entry.device
    block = fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]
    return block.ljust(BLOCK, b"\0")


def _time(nanoseconds: int) -> bytes:
    sign = b"-" if nanoseconds < 0 else b""
    seconds, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return b"%s%d.%09d" % (sign, seconds, rest)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
