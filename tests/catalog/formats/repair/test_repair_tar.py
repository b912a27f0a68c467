"""tar archives with holes, against what tarfile was given."""

import io
import tarfile

import pytest

from tests.catalog.formats.repair.damage import KIB64, chance, damaged, holes, locked, written
from unransom.catalog.formats import tar as format_of_tar
from unransom.catalog.formats.format import Grade
from unransom.catalog.formats.repair import tar
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.spans import Origin, Span
from unransom.core.streams import BytesReader

KINDS = [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT]


def packages(kind, count=60):
    """Return {name: content} and an archive of it, {name: (start, end)} of its members with it."""
    draw = chance(7)
    files = {}
    for number in range(count):
        deep = "deep/" * (number % (40 if kind != tarfile.USTAR_FORMAT else 12))
        letter = "é" if kind != tarfile.USTAR_FORMAT else "e"
        files[f"shop/{deep}bill {letter} {number}.raw"] = draw.randbytes(draw.randrange(25_000))
    out = io.BytesIO()
    places = {}
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_700_000_000
            start = archive.offset
            archive.addfile(info, io.BytesIO(content))
            places[name] = start, archive.offset
    return files, out.getvalue(), places


def left(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive if info.isfile()}


def split(members):
    whole = {name: data for name, data in members.items() if not name.startswith("partial/")}
    return whole, {name: data for name, data in members.items() if name not in whole}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_every_member_that_is_left_comes_back_as_it_was(kind, how):
    files, archive, places = packages(kind)
    spans = holes(len(archive), how)
    repaired = tar.repair(damaged(archive, spans, b"a.tar", told=True))
    out = written(repaired)
    whole, partial = split(left(out))
    expected = {
        name
        for name, (start, end) in places.items()
        if not any(span.start < end and start < span.end for span in spans)
    }
    assert expected <= whole.keys()
    assert whole.items() <= files.items()
    assert repaired.counts[0].left == len(whole)
    assert format_of_tar.FORMAT.validate(BytesReader(out)).grade is not Grade.BAD
    assert sum(map(len, partial.values())) > 0
    # All that is left of contents is there: each kept byte of any member stands in the output.
    for name, (_, end) in places.items():
        last = archive[end - 1024 : end - 512]
        if len(files[name]) > 2048 and not any(span.start < end and end - 1024 < span.end for span in spans):
            assert last in out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_holes_that_are_not_named_leave_no_wrong_member_among_the_whole_ones(kind, how):
    files, archive, _ = packages(kind)
    repaired = tar.repair(damaged(archive, holes(len(archive), how), b"a.tar"))
    whole, _ = split(left(written(repaired)))
    assert len(whole) > 5
    assert whole.items() <= files.items()
    assert repaired.unproven is not None


def test_a_member_with_a_hole_has_zeros_there_and_is_named():
    content = chance(3).randbytes(300_000)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("a.raw", "b.raw"):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    hole = Span(100_000, 165_536)
    repaired = tar.repair(damaged(out.getvalue(), [hole], b"a.tar", told=True))
    pieces = list(repaired.pieces)
    members = left(b"".join(data for data, _ in pieces))
    at = hole.start - 512
    assert members == {
        "partial/a.raw": content[:at] + bytes(len(hole)) + content[at + len(hole) :],
        "b.raw": content,
    }
    assert sum(len(data) for data, origin in pieces if origin is Origin.LOST) == len(hole)
    assert repaired.lost == ("a.raw",)
    assert (repaired.counts[0].left, repaired.counts[0].total) == (1, 2)


def test_a_name_whose_extended_header_is_lost_is_not_taken_for_the_whole_name():
    name = "n" * 180 + ".raw"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for each in (name, "b.raw"):
            info = tarfile.TarInfo(each)
            info.size = 3000
            archive.addfile(info, io.BytesIO(b"x" * 3000))
    repaired = tar.repair(damaged(out.getvalue(), [Span(0, 1024)], b"a.tar", told=True))
    whole, partial = split(left(written(repaired)))
    assert whole == {"b.raw": b"x" * 3000}
    assert list(partial.values()) == [b"x" * 3000]


def test_a_size_beyond_the_file_is_cut():
    info = tarfile.TarInfo("a.raw")
    info.size = 1 << 50
    data = info.tobuf(tarfile.GNU_FORMAT) + b"y" * 700
    repaired = tar.repair(Damaged(BytesReader(data), b"a.tar"))
    assert left(written(repaired)) == {"partial/a.raw": b"y" * 700}
    assert repaired.missing[0].values["total"] == 1 << 50


def test_nothing_is_made_of_noise():
    noise = locked(bytes(4 * KIB64), [Span(0, 4 * KIB64)])
    assert tar.repair(Damaged(BytesReader(noise), b"a.tar")) is None
    assert not tar.finds(BytesReader(noise))


def old(files):
    """Return an archive as tar wrote it before headers had a magic."""
    out = b""
    for name, content in files.items():
        header = bytearray(512)
        header[: len(name)] = name.encode()
        header[100:148] = b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % len(content) + b"%011o\0" % 10**9
        header[148:157] = b" " * 8 + b"0"
        header[148:156] = b"%06o\0 " % sum(header)
        out += bytes(header) + content + bytes(-len(content) % 512)
    return out + bytes(-len(out) % 10240 + 10240)


def test_headers_without_a_magic_are_found_behind_a_hole():
    files = {f"{number}.txt": b"%d\n" % number * 4000 for number in range(30)}
    repaired = tar.repair(damaged(old(files), [Span(0, KIB64)], b"a.tar", told=True))
    whole, _ = split(left(written(repaired)))
    assert whole.items() <= files.items()
    assert len(whole) > 20


def test_a_text_with_a_locked_sector_is_not_among_the_whole_ones():
    files = {f"{number}.txt": b"order %d, two lamps\n" % number * 300 for number in range(9)}
    repaired = tar.repair(damaged(old(files), [Span(2048, 2560), Span(41_500, 42_500)], b"a.tar"))
    whole, partial = split(left(written(repaired)))
    assert whole.items() <= files.items()
    assert len(whole) == 7
    assert partial.keys() == {"partial/0.txt", "partial/6.txt"}
