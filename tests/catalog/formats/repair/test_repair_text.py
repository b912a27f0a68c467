"""Whole lines and whole objects come back from partly locked texts; nothing comes back that was not there."""

import csv
import gzip as packing
import io
import json
import zlib

import pytest

from tests.catalog.formats.repair.damage import chance, damaged, holes, locked, written
from unransom.catalog.formats.repair import gzip, text
from unransom.catalog.formats.repair._letters import NARROW, WIDE, letters_of
from unransom.core.spans import Span
from unransom.core.streams import BytesReader


def table(encoding="utf-8", rows=6000):
    draw = chance(12)
    lines = ["编号,客户,金额"]
    lines += [f"{number},客户 {draw.randrange(10**6)},{draw.random():.6f}" for number in range(rows)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_whole_lines_come_back(how, encoding):
    data = table(encoding)
    for told in (False, True):
        spans = holes(len(data), how)
        repaired = text.repair(damaged(data, spans, b"a.csv", told=told))
        left, position = [], 0
        for line in data.splitlines(keepends=True):
            end = position + len(line)
            if not any(span.start - 20 < end and position < span.end + 20 for span in spans):
                left.append(line)
            position = end
        found = written(repaired).splitlines(keepends=True)
        assert set(left) <= set(found)
        assert set(found) <= set(data.splitlines(keepends=True))
        assert repaired.counts[0].left == len(found)


def test_a_sound_text_is_left_alone():
    assert text.repair(damaged(table(), name=b"a.csv")) is None
    assert text.repair(damaged("日志".encode("utf-16"), name=b"a.txt")) is None


@pytest.mark.parametrize("how", ["head", "tail", "odd"])
def test_whole_objects_of_json_come_back(how):
    draw = chance(13)
    orders = [{"id": n, "who": "王" * draw.randrange(9), "items": [{"sku": n}, {}]} for n in range(4000)]
    data = json.dumps({"orders": orders}, ensure_ascii=False, indent=1).encode()
    repaired = text.repair(damaged(data, holes(len(data), how), b"a.json"))
    found = json.loads(written(repaired))
    whole = [each for each in found if "id" in each]
    assert len(whole) > 500
    assert all(each == orders[each["id"]] for each in whole)
    assert len(found) - len(whole) <= 4


@pytest.mark.parametrize("how", ["tail", "odd"])
def test_a_packed_text_comes_back_up_to_the_hole(how):
    data = table(rows=60_000)[40:]
    data = data.decode("utf-8").encode("ascii", "ignore")
    packed = packing.compress(data, mtime=0)
    span = holes(len(packed), how)[0]
    repaired = gzip.repair(damaged(packed, [span]))
    out = packing.decompress(written(repaired))
    assert data.startswith(out)
    told = packing.decompress(written(gzip.repair(damaged(packed, [span], told=True))))
    assert data.startswith(told)
    assert len(told) - 4096 < len(out) <= len(told)
    assert len(told) > len(data) * span.start // len(packed) // 2


def test_members_behind_a_hole_come_back():
    first, second = packing.compress(table()), packing.compress(b"second " * 99)
    data = locked(first + second, [Span(100, 3000)])
    out = packing.decompress(written(gzip.repair(damaged(data, [Span(100, 3000)], told=True))))
    assert out.endswith(b"second " * 99)
    assert gzip.finds(BytesReader(data))


def test_json_of_a_single_line_gives_its_objects():
    rows = [{"id": number, "name": f"N{number}"} for number in range(9000)]
    data = json.dumps(rows).encode()
    repaired = text.repair(damaged(data, [Span(65536, 131072)], b"a.json"))
    found = json.loads(written(repaired))
    assert len(found) > 4000
    assert all(each in rows for each in found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_json_that_is_cut_off_gives_its_whole_objects(encoding):
    rows = [{"id": number, "note": "\u706f " * 9, "of": {"id": -number}} for number in range(4000)]
    data = json.dumps({"orders": rows}, ensure_ascii=False).encode(encoding)
    head = data[: len(data) // 2]
    ended = head.decode(encoding, "ignore").count("}}")
    assert json.loads(written(text.repair(damaged(head, name=b"a.json")))) == rows[:ended]


@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_objects_of_json_in_wide_letters_come_back(how, encoding):
    rows = [{"id": number, "note": "\u706f " * 9} for number in range(8000)]
    data = json.dumps(rows, ensure_ascii=False).encode(encoding)
    spans = holes(len(data), how)
    found = json.loads(written(text.repair(damaged(data, spans, b"a.json", told=True))))
    texts = [json.dumps(row, ensure_ascii=False).encode(encoding) for row in rows]
    places = [data.index(each) for each in texts]
    left = [
        row
        for row, each, start in zip(rows, texts, places, strict=True)
        if not any(span.start < start + len(each) and start < span.end for span in spans)
    ]
    assert found == left


def lines_of(data, encoding):
    """Yield (start, end, line) of a text of two bytes a letter, without a mark."""
    position = 0
    for line in data.decode(encoding).splitlines(keepends=True):
        yield position, position + len(line.encode(encoding)), line
        position += len(line.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [False, True])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_whole_lines_of_wide_letters_come_back(how, mark, encoding):
    bare = table(encoding)
    data = "\ufeff".encode(encoding) * mark + bare
    shift = 2 * mark
    spans = holes(len(data), how)
    for told in (False, True):
        repaired = text.repair(damaged(data, spans, b"a.csv", told=told))
        out = written(repaired)
        found = out.decode(encoding).removeprefix("\ufeff").splitlines(keepends=True)
        left = [
            line
            for start, end, line in lines_of(bare, encoding)
            if not any(span.start - 20 < end + shift and start + shift < span.end + 20 for span in spans)
        ]
        assert set(left) <= set(found)
        assert set(found) <= set(bare.decode(encoding).splitlines(keepends=True))
        assert repaired.counts[0].left == len(found)
        assert out.startswith("\ufeff".encode(encoding)) or (not mark and how in {"tail", "odd"})


def test_wide_letters_are_told_by_the_ends_of_lines():
    assert letters_of(BytesReader(table("utf-16-be"))).newline == b"\0\n"
    assert letters_of(BytesReader(table("gb18030"))) is NARROW
    wiped = bytearray(table())
    for start in range(0, len(wiped), 8192):
        wiped[start : start + 4096] = bytes(len(wiped[start : start + 4096]))
    assert letters_of(BytesReader(bytes(wiped))) is NARROW
    wide = WIDE[0]
    assert wide.line(b"\x01\x0a\0\0\x0a\0a\0") == 6  # the first of the three bytes is the high one of another
    assert wide.last_line(b"\x0a\0a\0\x01\x0a\0\0") == 2
    assert wide.line(b"a\0") == wide.last_line(b"a\0") == -1


def test_a_hole_that_is_told_costs_no_other_line():
    data = table()
    start = data.index(b"\n", 50_000) + 1
    end = data.index(b"\n", 60_000) + 1
    repaired = text.repair(damaged(data, [Span(start, end)], b"a.csv", told=True))
    lines = data[:start].splitlines() + data[data.index(b"\n", end) + 1 :].splitlines()
    assert written(repaired).splitlines() == lines


def test_a_packed_text_ends_where_its_bytes_no_longer_make_letters():
    draw = chance(8)
    letters = "订单已付款发货客户退货仓库价格" + "abcdefgh0123456789"
    lines = "".join("".join(draw.choices(letters, k=30)) + "\n" for _ in range(9000)).encode()
    data = packing.compress(lines[2:], mtime=0)  # a member may begin within a letter
    span = Span(len(data) // 2 // 4096 * 4096, len(data))
    out = packing.decompress(written(gzip.repair(damaged(data, [span], b"a.gz"))))
    left = zlib.decompressobj(31).decompress(data[: span.start])
    assert lines[2:].startswith(out)
    assert len(out) > len(left) - 4096


def test_a_picture_behind_a_text_in_an_archive_is_no_hole():
    draw = chance(9)
    content = b"".join(b"line %d\n" % number for number in range(4000)) + draw.randbytes(9000)
    data = packing.compress(content, mtime=0)
    span = Span(len(data) - 4, len(data))
    assert packing.decompress(written(gzip.repair(damaged(data, [span], b"a.gz", told=True)))) == content


def quoted_table(rows=6000):
    """Return rows of which many go on over lines within quotes, and the table."""
    draw = chance(8)
    made = [
        [
            str(number),
            f'order {number} "paper"\n{"line, " * draw.randrange(5)}two',
            f"{draw.randrange(10**6) / 100}",
        ]
        if draw.random() < 0.6
        else [str(number), f"plain {number}", "1.50"]
        for number in range(rows)
    ]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([["id", "note", "price"], *made])
    return made, out.getvalue().encode()


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd", "sectors"])
def test_rows_with_ends_of_lines_in_their_quotes_are_whole_or_left_out(how, told):
    rows, data = quoted_table()
    draw = chance(3)
    starts = sorted(draw.sample(range(len(data) // 512), 20))
    spans = [Span(at * 512, at * 512 + 512) for at in starts] if how == "sectors" else holes(len(data), how)
    repaired = text.repair(damaged(data, spans, b"orders.csv", told=told))
    found = list(csv.reader(io.StringIO(written(repaired).decode(), newline="")))
    assert [row for row in found if row not in rows and row != ["id", "note", "price"]] == []
    assert [row for row in left_of(rows, spans) if row not in found] == []


def left_of(rows, spans):
    """Return the rows of ``quoted_table`` that no hole is near."""
    position, left = len("id,note,price\r\n"), []
    for row in rows:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerow(row)
        end = position + len(out.getvalue())
        if not any(span.start < end + 600 and position - 600 < span.end for span in spans):
            left.append(row)
        position = end
    return left


def test_quotes_that_end_nowhere_cost_no_lines():
    lines = [f'{number},5" pipe,{number * 7}' for number in range(9001)]
    data = "\n".join(lines).encode()
    spans = holes(len(data), "even")
    table, plain = (text.repair(damaged(data, spans, name)) for name in (b"a.csv", b"a.txt"))
    assert table.counts[0].left >= plain.counts[0].left - 2
    assert set(written(table).decode().splitlines()) <= set(lines)
