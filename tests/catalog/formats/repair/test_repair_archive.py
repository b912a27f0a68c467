"""Of a damaged archive every whole member comes back under its name, and what is left of the others."""

import io
import zipfile

import pytest

from tests.catalog.formats.repair.damage import KIB64, chance, damaged, heads_left, holes, written
from unransom.catalog.formats.repair import zip as archives
from unransom.core.spans import Span


def made(streamed=False):
    draw = chance(7)
    out = io.BytesIO()
    target = Unseekable(out) if streamed else out
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(40):
            text = " ".join(f"{draw.randrange(10**6)}" for _ in range(draw.randrange(10, 6000)))
            kind = zipfile.ZIP_STORED if number % 5 == 0 else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(f"folder/文件 {number}.txt"), text, kind)
    return out.getvalue()


class Unseekable:
    """A file that zipfile streams to, with sizes behind the data."""

    def __init__(self, file):
        self._file = file

    def write(self, data):
        return self._file.write(data)

    def flush(self):
        self._file.flush()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_every_whole_member_comes_back(how, streamed):
    data = made(streamed)
    spans = holes(len(data), how)
    original = zipfile.ZipFile(io.BytesIO(data))
    # A member streamed without sizes whose header is lost is found by the directory alone.
    whole = {name for name, head, whole in heads_left(data, spans) if whole and head == original.read(name)}
    headed = {
        entry.filename
        for entry in original.infolist()
        if not any(span.start < entry.header_offset + 30 and entry.header_offset < span.end for span in spans)
    }
    archive = zipfile.ZipFile(io.BytesIO(written(archives.repair(damaged(data, spans)))))
    assert archive.testzip() is None
    for name in whole & headed:
        assert archive.read(name) == original.read(name)
    assert whole & headed


def test_what_is_left_of_a_damaged_member_is_put_beside():
    data = made()
    original = zipfile.ZipFile(io.BytesIO(data))
    entry = max(original.infolist(), key=lambda each: each.compress_size * (each.compress_type != 0))
    start = entry.header_offset + 60 + entry.compress_size // 2
    repaired = archives.repair(damaged(data, [Span(start, start + 512)], told=True))
    archive = zipfile.ZipFile(io.BytesIO(written(repaired)))
    part = archive.read(f"partial/{entry.filename}")
    assert len(part) > entry.file_size // 3
    assert original.read(entry).startswith(part)
    assert repaired.counts[0].left == 39
    assert repaired.lost == (entry.filename,)


def test_an_archive_in_an_archive_stays_one_member():
    inner = made()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("inner.zip", inner)
        archive.writestr("z.txt", "z" * 100)
    data = out.getvalue()
    repaired = archives.repair(damaged(data[: len(data) - 30]))
    again = zipfile.ZipFile(io.BytesIO(written(repaired)))
    assert again.read("inner.zip") == inner
    assert len(inner) > KIB64
