"""Every planted case lands in its class, the shared story gives its truth, results cannot run as formulas."""

import contextlib
import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from tests.verify.company import TRAPS, make
from unransom.catalog.channels import CHANNELS
from unransom.catalog.exports.channel import Reading, Source
from unransom.core.orders import OrderClass
from unransom.core.outputs import FileReader
from unransom.core.records import Grade
from unransom.core.streams import BytesReader
from unransom.verify.orders import keys
from unransom.verify.orders.match import Match
from unransom.verify.orders.outputs import write_results
from unransom.verify.orders.reading import Unread, read_exports
from unransom.verify.sheets import safe

SYNTHETIC = Path("../shared/data/orders/synthetic")


def prove(paths):
    results = list(read_exports([Source(path.name, FileReader(path)) for path in paths]))
    assert not [result for result in results if isinstance(result, Unread)]
    return Match(results)


def classes(match):
    rows = match.connection.execute("SELECT order_id, class, refund FROM classified").fetchall()
    return {order: (name, refund) for order, name, refund in rows}


def proven(*files):
    """Prove exports that are given as name and text."""
    sources = [Source(name, BytesReader(text.encode())) for name, text in files]
    return Match(list(read_exports(sources)))


OWN = "shop,order_id,status,created_at,currency,total_amount\n"
PAYPAL = "Date,Time,TimeZone,Type,Status,Currency,Gross,Fee,Net,Balance,Transaction ID,Invoice Number\n"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = tmp_path_factory.mktemp("company")
    return folder, make(folder, shops=32, per_day=6)


def test_every_planted_case_lands_in_its_class(company):
    folder, truth = company
    match = prove(sorted(folder.iterdir()))
    assert not [verdict for verdict in match.verdicts if verdict.grade is Grade.BAD]
    found = classes(match)
    assert {order: found.get(order) for order in truth.truth} == truth.truth
    assert set(found) == set(truth.truth)
    assert truth.candidates
    for damaged, order in truth.candidates.items():
        assert order in match.damaged[damaged]


def test_every_shape_of_an_export_that_is_known_is_in_the_evidence(company):
    folder, _ = company
    assert {export.channel for export in prove(sorted(folder.iterdir())).exports} == {
        channel.name for channel in CHANNELS
    }


def test_every_trap_was_planted_in_every_class_that_there_is(company):
    _, truth = company
    planted = {name for name, _ in truth.truth.values()}
    assert planted == set(OrderClass) - {OrderClass.NO_EVIDENCE}
    assert {refund for _, refund in truth.truth.values()} == {"none", "partly", "full"}
    assert set(truth.planted) == {trap.__name__ for trap in TRAPS}


def test_the_same_evidence_twice_changes_nothing(company):
    folder, truth = company
    paths = sorted(folder.iterdir())
    match = prove([*paths, *paths])
    assert {order: classes(match).get(order) for order in truth.truth} == truth.truth
    again = [verdict for verdict in match.verdicts if verdict.grade is Grade.PARTIAL]
    assert len(again) >= len(paths)


@pytest.mark.soak
def test_a_company_of_full_size(tmp_path):
    truth = make(tmp_path, shops=32, per_day=375, days=5)
    found = classes(prove(sorted(tmp_path.iterdir())))
    assert found == truth.truth


TRUTH = {  # what truth.json says in words: class, refund, lines or None where only the payment is there
    "paid, 2 lines": ("paid", "none", 2),
    "paid, 2 identical lines, 1 refunded": ("paid", "partly", 2),
    "pending in export 1, shipped in overlap export, NOT in settlement: no payment evidence": (
        *("order-without-payment", "none", 1),
    ),
    "cancelled, needs no payment": ("cancelled", "none", 1),
    "paid, EUR, comma decimals": ("paid", "none", 1),
    "paid, partly refunded": ("paid", "partly", 1),
    "paid, combined order of 2 lines": ("paid", "none", 2),
    "PayPal, partly refunded": ("payment-without-order", "partly", None),
    "PayPal JPY: 5000 in the file is 5000 yen": ("payment-without-order", "none", None),
    "Alipay, 10.00 merchant coupon, partly refunded; 00:03 China time is the day before in UTC": (
        *("payment-without-order", "partly", None),
    ),
    "Alipay cross-border, refund has its own Partner_transaction_id": (
        "payment-without-order",
        "partly",
        None,
    ),
}


@pytest.mark.shared_data
def test_the_shared_story_gives_its_truth():
    files = [path for path in SYNTHETIC.iterdir() if path.suffix in {".csv", ".tsv", ".zip"}]
    match = prove(files)
    truth = json.loads((SYNTHETIC / "truth.json").read_text())["orders"]
    rows = match.connection.execute("SELECT order_id, class, refund, lines FROM classified").fetchall()
    assert {order: rest for order, *rest in rows} == {
        order: list(TRUTH[words]) for order, words in truth.items()
    }
    details = "SELECT paid, shop_coupon, strftime(paid_at, '%Y-%m-%d') FROM paid WHERE order_key = ?"
    assert match.connection.execute(details, ["WEB-20260612-0002"]).fetchone()[0] == 5000 * 10_000
    assert match.connection.execute(details, ["WEB-20260612-0003"]).fetchone()[1:] == (100_000, "2026-06-11")
    assert not [verdict for verdict in match.verdicts if verdict.grade is Grade.BAD]


