"""Event logs of Windows: read as libevtx and python-evtx read them, and told in the timeline."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.event_logs import CHUNK, Event, event_log
from tests.fixtures.tools import tool
from unransom.cli.timeline import command
from unransom.core.streams import BytesReader
from unransom.examine.timeline.event_log import KNOWN, LogEvent, events, log_events, meaning
from unransom.examine.timeline.event_xml import text_of
from unransom.examine.timeline.hindering import hindered

START = datetime(2026, 3, 1, 22, 0, 0, 125000, tzinfo=UTC)
SERVICE = (
    ("ServiceName", "MsUpdateSvc"),
    ("ImagePath", r"C:\Windows\Temp\lock.exe -k 1"),
    ("StartType", "auto"),
)
LOG = [
    Event(7045, START, "System", "FS01.shop.example", "Service Control Manager", SERVICE),
    Event(
        1102, START + timedelta(seconds=9), "Security", "FS01.shop.example", "Eventlog", (("User", "店长"),)
    ),
    Event(
        999, START + timedelta(hours=1), "Application", "FS01.shop.example", "Shop", (("Text", "<a> & b"),)
    ),
] * 40
MADE = event_log(LOG)


def read(data: bytes) -> list[Event]:
    return [
        Event(
            each.identifier,
            datetime.fromtimestamp(each.time // 1_000_000_000, UTC)
            + timedelta(microseconds=each.time // 1000 % 10**6),
            each.channel,
            each.computer,
            each.provider,
            each.data,
        )
        for each in log_events(BytesReader(data))
    ]


def test_every_event_is_read() -> None:
    assert read(MADE) == LOG
    assert all(each.sound for each in log_events(BytesReader(MADE)))


def test_libevtx_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "made.evtx"
    path.write_bytes(MADE)
    command = [tool("evtxexport", "libevtx-utils"), "-f", "xml", path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"<EventID>(\d+)</EventID>", said) == [str(each.identifier) for each in LOG]
    assert re.findall(r"<Computer>([^<]+)</Computer>", said) == [each.computer for each in LOG]
    assert said.count('<Data Name="ServiceName">MsUpdateSvc</Data>') == 40
    assert said.count("店长") == 40


def test_python_evtx_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "made.evtx"
    path.write_bytes(MADE)
    said = subprocess.run(
        [tool("evtx_dump.py", "python3-evtx"), path], capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"<EventID[^>]*>(\d+)</EventID>", said) == [str(each.identifier) for each in LOG]
    times = re.findall(r'SystemTime="([^"]+)"', said)
    assert [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in times] == [each.time for each in LOG]


def test_a_damaged_chunk_is_told_and_read_as_far_as_it_goes() -> None:
    data = bytearray(MADE)
    data[4096 + 512 + 30 : 4096 + 2000] = bytes(2000 - 542)  # the first events, and what they define
    found = list(log_events(BytesReader(bytes(data))))
    assert [each.sound for each in found] == [False] * (len(found) - 80) + [True] * 80
    told = [each.origin for each in events(BytesReader(bytes(data)), "fs01", "System.evtx")]
    assert told.count("event log") == 80
    one = bytearray(MADE)
    one[4096 + CHUNK - 1] ^= 1  # behind the last event: that is not part of what is checked
    assert read(bytes(one)) == LOG


def test_sentences_name_what_matters() -> None:
    first, second, third = [meaning(each) for each in log_events(BytesReader(MADE))][:3]
    assert str(first).startswith(
        "FS01.shop.example: service installed (System 7045). ServiceName: MsUpdateSvc"
    )
    assert "log was cleared" in str(second)
    assert "日志" in second.render("zh")
    assert str(third) == "FS01.shop.example: Application 999 of Shop. Text: <a> & b"
    known = [LogEvent(1, 0, number, "p", channel, "c", (("", "d"),), True) for channel, number in KNOWN]
    assert all(str(meaning(each)).startswith("c: ") for each in known)


def test_the_timeline_has_the_events_of_logs_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "Security.EVTX").write_bytes(MADE)
    (tmp_path / "logs" / "broken.evtx").write_bytes(b"no log at all")
    out = tmp_path / "all.jsonl"
    done = CliRunner().invoke(command, [str(tmp_path / "logs"), "--out", str(out), "--until", "2026-03-02"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    logged = [row for row in rows if row["timestamp_desc"] == "event log"]
    assert len(logged) == len(LOG)
    assert logged[0]["datetime"].startswith("2026-03-01T22:00:00.125")
    assert logged[0]["item"] == "Security.EVTX:1"


@pytest.mark.parametrize(
    ("kind", "data", "wanted"),
    [
        (3, b"\xff", "-1"),
        (8, b"\1\0\0\0", "1"),
        (13, b"\1\0\0\0", "true"),
        (15, bytes(range(16)), "{03020100-0504-0706-0809-0a0b0c0d0e0f}"),
        (17, b"\0\x80\x3e\xd5\xde\xb1\x9d\1", "1970-01-01T00:00:00.000000Z"),
        (18, b"\xea\7\3\0\0\0\1\0\x16\0\0\0\0\0\5\0", "2026-03-01T22:00:00.005Z"),
        (19, b"\1\2\0\0\0\0\0\5\x20\0\0\0\x20\2\0\0", "S-1-5-32-544"),
        (20, b"\x10\0\0\0", "0x10"),
        (0x81, "one\0two\0".encode("utf-16-le"), "one, two"),
        (0x86, b"\1\0\2\0", "1, 2"),
        (14, b"\xab", "ab"),
    ],
)
def test_values_are_written_as_people_do(kind: int, data: bytes, wanted: str) -> None:
    assert text_of(kind, data) == wanted


@given(kind=st.integers(0, 255), data=st.binary(max_size=40))
def test_any_value_is_survived(kind: int, data: bytes) -> None:
    assert isinstance(text_of(kind, data), str)


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.integers(0, 70_000),
)
def test_damage_of_any_kind_is_survived(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(MADE[: 4096 + CHUNK])
    for where, value in changes:
        data[4096 + where] = value
    assert len(list(log_events(BytesReader(bytes(data[:cut] if cut > 5000 else data))))) <= 4000


@pytest.mark.parametrize(
    ("provider", "number", "text"),
    [
        ("Auditing", 4688, r"C:\Windows\system32\vssadmin.exe delete shadows /all /quiet"),
        ("Auditing", 4688, "cmd.exe /c vss^admin Delete Shadows /All /Quiet & exit"),
        ("Sysmon", 1, "wmic.exe SHADOWCOPY DELETE /nointeractive"),
        ("PowerShell", 4104, "Get-WmiObject Win32_Shadowcopy | ForEach-Object{$_.Delete();}"),
        ("PowerShell", 4104, "gcim Win32_ShadowCopy | Remove-CimInstance"),
        ("Sysmon", 1, "vssadmin resize shadowstorage /for=c: /on=c: /maxsize=401MB"),
        ("Sysmon", 1, "wbadmin delete catalog -quiet"),
        ("Sysmon", 1, "bcdedit /set {default} recoveryenabled No"),
        ("Sysmon", 1, "fsutil usn deletejournal /D C:"),
        ("volsnap", 25, "D:"),
        ("Microsoft-Windows-Backup", 524, "s"),
        ("VSS", 8193, "s"),
    ],
)  # fmt: skip
def test_what_takes_a_way_back_away_is_told_a_second_time(provider: str, number: int, text: str) -> None:
    harmless = "vssadmin list shadows; wmic shadowcopy list; bcdedit /enum; wbadmin get versions"
    log = [
        Event(number, START, "Security", "FS01", provider, (("CommandLine", text),)),
        Event(4688, START, "Security", "FS01", "Auditing", (("CommandLine", harmless),)),
    ]
    told = list(events(BytesReader(event_log(log)), "fs01", "log"))
    assert [each.origin for each in told] == ["event log", "way back taken away", "event log"]
    assert told[1].time == told[0].time
    assert told[1].item == told[0].item


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300), st.integers(0, 40))
def test_long_command_lines_are_searched_quickly(text: str, times: int) -> None:
    hindered("x", 1, [("vssadmin delete win32_shadowcopy " + text) * times * 20])
