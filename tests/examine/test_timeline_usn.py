"""The journal of changes of NTFS: records of both versions, and what damage does to it."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.makers.journals import journal, record
from unransom.core.streams import BytesReader
from unransom.examine.timeline.usn import changes, events

NIGHT = 1_772_405_647_250_000_000  # 2026-03-01T22:54:07.25Z
RECORDS = [
    record(
        f"order {number}.xlsx",
        NIGHT + number * 1000,
        0x2000 | 0x80000000,
        file=100 + number,
        version=2 + number % 2,
    )
    for number in range(200)
]
WHOLE = journal(RECORDS)


def test_every_record_is_read_with_its_time_and_reasons():
    found = list(changes(BytesReader(WHOLE)))
    assert [each.name for each in found] == [f"order {number}.xlsx".encode() for number in range(200)]
    assert [each.time for each in found] == [NIGHT + number * 1000 for number in range(200)]
    assert {each.reasons for each in found} == {("renamed to", "closed")}
    assert [each.record for each in found] == list(range(100, 300))
    assert {each.parent for each in found} == {5}


def test_events_say_what_was_done():
    data = record("财务.txt", NIGHT, 0x200) + record("\ud800", NIGHT, 0x1)
    first, second = events(BytesReader(data), "fs01")
    assert (first.item, str(first.what), first.host) == ("财务.txt", "deleted (record 64 in 5)", "fs01")
    assert second.item == "\\ud800"


def test_a_damaged_page_costs_no_other():
    data = bytearray(WHOLE)
    start = 64 * 1024 + 4096
    data[start : start + 4096] = random.Random(1).randbytes(4096)
    found = {each.name for each in changes(BytesReader(bytes(data)))}
    lost = {each.name for each in changes(BytesReader(WHOLE[start : start + 4096]))}
    assert {f"order {number}.xlsx".encode() for number in range(200)} - lost <= found


@given(st.binary(max_size=600), st.integers(0, 3000), st.integers(0, 3000))
def test_no_bytes_break_it(noise, start, cut):
    body = b"".join(RECORDS[:30])
    for data in (noise, body[:start] + noise + body[start:], body[: start + cut]):
        list(changes(BytesReader(data)))