def test_results_are_written_in_both_languages_without_formulas(tmp_path):
    evil = '=cmd|"/C calc"!A0'
    own = OWN + f'"{evil.replace(chr(34), chr(34) * 2)}",@SUM(A1),shipped,2026-06-10T10:00:00Z,USD,10.00\n'
    match = proven(("own.csv", own))
    for language, heading in (("en", "class"), ("zh", "分类")):
        folder = tmp_path / language
        write_results(match, folder, language)
        rows = list(csv.reader((folder / "proof.csv").read_text(encoding="utf-8").splitlines()))
        assert rows[0][0] == heading
        assert not [cell for row in rows[1:] for cell in row if cell[:1] in set("=+@\t\r")]
        book = openpyxl.load_workbook(folder / "orders.xlsx")
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert "f" not in {cell.data_type for cell in cells}
        assert any(evil in str(cell.value) for cell in cells)
        assert json.loads((folder / "exports.json").read_text())["exports"]


def test_no_spelling_of_a_formula_comes_through(tmp_path):
    before = ("", "\t", "\n", "\r", " ", "\u00a0", "\u3000", "\ufeff", "\v")
    evil = [f"{space}{mark}cmd|'/C calc'!A0" for space in before for mark in "=+-@＝＋－＠"]
    assert [safe(text) for text in evil] == [f"'{text}" for text in evil]
    rows = [[text, text, "shipped", "2026-06-10T10:00:00Z", "USD", "10.00"] for text in evil]
    file = io.StringIO()
    csv.writer(file).writerows([OWN.strip().split(","), *rows])
    write_results(proven(("own.csv", file.getvalue())), tmp_path, "en")
    for path in tmp_path.glob("*.csv"):
        text = io.StringIO(path.read_bytes().decode(), newline="")
        cells = [cell for row in csv.reader(text) for cell in row]
        assert not [cell for cell in cells if "calc" in cell and not cell.startswith("'")]
    with contextlib.closing(openpyxl.load_workbook(tmp_path / "orders.xlsx")) as book:
        assert "f" not in {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}


def test_a_damaged_key_names_its_candidates():
    own = OWN + "w,2026060522001419931441931972,shipped,2026-06-10T10:00:00Z,USD,10.00\n"
    paypal = (
        PAYPAL
        + "06/13/2026,10:00:00,PDT,Payment,Completed,USD,10.00,0.00,10.00,10.00,T1,2.02606052200142E+27\n"
    )
    match = proven(("own.csv", own), ("paypal.csv", paypal))
    assert match.damaged == {"2.02606052200142E+27": ["2026060522001419931441931972"]}
    assert classes(match)["2.02606052200142E+27"][0] == "damaged-key"


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ('{"order":"WEB-1001"}', "WEB-1001"),
        ("#web-1001", "WEB-1001"),
        ("SHOP-WEB-1001", "WEB-1001"),
        ("WEB-1001 WEB-1002", ""),
        ("WEB-100", ""),
        ("", ""),
    ],
)
def test_a_dressed_key_is_undressed_only_where_it_is_certain(key, found):
    assert keys.undressed(key, frozenset({"WEB-1001", "WEB-1002"})) == found


@pytest.mark.parametrize(
    ("key", "digits"),
    [
        ("2.02606052200142E+27", "202606052200142"),
        ("202606052200141000", "202606052200141"),
        ("WEB-1", ""),
        ("71.0", "71"),
    ],
)
def test_damage_of_a_spreadsheet_is_seen(key, digits):
    assert keys.damage_of(key) == digits


def test_a_payment_is_due_when_the_exports_do_not_reach_so_far():
    own = OWN + "".join(f"w,A{day},shipped,2026-06-{day}T10:00:00Z,USD,10.00\n" for day in ("09", "13", "20"))
    rows = [
        f"06/{day}/2026,10:00:00,PDT,Payment,Completed,USD,5.00,0.00,5.00,{balance}.00,T{day},X{day}\n"
        for day, balance in (("12", 5), ("14", 10))
    ]
    found = classes(proven(("own.csv", own), ("paypal.csv", PAYPAL + "".join(rows))))
    assert {order: found[order][0] for order in ("A09", "A13", "A20")} == {
        "A09": "no-evidence",
        "A13": "order-without-payment",
        "A20": "not-due",
    }


