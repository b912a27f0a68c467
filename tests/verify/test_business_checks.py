"""Declared checks between plans, stock and production orders: CSV, xlsx and Parquet, sums and tolerances."""

import csv
import datetime
import io
import json
from decimal import Decimal

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from unransom.catalog.exports import workbook as workbook_module
from unransom.catalog.exports.channel import AmbiguousExportError, UnreadableExportError
from unransom.catalog.exports.workbook import sheet_rows
from unransom.cli.orders import command
from unransom.core.errors import UsageError
from unransom.core.streams import BytesReader
from unransom.verify.business.declarations import load_declarations
from unransom.verify.business.verdicts import carried_out, write_verdicts

CHECKS = """
[[check]]
name = "plan"
[check.left]
file = "stock.csv"
key = ["sku", "day"]
where = { state = ["free", "booked"] }
[check.right]
file = "plan.xlsx"
key = ["Article", "Date"]
[check.measures.pieces]
left = ["on hand", "-reserved"]
right = ["planned"]
tolerance = "0.5"
percent = "1"
"""
GERMAN = """
SKU;Tag;Bestand;frei am
A;12.06.2026;1.200,50;13.06.2026 08:30
B;1.6.2026;20,00;
"""
STOCK = """sku,day,on hand,reserved,state
A,2026-06-12,10.50,2,free
A,2026-06-12,1.50,0,booked
B,2026-06-12,100,0,free
B,2026-06-12,900,0,blocked
C,2026-06-12,1,0,free
E,2026-06-12,7,0,free
"""


def workbook(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "stock.csv").write_text(STOCK)
    rows = [
        ["Article", "Date", "planned"],
        ["A", "2026-06-12", 10],
        ["B", "2026-06-12", 101],
        ["D", "2026-06-12", 5],
    ]
    (tmp_path / "plan.xlsx").write_bytes(workbook([*rows, ["E", "2026-06-12", 9]]))
    return tmp_path


def carry_out(folder, text=CHECKS):
    return list(carried_out(load_declarations(text.encode()), folder))


def test_sums_presence_and_tolerances(folder):
    verdicts = {verdict.key[0]: verdict for verdict in carry_out(folder)}
    assert {key: verdict.grade.value for key, verdict in verdicts.items()} == {
        "A": "good",  # 10.50 + 1.50 - 2
        "B": "good",  # 100 of 101 is within one per cent; what is blocked does not count
        "C": "bad",  # not in the plan
        "D": "bad",  # not in stock
        "E": "bad",  # 7 against 9
    }
    assert (verdicts["A"].left, verdicts["E"].right) == (Decimal(10), Decimal(9))
    assert "missing in stock.csv" in str(verdicts["D"].why)
    assert str(verdicts["E"].why) == "7 against 9"


def test_a_table_of_parquet_is_one_more(folder):
    table = pyarrow.table({"Article": ["A"], "Date": ["2026-06-12"], "planned": [Decimal("10.00")]})
    pyarrow.parquet.write_table(table, folder / "plan.parquet")
    text = CHECKS.replace("plan.xlsx", "plan.parquet").replace(
        'name = "plan"', 'name = "plan"\npresent = "right"'
    )
    grades = {verdict.key[0]: verdict.grade.value for verdict in carry_out(folder, text)}
    assert grades == {"A": "good", "B": "unknown", "C": "unknown", "E": "unknown"}


def test_verdicts_are_written_without_formulas(folder):
    (folder / "stock.csv").write_text(STOCK + '"=HYPERLINK(""x"")",2026-06-12,1,0,free\n')
    verdicts = carry_out(folder)
    write_verdicts(verdicts, folder / "out", "zh")
    rows = list(csv.reader((folder / "out/verdicts.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0][0] == "检查"
    assert len(rows) == len(verdicts) + 1
    assert not [cell for row in rows[1:] for cell in row if cell.startswith("=")]
    assert ["plan", "B 2026-06-12", "pieces", "100"] in [row[:4] for row in rows]  # and not 1E+2
    sheet = openpyxl.load_workbook(folder / "out/verdicts.xlsx").active
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


def test_the_command_carries_checks_out_and_writes_them(folder, capsys):
    (folder / "checks.toml").write_text(CHECKS)
    arguments = ["compare", str(folder / "checks.toml"), "--out", str(folder / "out")]
    assert command.main(arguments, standalone_mode=False) == 14
    printed = capsys.readouterr().out
    assert "plan: 2 of 5 agree" in printed
    assert "E 2026-06-12 pieces  7 against 9" in printed
    assert {path.name for path in (folder / "out").iterdir()} == {"verdicts.csv", "verdicts.xlsx"}
    assert command.main([*arguments, "--jsonl"], standalone_mode=False) == 14
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 5
    (folder / "checks.toml").write_text(
        CHECKS.replace('"0.5"', '"2"').replace('name = "plan"', 'name = "plan"\npresent = "any"')
    )
    assert command.main(arguments, standalone_mode=False) == 0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("plan.xlsx", "../plan.xlsx"), UsageError),
        (("plan.xlsx", "none.xlsx"), UsageError),
        (("planned", "unplanned"), UnreadableExportError),
        (('"0.5"', '"-1"'), UsageError),
        (('"0.5"', '"much"'), UsageError),
        (('key = ["Article", "Date"]', 'key = ["Article"]'), UsageError),
        (('name = "plan"', 'name = "plan"\npresent = "never"'), UsageError),
        (('name = "plan"', 'name = "plan"\ntypo = 1'), UsageError),
        (("[[check]]", "[[check"), UsageError),
    ],
)
def test_what_cannot_be_carried_out_is_told(folder, change, error):
    with pytest.raises(error):
        carry_out(folder, CHECKS.replace(*change))


