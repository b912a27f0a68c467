"""How files begin, against what other programs write."""

import io
import itertools
import wave

import docx
import openpyxl
import pytest
from PIL import Image

from unransom.recover.keys.beginnings import BEGINNINGS, beginnings


def written(kind):
    """Return a file as a program writes it."""
    out = io.BytesIO()
    if kind == "docx":
        docx.Document().save(out)
    elif kind == "xlsx":
        openpyxl.Workbook().save(out)
    elif kind == "wav":
        with wave.open(out, "wb") as sound:
            sound.setparams((2, 2, 44100, 0, "NONE", ""))
            sound.writeframes(bytes(4000))
    else:
        Image.new("RGB", (40, 30), (200, 10, 10)).save(out, {"jpg": "jpeg"}.get(kind, kind))
    return out.getvalue()


@pytest.mark.parametrize("kind", ["docx", "xlsx", "wav", "bmp", "png", "jpg"])
def test_a_file_begins_in_one_of_the_ways_that_are_told_of_its_name(kind):
    data = written(kind)
    ways = list(beginnings(f"folder/a.{kind.upper()}".encode(), len(data)))
    fitting = [each for each in ways if all(data[at : at + len(some)] == some for at, some in each.pieces)]
    assert fitting
    assert max(len(some) for each in fitting for _, some in each.pieces) >= 8


def test_what_reaches_behind_the_end_of_the_file_is_left_out():
    for name in BEGINNINGS:
        for size in (0, 5, 14, 40):
            for each in beginnings(b"a." + name, size):
                assert all(data and at + len(data) <= size for at, data in each.pieces)


def test_pieces_stand_apart_and_shares_are_shares():
    for name in BEGINNINGS:
        assert 0 < sum(each.share for each in BEGINNINGS[name]) <= 1.21, name
        for each in beginnings(b"a." + name, 1 << 20):
            ends = [(at, at + len(data)) for at, data in each.pieces]
            assert all(end < start for (_, end), (start, _) in itertools.pairwise(ends)), name
