"""Readers, and what becomes of ranges that cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Reader, Salvage, Window, chunks


class Holed(BytesReader):
    """A reader with a range that cannot be read."""

    def __init__(self, data, hole):
        super().__init__(data)
        self.hole = hole

    def read_at(self, offset, length):
        start, end = max(offset, self.hole.start), min(offset + length, self.hole.end)
        if start < end:
            raise UnreadableError(start, end - start)
        return super().read_at(offset, length)


@given(st.binary(max_size=100), st.integers(0, 120), st.integers(0, 120))
def test_bytes_and_windows_read_like_slices(data, start, length):
    reader = BytesReader(data)
    assert isinstance(reader, Reader)
    assert reader.read_at(start, length) == data[start : start + length]
    window = Window(reader, start, length)
    part = data[start : start + length]
    assert window.size == len(part)
    assert window.read_at(0, 1000) == part
    assert window.read_at(3, 5) == part[3:8]
    assert b"".join(chunks(window, step=7)) == part


def test_a_window_says_where_in_itself_reading_failed():
    window = Window(Holed(bytes(100), Span(50, 60)), 40, 30)
    with pytest.raises(UnreadableError) as caught:
        window.read_at(0, 30)
    assert (caught.value.offset, caught.value.length) == (10, 10)


@given(st.integers(0, 5), st.integers(1, 3), st.integers(0, 20000), st.integers(0, 20000))
def test_salvage_loses_whole_sectors_and_no_more(first, sectors, start, length):
    data = bytes(index % 251 for index in range(20000))
    hole = Span(first * 4096 + 17, min((first + sectors) * 4096, 20000))
    reader = Salvage(Holed(data, hole))
    found = reader.read_at(start, length)
    want = data[start : start + length]
    assert len(found) == len(want)
    lost = {offset for span in reader.lost for offset in range(span.start, span.end)}
    for index, (byte, right) in enumerate(zip(found, want, strict=True), start):
        assert byte == (0 if index in lost else right)
    for offset in lost:
        assert hole.start // 4096 <= offset // 4096 <= (hole.end - 1) // 4096
