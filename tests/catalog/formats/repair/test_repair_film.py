"""Films whose table of contents is lost: with a sibling their pictures come back, one by one."""

import subprocess

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats.repair.damage import chance, damaged, written
from tests.fixtures.tools import tool
from unransom.catalog.formats.mp4 import FORMAT
from unransom.catalog.formats.repair import mp4
from unransom.core.outputs import Outputs
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.repair.step import mend

AVC = ("-c:v", "libx264", "-preset", "veryfast", "-g", "12", "-b:v", "400k")
HEVC = (
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-tag:v",
    "hvc1",
    "-x265-params",
    "log-level=error:keyint=12",
)
WAYS = {
    "avc": (*AVC, "-c:a", "aac"),
    "hevc": (*HEVC, "-c:a", "aac"),
    "slices": (*AVC, "-bf", "0", "-slices", "4", "-c:a", "pcm_s16le"),
    "fragments": (*AVC, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "full colour": (*AVC, "-pix_fmt", "yuv444p", "-profile:v", "high444"),
}
OWN = "testsrc2=size=320x180:rate=25:duration=4"
OTHER = "life=size=320x180:rate=25:mold=10:ratio=0.1,format=yuv420p,trim=duration=2"
PICTURES = 100


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A function that returns a film of a scene, coded in one of the ways."""
    folder, made = tmp_path_factory.mktemp("films"), {}

    def filmed(way, scene=OWN):
        if (way, scene) not in made:
            path = folder / f"{len(made)}.mov"
            ffmpeg = [tool("ffmpeg", "ffmpeg"), "-v", "error", "-f", "lavfi", "-i", scene]
            sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=4", "-shortest"]
            subprocess.run([*ffmpeg, *sound, *WAYS[way], path], check=True)
            made[way, scene] = path.read_bytes()
        return made[way, scene]

    return filmed


def pictures(data, folder):
    """Return digests of the pictures that another program decodes."""
    path = folder / "film.mov"
    path.write_bytes(data)
    command = [tool("ffmpeg", "ffmpeg"), "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.rpartition(",")[2] for line in lines if not line.startswith("#")]


def without_table(data):
    return data[: data.index(b"moov") - 4]


def repaired(data, *siblings, spans=()):
    known = msgspec.structs.replace(
        damaged(data, spans, b"a.mov"), siblings=tuple(map(BytesReader, siblings))
    )
    return mp4.repair(known)


@pytest.mark.parametrize("way", ["avc", "hevc", "slices"])
def test_every_picture_comes_back_with_the_head_of_a_sibling(way, film, tmp_path):
    whole = film(way)
    mended = repaired(without_table(whole), film(way, OTHER))
    out = written(mended)
    assert FORMAT.validate(BytesReader(out)).grade is Grade.GOOD
    assert mended.counts[0].left == PICTURES
    assert mended.unproven
    assert pictures(out, tmp_path) == pictures(whole, tmp_path)


@pytest.mark.parametrize("way", ["avc", "hevc"])
def test_pictures_in_front_of_and_behind_a_hole_come_back(way, film, tmp_path):
    whole = film(way)
    data, sibling = without_table(whole), film(way, OTHER)
    hole = Span(len(data) // 3, len(data) // 3 + 8192)
    mended = repaired(data, sibling, spans=[hole])
    found, true = pictures(written(mended), tmp_path), pictures(whole, tmp_path)
    assert len([each for each in true if each in set(found)]) > PICTURES * 3 // 4
    assert any("places pictures are lost" in str(each) for each in mended.missing)
    assert not any("places pictures" in str(each) for each in repaired(data, sibling).missing)


def test_fragments_come_back_behind_the_table_of_a_sibling(film, tmp_path):
    whole, sibling = film("fragments"), film("fragments", OTHER)
    data = bytes(4096) + whole[4096:]
    assert repaired(data) is None
    mended = repaired(data, sibling, spans=[Span(0, 4096)])
    found, true = pictures(written(mended), tmp_path), pictures(whole, tmp_path)
    assert found == true[-len(found) :]
    assert len(found) >= PICTURES - 24
    assert mended.unproven


def test_fragments_behind_their_own_table_need_no_sibling(film, tmp_path):
    whole = film("fragments")
    parts = [at for at in range(len(whole)) if whole.startswith(b"moof", at)]
    hole = Span(parts[1] - 4, parts[2])
    mended = repaired(whole, spans=[hole])
    found, true = pictures(written(mended), tmp_path), pictures(whole, tmp_path)
    assert mended.unproven is None
    assert set(true) > set(found) >= set(true[:12] + true[-24:])


def test_a_sibling_that_is_coded_in_another_way_proves_nothing(film):
    data, right, wrong = without_table(film("avc")), film("avc", OTHER), film("full colour", OTHER)
    assert repaired(data, wrong).unproven
    assert any("siblings" in str(each) for each in repaired(data, wrong, right).missing)
    assert not any("siblings" in str(each) for each in repaired(data, right).missing)


def test_what_only_a_sibling_says_is_no_proof(film, tmp_path):
    data, sibling = without_table(film("avc")), film("full colour", OTHER)
    known = msgspec.structs.replace(damaged(data, (), b"a.mov"), siblings=(BytesReader(sibling),))
    outputs = Outputs(tmp_path / "out", tmp_path / "scratch", tmp_path)
    mended = mend(known, b"a.mov", outputs, lambda _: ((), ()))
    assert mended.output.bits == 0
    assert "sibling" in str(mended.output.why)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_any_damage_is_survived(film, number):
    draw = chance(number)
    way = draw.choice(["avc", "hevc", "fragments"])
    data = bytearray(film(way) if way == "fragments" else without_table(film(way)))
    for _ in range(draw.randrange(1, 20)):
        start = draw.randrange(len(data))
        size = min(draw.choice([1, 2, 4, 64, 4096]), len(data) - start)
        data[start : start + size] = draw.randbytes(size)
    sibling = bytearray(film(way, OTHER))
    for _ in range(draw.randrange(3)):
        sibling[draw.randrange(len(sibling))] = draw.randrange(256)
    mended = repaired(bytes(data), bytes(sibling))
    assert mended is None or written(mended)


@pytest.mark.parametrize("unit", ["419a246c417f", "06050a0a0a7f", "6588 8421a07f"])
@pytest.mark.parametrize("size", [0x1000, 0x40000])
def test_bytes_that_begin_units_everywhere_are_given_up(film, unit, size):
    begins = size.to_bytes(4) + bytes.fromhex(unit)
    mended = repaired(begins * (1 << 16), film("avc", OTHER))
    assert mended is None or written(mended)
