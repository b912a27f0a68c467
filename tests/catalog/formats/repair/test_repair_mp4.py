"""Films whose table of contents is left play again; what is lost of them is counted."""

import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats import film_samples as films
from tests.catalog.formats.repair.damage import chance, damaged, locked, written
from tests.fixtures.tools import tool
from unransom.catalog.formats.mp4 import FORMAT
from unransom.catalog.formats.repair import mp4
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("told", [False, True])
def test_samples_stay_where_they_are(first, told):
    data = films.mp4(tables_first=first)
    contents = data.index(b"moov")
    start = contents + int.from_bytes(data[contents - 4 : contents]) + 4000 if first else 0
    spans = [Span(start, start + 8192)]
    repaired = mp4.repair(damaged(data, spans, b"a.mp4", told=told))
    out = written(repaired)
    assert len(out) == len(data)
    assert out[start + 8192 :] == data[start + 8192 :]
    assert FORMAT.validate(BytesReader(out)).grade is Grade.PARTIAL
    (count,) = repaired.counts
    assert count.total // 2 < count.left < count.total
    assert repaired.missing
    assert repaired.lost


def test_a_film_without_its_table_is_none():
    data = films.mp4()
    assert mp4.repair(damaged(data[: data.index(b"moov") - 4], (), b"a.mp4")) is None
    assert mp4.repair(damaged(locked(data, [Span(0, len(data))]), (), b"a.mp4")) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_any_damage_is_survived(number):
    draw = chance(number)
    data = bytearray(films.mp4(tables_first=draw.random() < 0.5))
    for _ in range(draw.randrange(1, 20)):
        start = draw.randrange(len(data))
        size = min(draw.choice([1, 2, 4, 64, 1024]), len(data) - start)
        data[start : start + size] = draw.randbytes(size)
    if draw.random() < 0.3:
        del data[draw.randrange(1, len(data)) :]
    repaired = mp4.repair(damaged(bytes(data), (), b"a.mp4"))
    assert repaired is None or len(written(repaired)) == len(data)


def test_another_program_plays_it(tmp_path):
    film, out = tmp_path / "a.mp4", tmp_path / "out.mp4"
    made = [
        tool("ffmpeg", "ffmpeg"),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=320x240:rate=25:duration=12",
    ]
    subprocess.run([*made, "-c:v", "libx264", "-g", "25", "-b:v", "400k", film], check=True)
    data = film.read_bytes()
    out.write_bytes(written(mp4.repair(damaged(data, [Span(0, 65536)], b"a.mp4"))))
    asked = [
        tool("ffprobe", "ffmpeg"),
        "-v",
        "error",
        "-count_frames",
        "-select_streams",
        "v",
        "-show_entries",
        "stream=nb_read_frames",
    ]
    shown = subprocess.run([*asked, "-of", "json", out], check=True, capture_output=True).stdout
    frames = int(json.loads(shown)["streams"][0]["nb_read_frames"])
    assert 150 < frames < 300
