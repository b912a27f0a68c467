"""ZIP archives, and the many formats that are ZIP archives with agreed members (jar, apk, epub, odt …)."""

from __future__ import annotations

from array import array

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats._deflate import Budget
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._trailing import check_trailer, random_between
from unransom.catalog.formats._zip_members import check_data
from unransom.catalog.formats._zip_records import Directory, Entry
from unransom.catalog.formats._zip_walk import walk
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import Message, say
from unransom.core.records import Grade
from unransom.core.streams import Reader

SEARCH = 1 << 28  # bytes searched for an end record behind the last member that the walk understood
EMPTY = records.END + bytes(18)
SPANNING = (b"PK00" + records.LOCAL, records.DESCRIPTOR + records.LOCAL)  # marks in front of the first member
NAMES_CAP = 1 << 16  # names kept for the formats that build on this one


class Archive:
    """What the check of an archive found.

    Attributes:
        findings: What held and what did not.
        directory: None where the archive has no usable central directory.
        names: Names of the first members.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = Cached(reader)
        self.findings = Findings(reader.size)
        self.budget = Budget(reader.size)
        self.names: list[bytes] = []
        self.members = 0
        self.protected = 0
        self._extents = array("Q")
        self.directory = records.find_directory(self.reader)
        if self.directory is None:
            self._salvage()
        elif not self.directory.split:
            self._check(self.directory)

    def verdict(self) -> Validation:
        """Return the verdict on the whole archive."""
        if self.directory is None and not self.members:
            return bad(say("no ZIP member and no central directory is found"), self.reader.size)
        if self.directory is not None and self.directory.split:
            return Validation(Grade.UNKNOWN, 0, say("this is one part of a ZIP archive of several parts"))
        return self.findings.verdict(self._whole(), self.directory.end if self.directory else None)

    def _whole(self) -> Message:
        if self.budget.exceeded:
            return say("the directory of {count} members holds; not all were inflated", count=self.members)
        if self.protected:
            return say(
                "{count} members agree with the directory; {protected} need a password and are not checked",
                count=self.members,
                protected=self.protected,
            )
        return say("{count} members have the right CRC-32 and agree with the directory", count=self.members)

    def _salvage(self) -> None:
        """Without a directory: go from local header to local header."""
        self.findings.fault(
            max(0, self.reader.size - records.END_SIZE),
            self.reader.size,
            say("the central directory at the end of the ZIP archive is missing or damaged"),
        )
        for entry in walk(self.reader, 0, self.reader.size, self.budget, self.findings):
            self._count(entry)

    def _count(self, entry: Entry) -> None:
        self.members += 1
        self.protected += entry.flags & records.ENCRYPTED
        if len(self.names) < NAMES_CAP:
            self.names.append(entry.name)

    def _check(self, directory: Directory) -> None:
        position = directory.start
        directory_end = directory.start + directory.size
        for entry in records.central_entries(self.reader, directory.start, directory_end):
            position += entry.header
            self._check_member(entry, directory)
            self._count(entry)
        if self.members != directory.count & (0xFFFFFFFFFFFFFFFF if directory.count > records.FULL16 else ~0):
            why = say("the central directory breaks off after {count} members", count=self.members)
            self.findings.fault(position, directory_end, why)
        else:
            self.findings.hold(32)  # the end record points at the directory, and its entries fill it
            self._check_gaps(directory, position)
        check_trailer(self.reader, directory.end, self.findings)

    def _check_member(self, entry: Entry, directory: Directory) -> None:
        """Compare the local header with the directory, then check the data."""
        start = entry.offset + directory.shift
        local = records.local_at(self.reader, start) if 0 <= start < directory.start else None
        if local is None:
            end = min(start + records.LOCAL_SIZE + entry.packed, directory.start)
            self.findings.fault(start, end, say("member {name} has no local header", name=entry.title))
            self._extents.extend((min(start, end), end))
            return
        data = start + local.header
        end = min(data + entry.packed, directory.start)
        if not _agree(local, entry):
            why = say("the local header of member {name} differs from the directory", name=entry.title)
            self.findings.fault(start, data, why)
        else:
            self.findings.hold(32)
        check_data(self.reader, data, entry, self.budget, self.findings)
        if entry.flags & records.STREAMED:
            end += self._descriptor(entry, local, end)
        self._extents.extend((start, end))

    def _descriptor(self, entry: Entry, local: Entry, end: int) -> int:
        """Return the size of the data descriptor at ``end``, which must agree with the directory."""
        size = records.descriptor_size(self.reader, end, entry.crc, entry.packed, entry.size)
        if size is None and (local.crc, local.packed) != (entry.crc, entry.packed):
            why = say("the data descriptor of member {name} does not agree", name=entry.title)
            self.findings.fault(end, end + 16, why)
        return size or 0

    def _check_gaps(self, directory: Directory, listed: int) -> None:
        """What no member covers must not look encrypted; members must not overlap."""
        pairs = sorted(zip(self._extents[::2], self._extents[1::2], strict=True))
        position = 0
        for start, end in [*pairs, (directory.start, listed), (directory.records, directory.end)]:
            if start < position and start < directory.start:
                why = say("members of the ZIP archive overlap at byte {offset}", offset=start)
                self.findings.fault(start, min(position, end), why)
            elif position < start and self._gap_is_bad(position, start):
                why = say(
                    "bytes that look encrypted lie between the members at byte {offset}", offset=position
                )
                self.findings.fault(position, start, why)
            position = max(position, end)

    def _gap_is_bad(self, start: int, end: int) -> bool:
        """Harmless: programs in front of the archive, signing blocks, deleted members, digital signatures."""
        if self.reader.read_at(start, 4)[:2] in {b"MZ", b"PK", b"#!", b"\x7fE"}:
            return False
        if self.reader.read_at(end - 16, 16) == b"APK Sig Block 42":
            return False
        return random_between(self.reader, start, end)


def _agree(local: Entry, entry: Entry) -> bool:
    """Return whether a local header says the same as the directory, as far as producers keep to that."""
    if local.method != entry.method or (local.flags ^ entry.flags) & records.ENCRYPTED:
        return False
    if local.name != entry.name and len(local.name) != len(entry.name):
        return False
    sizes = (local.crc, local.packed, local.size)
    if sizes == (entry.crc, entry.packed, entry.size):
        return True
    return bool(local.flags & records.STREAMED)


def recognise(head: bytes) -> int:
    """Return the bits of a local header, or of an empty archive's end record, that hold."""
    if head.startswith(EMPTY):
        return 8 * len(EMPTY)
    start = 4 if head.startswith(SPANNING) else 0
    entry = records.read_local(head[start:])
    if entry is None or not entry.name or b"\0" in entry.name:
        return 0
    return 32 + 8 + 5 + 11  # signature; version, unused flags and method of few legal values