def test_amounts_that_fit_in_two_ways_are_asked_about(folder):
    (folder / "stock.csv").write_text("sku,day,on hand,reserved,state\nA,2026-06-12,1.250,0,free\n")
    with pytest.raises(AmbiguousExportError):
        carry_out(folder)


def test_a_workbook_gives_its_texts_and_numbers():
    data = workbook([["a", None, 1.5], [None, "甲", "=1+1"], [10**15, True, ""]])
    rows = list(sheet_rows(BytesReader(data)))
    assert rows[0] == ["a", "", "1.5"]
    assert rows[1][:2] == ["", "甲"]
    assert rows[1][2] == ""  # a formula that nothing has computed
    with pytest.raises(UnreadableExportError):
        list(sheet_rows(BytesReader(data), 2))


@pytest.mark.parametrize("since_1904", [False, True])
def test_a_workbook_gives_dates_as_iso_and_numbers_without_noise(since_1904):
    packed = io.BytesIO()
    day, moment = datetime.datetime(2026, 6, 12), datetime.datetime(2026, 6, 12, 8, 30, 15)  # noqa: DTZ001
    formats = ("dd.mm.yyyy", "yyyy-mm-dd hh:mm:ss", "[$-409]d\\-mmm\\-yy;@", '"Day "d/m/yy')
    with xlsxwriter.Workbook(packed, {"date_1904": since_1904}) as book:
        sheet = book.add_worksheet()
        for column, form in enumerate(formats):
            value = moment if "hh" in form else day
            sheet.write_datetime(0, column, value, book.add_format({"num_format": form}))
        sheet.write_datetime(1, 0, datetime.time(9, 5), book.add_format({"num_format": 20}))
        amount = book.add_format({"num_format": '#,##0.00 "dm"_);[Red]-0'})
        for column, number in enumerate((0.1 + 0.2, 1234.5, -7, 1e21, 123456789012345)):
            sheet.write_number(2, column, number, amount)
    rows = list(sheet_rows(BytesReader(packed.getvalue())))
    assert rows[0] == ["2026-06-12", "2026-06-12 08:30:15", "2026-06-12", "2026-06-12"]
    assert rows[1] == ["09:05:00"]
    assert rows[2] == ["0.3", "1234.5", "-7", "1" + "0" * 21, "123456789012345"]


def test_a_workbook_of_more_cells_than_a_table_has_is_refused(monkeypatch):
    monkeypatch.setattr(workbook_module, "MOST_CELLS", 5)
    with pytest.raises(UnreadableExportError, match="more cells"):
        list(sheet_rows(BytesReader(workbook([["a", "b", "c"], ["d", "e", "f"]]))))


SAMPLE = workbook([["a", "b"], ["c", 1]])


@given(st.data())
def test_a_damaged_workbook_never_crashes(data):
    sample = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 6))):
        sample[data.draw(st.integers(0, len(sample) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(sample[: data.draw(st.integers(0, len(sample)))])
    for damaged in (bytes(sample), cut):
        try:
            list(sheet_rows(BytesReader(damaged)))
        except UnreadableExportError:
            continue


def german(tmp_path, dates, table=GERMAN):
    (tmp_path / "lager.csv").write_bytes(table.encode("cp1252"))
    book = openpyxl.Workbook()
    book.active.append(["Article", "Date", "planned"])
    for article, day, planned in (("A", 12, 1200.5), ("B", 1, 20)):
        book.active.append([article, datetime.date(2026, 6, day), planned])
    book.save(tmp_path / "plan.xlsx")
    declared = (
        '[[check]]\nname = "lager"\n[check.left]\nfile = "lager.csv"\nkey = ["SKU", "Tag"]\n'
        f'dates = {dates}\n[check.right]\nfile = "plan.xlsx"\nkey = ["Article", "Date"]\n'
        '[check.measures.pieces]\nleft = ["Bestand"]\nright = ["planned"]\n'
    )
    return list(carried_out(load_declarations(declared.encode()), tmp_path))


@pytest.mark.parametrize("dates", ['{ Tag = "" }', '{ Tag = "dmy", "frei am" = "" }'])
def test_dates_of_another_country_are_those_of_a_workbook(tmp_path, dates):
    verdicts = german(tmp_path, dates)
    assert [verdict.key for verdict in verdicts] == [("A", "2026-06-12"), ("B", "2026-06-01")]
    assert all(verdict.grade == "good" for verdict in verdicts)


def test_dates_that_may_be_read_in_two_ways_are_asked_about(tmp_path):
    table = GERMAN.replace("12.06.2026", "12/06/2026").replace("1.6.2026", "01/06/2026")
    with pytest.raises(UnreadableExportError, match="day or the month first") as error:
        german(tmp_path, '{ Tag = "" }', table)
    assert "lager.csv" in str(error.value)
    assert 'dates = { "Tag" = "dmy" }' in str(error.value.hint)
    assert german(tmp_path, '{ Tag = "dmy" }', table)[0].grade == "good"
    with pytest.raises(UsageError):
        german(tmp_path, '{ Tag = "ymd" }', table)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("20,00", "zwanzig", "amounts are written in no single way"),
        ("1.6.2026", "31.6.2026", "date does not exist"),
        ("Bestand", "Menge", "has not the declared columns"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path, old, new, why):
    with pytest.raises(UnreadableExportError, match=why) as error:
        german(tmp_path, '{ Tag = "" }', GERMAN.replace(old, new))
    assert str(error.value).startswith("lager.csv: not read: ")
    assert error.value.detail
