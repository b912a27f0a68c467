"""What cannot be read is refused with the line that it stands in, and what may mean two things is asked."""

import pytest

from tests.catalog.channels.test_hostile_exports import PAYPAL, read
from tests.verify.paypal_languages import PAYPAL as LANGUAGES
from unransom.catalog.exports.channel import Export
from unransom.verify.orders.control import verdicts
from unransom.verify.orders.reading import Unread

ROW = "{date},10:00:00,{zone},{type},Completed,EUR,{gross},0.00,{net},{balance},T{number},W{number}\n"


def statement(*, zone="CEST", days=(13, 14, 15), types=("Payment",) * 3, change=None):
    """Return a statement; a text with a line end stands in line 3, and a blank line before the last row."""
    rows = [
        ROW.format(date=f"{day}/06/2026", zone=zone, type=type_, gross=f"{number}.00", net=f"{number}.00",
                   balance=f"{sum(range(number + 1))}.00", number=number)
        for number, (day, type_) in enumerate(zip(days, types, strict=True), 1)
    ]  # fmt: skip
    rows[0] = rows[0].replace("Payment", '"Payment\nfor all"')
    text = PAYPAL + rows[0] + rows[1] + "\n" + rows[2]
    return text.replace(*change) if change else text


@pytest.mark.parametrize(
    ("change", "why", "line"),
    [
        (("15/06/2026", "31/06/2026"), "date does not exist", 6),
        (("15/06/2026", "yesterday"), "no way that is known", 6),
        (("13/06/2026", "32/06/2026"), "dates are written in no single way", 2),
        (("14/06/2026", "06/33/2026"), "dates are written in no single way", 4),
        (("3.00,0.00", "3.O0,0.00"), "amounts are written in no single way", 6),
        (("2.00,0.00", '"1.002,00",0.00'), "amounts are written in no single way", 4),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_the_line_of_what_cannot_be_read_is_named(change, why, line, encoding):
    assert isinstance(read(statement().encode(encoding)), Export)
    refused = read(statement(change=change).encode(encoding))
    assert isinstance(refused, Unread)
    assert why in str(refused.why)
    assert str(refused.why).endswith(f"in line {line}")
    assert refused.why.render("zh").endswith(f"在第 {line} 行")


def test_a_short_name_of_two_zones_is_asked_about():
    refused = read(statement(zone="CST"))
    assert isinstance(refused, Unread)
    assert "America" in str(refused.why)
    assert "--zone" in str(refused.hint)
    hours = {
        zone: read(statement(zone="CST"), zone=zone).moves["time"][0].as_py().hour
        for zone in ("Asia/Shanghai", "America/Regina")
    }
    assert hours == {"Asia/Shanghai": 2, "America/Regina": 16}
    both = read(statement(zone="CST", change=("14/06/2026,10:00:00,CST", "14/06/2026,10:00:00,CDT")))
    assert [time.hour for time in both.moves["time"].to_pylist()] == [16, 15, 16]


def test_a_zone_that_is_not_known_can_be_said():
    refused = read(statement(zone="XYZ"))
    assert "XYZ is no time zone" in str(refused.why)
    assert "--zone" in str(refused.hint)
    assert read(statement(zone="XYZ"), zone="Europe/Berlin").moves["time"][0].as_py().hour == 8


@pytest.mark.parametrize(("language", "encoding"), [("ja", "cp932"), ("zh", "gb18030"), ("zh-TW", "big5")])
def test_a_header_in_local_letters_proves_a_local_encoding(language, encoding):
    header, date, _, _, payment, completed, *_ = LANGUAGES[language]
    rows = "".join(
        f'{date},10:0{n}:00,UTC,{payment},{completed},EUR,"1,00{n}.25",-0.25,"1,00{n}.00",'
        f'"{sum(1000 + i for i in range(n + 1)):,}.00",T{n},,W{n},\n'
        for n in range(3)
    )
    export = read((header + "\n" + rows).encode(encoding))
    assert isinstance(export, Export)
    assert export.conventions.encoding == encoding
    assert [verdict.grade.value for verdict in verdicts([export])] == ["good"]
    assert export.moves["order_key"].to_pylist() == ["W0", "W1", "W2"]


def test_a_broken_total_is_said_in_one_language():
    (first, *_) = verdicts([read(statement(change=("2.00,0.00,2.00", "2.01,0.00,2.00")))])
    assert first.grade.value == "bad"
    assert "gross" in first.why.render("en")
    assert first.why.render("zh").isascii() is False
    assert "gross" not in first.why.render("zh")