def test_an_export_that_breaks_its_total_leaves_its_hours_unproven():
    own = OWN + "w,A1,shipped,2026-06-13T17:00:00Z,USD,10.00\n"
    rows = "06/13/2026,10:00:00,PDT,Payment,Completed,USD,10.00,0.00,10.00,10.00,T1,A1\n"
    broken = rows + "06/13/2026,11:00:00,PDT,Payment,Completed,USD,10.00,0.00,10.00,30.00,T2,A2\n"
    for text, state in ((rows, "proven"), (broken, "not-proven")):
        match = proven(("own.csv", own), ("paypal.csv", PAYPAL + text))
        states = match.connection.execute("SELECT state FROM hours WHERE shop = 'w'").fetchall()
        assert states == [(state,)]


def test_a_settlement_that_is_missing_between_two_is_noticed(company):
    folder, _ = company
    text = (folder / "settlement0.tsv").read_text()
    later = text.replace("\n10000\t", "\n10077\t").replace(
        "2026-06-09 00:00:00 UTC", "2026-07-09 00:00:00 UTC"
    )
    match = proven(
        ("one.tsv", text), ("two.tsv", later.replace("2026-06-16 00:00:00 UTC", "2026-07-19 00:00:00 UTC"))
    )
    bad = [verdict for verdict in match.verdicts if verdict.grade is Grade.BAD]
    assert [verdict.file for verdict in bad] == ["two.tsv"]


def test_a_statement_that_is_missing_between_two_is_noticed(company):
    """Three statements of one balance; the one in the middle is left out, or nothing is, or two overlap."""
    rows = [
        f"06/{13 + number}/2026,10:00:00,PDT,Payment,Completed,USD,"
        f"5.00,0.00,5.00,{number * 5 + 15}.00,T{number},X{number}\n"
        for number in range(9)
    ]
    files = {
        name: PAYPAL + "".join(rows[at : at + 3]) for name, at in (("a.csv", 0), ("b.csv", 3), ("c.csv", 6))
    }

    def bad(*names):
        match = proven(*((name, files[name]) for name in names))
        return [verdict.file for verdict in match.verdicts if verdict.grade is Grade.BAD]

    assert bad("c.csv", "a.csv") == ["c.csv"]
    assert bad("c.csv", "b.csv", "a.csv") == []
    files["other.csv"] = PAYPAL + "".join(rows[2:7]).replace(",T", ",U")
    assert bad("c.csv", "a.csv", "other.csv") == []  # of another account, or fetched again


def balances(time, usd, available=None, account="A1"):
    """Return PayPal's answer about the balances of a moment."""

    def money(value):
        return {"currency_code": "USD", "value": f"{value:.2f}"}

    amounts = {
        "total_balance": money(usd),
        "available_balance": money(usd if available is None else available),
    }
    told = {"balances": [{"currency": "USD", "primary": True, **amounts}], "account_id": account}
    return json.dumps({**told, "as_of_time": time, "last_refresh_time": "2026-06-20T00:00:00Z"})


@pytest.mark.parametrize("mark", ["-0700", "Z"])
def test_balances_of_two_moments_prove_the_first_and_the_last_row_of_a_statement(mark):
    rows = [
        f"06/{13 + number}/2026,10:00:00,PDT,Payment,Completed,USD,"
        f"5.00,0.00,5.00,{number * 5 + 15}.00,T{number},X{number}\n"
        for number in range(4)
    ]
    told = [
        ("start.json", balances(f"2026-06-13T00:00:00{mark}", 10)),
        ("mid.json", balances(f"2026-06-14T20:00:00{mark}", 77)),  # between its rows: proves nothing
        ("end.json", balances(f"2026-06-17T00:00:00{mark}", 33.5, available=30)),
    ]

    def bad(rows, told):
        match = proven(("s.csv", PAYPAL + "".join(rows)), *told)
        return [verdict.file for verdict in match.verdicts if verdict.grade is Grade.BAD]

    assert bad(rows, told) == []
    for number in range(4):
        assert set(bad([*rows[:number], *rows[number + 1 :]], told)) == {"s.csv"}
        assert set(bad([*rows[:number], *rows[number : number + 1] * 2, *rows[number + 1 :]], told)) == {
            "s.csv"
        }
    assert bad(rows[1:], told[1:]) == bad(rows[:-1], told[:2]) == []
    other = ("other.json", balances("2026-06-17T00:00:00Z", 1, account="B2"))
    assert bad(rows, [*told, other]) == []  # whose the statement is, it does not say
    assert bad([], [told[0], ("end.json", balances("2026-06-17T00:00:00Z", 10))]) == []


def test_what_the_user_says_about_a_shop_wins():
    text = OWN + "w,A1,shipped,2026-06-13T17:00:00Z,USD,10.00\n"
    (export,) = read_exports([Source("own.csv", BytesReader(text.encode()), Reading(shop="north"))])
    assert export.sales["shop"].to_pylist() == ["north"]
