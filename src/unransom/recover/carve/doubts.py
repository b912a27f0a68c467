"""What a carver must ask besides the formats' own checks, because a file on a disk goes on into the next one.

A validator judges a file that someone calls one: it may be cut off at a place where it still makes sense, or
run into another file of its kind. Here is looked for what only the whole file has.
"""

from __future__ import annotations

from collections.abc import Callable

from unransom.catalog.formats import mail, wal, wav
from unransom.core.streams import CHUNK, Reader
from unransom.recover.carve.pdf_sections import END, LINEARIZED, section
from unransom.recover.carve.signatures import SECTOR

TAIL = 256  # bytes in which the end of a document stands
OGG_PAGE = 27 + 255 + 255 * 255  # bytes of the largest page
LAST_PAGE = 4  # flag
NEWLINE, MAIL_HEAD = 10, 512
PACKET = 192  # bytes of one of a transport stream at most
CLUSTER = 4096  # bytes of the usual one
LOOKED = 1 << 22  # bytes of a sound: what is read here is read a second time
SILENCE = 16  # bytes: where a sound becomes silent within a cluster, those before the next one are zeros
PRINTABLE = bytes([*b"\t\n\r", *range(32, 127)])


def is_complete(name: str, reader: Reader, following: bytes) -> bool:
    """Return whether a file of format ``name`` has the end that it must have, and only one beginning.

    Args:
        name: Of its format.
        reader: The file.
        following: What stands behind it in the space.
    """
    check = _CHECKS.get(name)
    return check is None or check(reader, following)


def _pdf(reader: Reader, _following: bytes) -> bool:
    """The end names a cross-reference that is there; a document for the web is as long as it says."""
    linearized = LINEARIZED.search(reader.read_at(0, 1024))
    if linearized and int(linearized[1]) != reader.size:
        return _found_after(reader, int(linearized[1]))
    end = END.search(reader.read_at(max(0, reader.size - TAIL), TAIL))
    if end is None or section(reader, int(end[1])) is None:
        return False
    return not _begins_again(reader, b"%PDF-")


def _found_after(reader: Reader, length: int) -> bool:
    """Return whether a document was added to later: it is longer than it says, and has an end there."""
    return length < reader.size and b"%%EOF" in reader.read_at(max(0, length - 32), 32)


def _begins_again(reader: Reader, magic: bytes) -> bool:
    """Return whether another file begins at a later sector."""
    position = SECTOR
    while position < reader.size:
        data = reader.read_at(position, CHUNK)
        at = data.find(magic)
        while at >= 0:
            if (position + at) % SECTOR == 0:
                return True
            at = data.find(magic, at + 1)
        position += len(data) or reader.size
    return False


def _ogg(reader: Reader, following: bytes) -> bool:
    """No page follows that does not hold: the last one is marked as such, or what follows is no page."""
    tail = reader.read_at(max(0, reader.size - OGG_PAGE), OGG_PAGE)
    page = tail.rfind(b"OggS\0")
    last = page >= 0 and bool(tail[page + 5] & LAST_PAGE)
    return last or not following.startswith(b"OggS")


def _flv(_reader: Reader, following: bytes) -> bool:
    """No tag follows whose end is elsewhere."""
    return following[:1] not in {b"\x08", b"\x09", b"\x12"} or any(following[8:11])


def _mpeg(reader: Reader, _following: bytes) -> bool:
    """The end code or padding of the last pack is there: a piece of a film may end with any other pack."""
    return reader.read_at(reader.size - 4, 4) in {b"\0\0\1\xb9", b"\xff" * 4}


def _mpegts(reader: Reader, following: bytes) -> bool:
    """The last packet does not go over the end of a cluster, where another file may go on."""
    return reader.size % CLUSTER >= PACKET or not any(following)


def _wal(reader: Reader, following: bytes) -> bool:
    """No frame of the same round follows."""
    log = wal.read_log(reader.read_at(0, wal.HEADER))
    last = reader.size - wal.FRAME - log.page if log else 0
    return last < wal.HEADER or reader.read_at(last + 8, 8) != following[8:16]


def _mail(reader: Reader, _following: bytes) -> bool:
    """No other mail begins at a sector within a line: that is where another file goes on."""
    position = SECTOR
    while position < reader.size:
        data = reader.read_at(position - 1, CHUNK + 1)
        for at in range(1, len(data) - MAIL_HEAD, SECTOR):
            if data[at - 1] != NEWLINE and mail.recognise(data[at : at + MAIL_HEAD]):
                return False
        position += CHUNK
    return True


def _wav(reader: Reader, _following: bytes) -> bool:
    """No cluster of plain samples is text, or zeros that begin with it: there another file's cluster lies."""
    samples = wav.plain_samples(reader)
    if samples is None:
        return True
    before = b""
    end = min(samples.end, LOOKED)
    for start in range(-(-samples.start // CLUSTER) * CLUSTER, end, CLUSTER):
        cluster = reader.read_at(start, min(CLUSTER, end - start))
        zeros = not cluster.strip(b"\0")
        if len(cluster) >= SECTOR and (_is_text(cluster) or (zeros and before.strip(b"\0"))):
            return False
        before = cluster[-SILENCE:]
    return True


def _is_text(cluster: bytes) -> bool:
    """Return whether it is lines of text: samples that never are above zero, and some of them loud."""
    return b"\n" in cluster and b" " in cluster and not cluster.translate(None, PRINTABLE)


_CHECKS: dict[str, Callable[[Reader, bytes], bool]] = {
    "pdf": _pdf,
    "ogg": _ogg,
    "flv": _flv,
    "mail": _mail,
    "mpeg": _mpeg,
    "mpegts": _mpegts,
    "wal": _wal,
    "wav": _wav,
}