def measure(reader: Reader) -> Measure:
    """Find the end record that fits an archive that starts at the first byte."""
    cached = Cached(reader)
    position = 0
    while (entry := records.local_at(cached, position)) is not None:
        if entry.flags & records.STREAMED and not entry.packed:
            break
        position += entry.header + entry.packed
    stop = min(reader.size, position + SEARCH)
    while (position := find(cached, records.END, position, stop)) >= 0:
        directory = records.directory_at(cached, position)
        if directory is not None and directory.shift == 0:
            return Measure(directory.end, say("the ZIP archive's end record and directory agree"))
        position += 4
    return Measure(None, say("no end record of the ZIP archive is found"))


def validate(reader: Reader) -> Validation:
    """Inflate every member, check its CRC-32, and compare local headers with the directory."""
    return Archive(reader).verdict()


FORMAT = Format(
    name="zip",
    title="ZIP archive",
    extensions=(
        "zip",
        "jar",
        "whl",
        "epub",
        "odt",
        "ods",
        "odp",
        "odg",
        "apk",
        "war",
        "ear",
        "xpi",
        "kmz",
        "cbz",
    ),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, records.LOCAL, 0.99),),
    compressed=True,
    references=("PKWARE APPNOTE.TXT 6.3.10",),
    limitations=(
        "Password-protected members are checked by structure only.",
        "Members compressed by Deflate64, Zstandard, PPMd or older methods are checked by structure only.",
        "At most 64 times the file's size plus 256 MiB is inflated; the rest of a bomb stays unchecked.",
    ),
)
