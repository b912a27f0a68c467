"""Exports that are damaged, lie or attack: clear errors, nothing lost, nothing executed, no crash."""

import io
import json
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soak import LONGER
from tests.verify.company import make
from unransom.catalog.channels import CHANNELS
from unransom.catalog.exports.channel import AmbiguousExportError, Reading, Source, UnreadableExportError
from unransom.catalog.exports.containers import unwrap
from unransom.catalog.exports.tables import records
from unransom.core.streams import BytesReader
from unransom.verify.orders.reading import Unread, read_exports

PAYPAL = "Date,Time,TimeZone,Type,Status,Currency,Gross,Fee,Net,Balance,Transaction ID,Invoice Number\n"
OWN = "shop,order_id,status,created_at,currency,total_amount\n"


def read(data, **reading):
    data = data.encode() if isinstance(data, str) else data
    (result,) = read_exports([Source("export", BytesReader(data), Reading(**reading))])
    return result


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def paypal(date, gross="5.00", balance="5.00"):
    return f"{date},10:00:00,PDT,Payment,Completed,EUR,{gross},0{gross[-3]}00,{gross},{balance},T{date},W1\n"


def test_a_date_that_may_be_read_in_two_ways_is_asked_about():
    rows = PAYPAL + paypal("05/06/2026") + paypal("04/07/2026") + paypal("06/06/2026")
    with pytest.raises(AmbiguousExportError, match="day or the month first") as error:
        read(rows)
    assert "--dates" in str(error.value.hint)
    days = {order: [m.time.month for m in records(read(rows, dates=order))] for order in ("dmy", "mdy")}
    assert days == {"dmy": [6, 7, 6], "mdy": [5, 4, 6]}


@pytest.mark.parametrize(
    ("dates", "months"),
    [
        (["05/06/2026", "13/06/2026"], [6, 6]),
        (["05/06/2026", "06/13/2026"], [5, 6]),
        (["05/06/2026", "05/07/2026", "06/01/2026"], [5, 5, 6]),
    ],
)
def test_a_date_is_read_in_the_only_way_that_fits_all(dates, months):
    export = read(PAYPAL + "".join(map(paypal, dates)))
    assert [record.time.month for record in records(export)] == months


def test_an_amount_that_may_be_read_in_two_ways_is_asked_about():
    rows = OWN + "w,A1,shipped,2026-06-10T10:00:00Z,EUR,1.234\nw,A2,shipped,2026-06-10T10:00:00Z,EUR,5.678\n"
    with pytest.raises(AmbiguousExportError, match=r"1\.234.*both fit"):
        read(rows)
    totals = {mark: str(next(records(read(rows, decimal=mark))).total) for mark in ("point", "comma")}
    assert totals == {"point": "1.2340", "comma": "1234.00"}


def test_the_balance_decides_how_amounts_are_read():
    rows = "Date;Time;TimeZone;Type;Status;Currency;Gross;Fee;Net;Balance;Transaction ID;Invoice Number\n"
    rows += "13/06/2026;10:00:00;PDT;Payment;Completed;EUR;1.234;0;1.234;1.234;T1;W1\n"
    rows += "13/06/2026;11:00:00;PDT;Payment;Completed;EUR;2.000;0;2.000;3.234;T2;W2\n"
    with pytest.raises(AmbiguousExportError):  # the chain holds with either mark
        read(rows)
    export = read(rows.replace("3.234", "3.234,00"))
    assert [str(record.amount) for record in records(export)] == ["1234.00", "2000.00"]


def test_mixed_conventions_are_refused():
    rows = (
        OWN
        + "w,A1,shipped,2026-06-10T10:00:00Z,EUR,1234.50\n"
        + 'w,A2,shipped,2026-06-10T10:00:00Z,EUR,"99,95"\n'
    )
    assert "no single way" in str(read(rows).why)


def test_mixed_encodings_are_refused_with_the_place():
    data = (OWN + "w,订单,shipped,2026-06-10T10:00:00Z,EUR,1.00\n").encode()
    data += "w,订单二,x,2026-06-10T10:00:00Z,EUR,2.00\n".encode("gb18030")
    result = read(data)
    assert isinstance(result, Unread)
    assert "some are not" in str(result.why)
    assert "utf-8: byte" in result.detail


def test_rows_that_do_not_fit_are_told_and_break_nothing():
    export = read(OWN + "w,A1,shipped,2026-06-10T10:00:00Z,EUR,1.00\nw,A2,too,few\n")
    assert export.sales.num_rows == 1
    assert "1 lines of it are no rows" in str(export.notes[0])


@pytest.mark.parametrize(
    "bad",
    ["1e5", "12abc", "NaN", "99999999999999999999", "1,2,3", "=1+1"],
)
def test_what_is_no_amount_is_refused(bad):
    assert isinstance(read(OWN + f'w,A1,shipped,2026-06-10T10:00:00Z,EUR,"{bad}"\n'), Unread)


