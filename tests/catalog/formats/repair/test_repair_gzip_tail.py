"""What a gzip stream holds behind a lost beginning, against the content that gzip and tar were given."""

import gzip as packing
import io
import tarfile

import pytest

from tests.catalog.formats.repair.damage import chance, damaged, written
from unransom.catalog.formats.repair import gzip
from unransom.core.spans import Span


def packages(kind=tarfile.GNU_FORMAT):
    """Return {name: content} and an archive of it: content that packs badly, so that blocks are many."""
    draw = chance(4)
    files = {
        f"shop/{'deep/' * (number % 40)}photo é {number}.raw": draw.randbytes(40_000 + draw.randrange(9_000))
        for number in range(20)
    }
    files["shop/list.txt"] = b"".join(b"%d\n" % draw.randrange(10**9) for _ in range(40_000))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return files, out.getvalue()


def left(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("told", [False, True])
def test_files_behind_a_lost_beginning_come_back_with_their_names(kind, told):
    files, archive = packages(kind)
    packed = packing.compress(archive)
    repaired = gzip.repair(damaged(packed, [Span(0, 65536)], b"a.tar.gz", told=told))
    members = left(packing.decompress(written(repaired)))
    whole = {name: content for name, content in members.items() if not name.startswith("partial/")}
    assert len(whole) >= len(files) - 4
    assert whole.items() <= files.items()
    assert {name.removeprefix("partial/") for name in members} <= files.keys()
    values = repaired.missing[-1].values
    assert values["total"] == len(archive)
    assert 60_000 < values["front"] < 140_000


def test_files_behind_a_hole_lie_beside():
    files, archive = packages()
    repaired = gzip.repair(damaged(packing.compress(archive), [Span(400_000, 465_536)], b"a.tar.gz"))
    assert archive.startswith(packing.decompress(written(repaired))[:300_000])
    (beside,) = repaired.beside
    assert beside.suffix == ".behind.tar"
    whole = {name: content for name, content in left(beside.data).items() if not name.startswith("partial/")}
    assert len(whole) > 5
    assert whole.items() <= files.items()


def test_text_is_marked_and_nothing_invented():
    draw = chance(5)
    content = b"".join(b"%d;SKU-%d;red\n" % (each, draw.randrange(10**6)) for each in range(20_000))
    packed = packing.compress(content)
    out = packing.decompress(written(gzip.repair(damaged(packed, [Span(0, 20_000)], b"a.csv.gz"))))
    text = out.decode()
    tail = content[-len(text) :].decode()
    assert len(text) > len(content) / 2
    assert all(mine in {true, "\ufffd"} for mine, true in zip(text, tail, strict=True))


def test_other_content_stands_in_its_own_place():
    draw = chance(6)
    content = b"".join(draw.randbytes(300) + bytes(100) for _ in range(1500))
    packed = packing.compress(content)
    out = packing.decompress(written(gzip.repair(damaged(packed, [Span(0, 70_000)], b"a.gz"))))
    assert len(out) == len(content)
    assert all(mine in {true, 0} for mine, true in zip(out, content, strict=True))
    assert out[-200_000:] == content[-200_000:]


def test_noise_and_a_wrong_size_give_nothing():
    assert gzip.repair(damaged(chance(7).randbytes(300_000), (), b"a.gz")) is None
    packed = bytearray(packing.compress(chance(8).randbytes(300_000)))
    packed[-4:] = (1000).to_bytes(4, "little")
    assert gzip.repair(damaged(bytes(packed), [Span(0, 65536)], b"a.gz")) is None


def test_members_behind_the_first_stay_whole():
    parts = [chance(number).randbytes(50_000) for number in range(5)]
    packed = [packing.compress(part) for part in parts]
    out = packing.decompress(written(gzip.repair(damaged(b"".join(packed), [Span(0, 40_000)], b"a.gz"))))
    assert out == b"".join(parts[1:])