@pytest.mark.parametrize("bad", ["2026-02-30T10:00:00Z", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(bad):
    assert isinstance(read(OWN + f"w,A1,shipped,{bad},EUR,1.00\n"), Unread)


def test_identifiers_stay_text():
    export = read(
        OWN + "w,00071,shipped,2026-06-10T10:00:00Z,EUR,1.00\nw,1E5,shipped,2026-06-10T10:00:00Z,EUR,1.00\n"
    )
    assert export.sales["order_id"].to_pylist() == ["00071", "1E5"]


def test_a_zip_bomb_is_refused():
    bomb = zipped(**{"a.csv": bytes(64 << 20)})
    assert len(bomb) < 200_000
    assert "more than an export can be" in str(read(bomb).why)
    packed = zlib.compressobj(wbits=31)
    data = packed.compress(bytes(64 << 20)) + packed.flush()
    assert "more than an export can be" in str(read(data).why)


def test_a_zip_that_lies_about_its_sizes_is_refused():
    data = bytearray(zipped(**{"a.csv": bytes(8 << 20)}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    assert isinstance(read(bytes(data)), Unread)


def test_names_in_a_zip_lead_nowhere():
    own = OWN + "w,A1,shipped,2026-06-10T10:00:00Z,EUR,1.00\n"
    export = read(zipped(**{"../../etc/cron.d/x\x1b[2J.csv": own}))
    assert export.name == "export:x_[2J.csv"


def test_a_cut_archive_is_told():
    data = zipped(**{"a.csv": OWN * 100})
    assert isinstance(read(data[: len(data) // 2]), Unread)


def test_a_line_without_an_end_is_refused():
    result = read((OWN + "w,").encode() + b"A" * (9 << 20))
    assert isinstance(result, Unread)


def test_nested_documents_are_refused():
    assert isinstance(read('{"transaction_details":' + "[" * 200_000 + "]" * 200_000 + "}"), Unread)
    deep = "<AmazonEnvelope><AmazonOrderID>" + "<a>" * 5000
    assert isinstance(read(deep), Unread)


@pytest.mark.parametrize(
    "middle",
    ['"' + "A" * (3 << 20) + '"', "[" * (3 << 20), "1," * (2 << 20), "[]," * (40 << 20) + "1"],
    ids=["one long text", "brackets", "numbers", "lists"],
)
def test_documents_that_would_fill_the_memory_are_refused_before_they_are_decoded(middle):
    assert isinstance(read('{"transaction_details":[' + middle + "]}"), Unread)


def test_entities_in_xml_are_refused():
    text = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'
    text += "<AmazonEnvelope><AmazonOrderID>&a;</AmazonOrderID></AmazonEnvelope>"
    assert "entities" in str(read(text).why)


@pytest.mark.parametrize("name", ["ISO-88-9-1", "hex_codec", "idna", "punycode", "utf-7", "x"])
def test_unknown_encodings_in_xml_are_refused(name):
    text = f'<?xml version="1.0" encoding="{name}"?><AmazonEnvelope><AmazonOrderID>1</AmazonOrderID>'
    assert isinstance(read(text), Unread)


@pytest.mark.parametrize("value", ["1e400", "NaN", [1], {"a": 1}, True, "x" * 100])
def test_amounts_of_documents_are_amounts(value):
    page = {
        "transaction_details": [
            {
                "transaction_info": {
                    "transaction_event_code": "T0006",
                    "transaction_id": "T",
                    "transaction_amount": {"currency_code": "USD", "value": value},
                }
            }
        ]
    }
    assert isinstance(read(json.dumps(page)), Unread)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    make(folder, shops=16, per_day=4, days=1)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@settings(max_examples=60 * LONGER)
@given(data=st.data())
def test_damaged_exports_never_crash(samples, data):
    sample = bytearray(data.draw(st.sampled_from(samples)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(sample) - 1, 0)))
        match data.draw(st.sampled_from(["cut", "flip", "insert", "repeat"])):
            case "cut":
                del sample[at:]
            case "flip" if sample:
                sample[at] = data.draw(st.integers(0, 255))
            case "insert":
                sample[at:at] = data.draw(st.binary(max_size=40))
            case "repeat":
                sample[at:at] = sample[max(at - 200, 0) : at]
    whole(bytes(sample))


@settings(max_examples=40 * LONGER)
@given(body=st.text(max_size=400), which=st.integers(0, len(CHANNELS) - 1))
def test_any_text_is_survived_by_every_channel(body, which):
    for data in (body.encode("utf-8", "replace"), json.dumps({"payload": body}).encode()):
        CHANNELS[which].recognise(data)
        try:
            export = CHANNELS[which].read(Source("x", BytesReader(data)))
        except (UnreadableExportError, AmbiguousExportError):
            continue
        list(records(export))


def whole(data):
    try:
        for result in read_exports([Source("x", BytesReader(data))]):
            if not isinstance(result, Unread):
                for record in records(result):
                    assert record.file
    except AmbiguousExportError:
        pass


def test_unpacking_yields_the_file_itself_where_it_is_none():
    (source,) = unwrap(Source("x", BytesReader(b"hello")))
    assert source.name == "x"
