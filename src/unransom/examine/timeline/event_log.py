"""Event logs of Windows (EVTX): what machines noted of logons, services, programs and shadow copies.

Source: J. Metz, "Windows XML Event Log (EVTX) format". What the numbers of events mean is Microsoft's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from unransom.catalog.formats.evtx import CHUNK, CHUNK_MAGIC, DATA, HEADER, MAGIC, RECORD
from unransom.core.errors import UnreadableError
from unransom.core.messages import Message, say
from unransom.core.records import TimelineEvent
from unransom.core.streams import Reader
from unransom.examine.timeline.event_xml import DamagedEventError, EventXml, Leaf
from unransom.examine.timeline.hindering import hindered

HEAD = struct.Struct("<4sIQQ")  # of a record: mark, size, number, time
EPOCH = 116_444_736_000_000_000  # 1970 in units of 100 ns since 1601
LEAST = HEAD.size + 4
MOST_TEXT = 2000  # characters of an event's data that a line shows
SYSTEM = ("Event", "System")
HINDERED = "way back taken away"  # origin of what tells so a second time


class LogEvent(NamedTuple):
    """An event.

    Attributes:
        record: Its number in the log.
        time: Nanoseconds since 1970 UTC.
        identifier: What kind of event it is, for its provider.
        provider, channel, computer: Who noted it, in which log, where.
        data: Names and values; "" for values without a name.
        sound: Whether the chunk that it stands in fits its checksums.
    """

    record: int
    time: int
    identifier: int
    provider: str
    channel: str
    computer: str
    data: tuple[tuple[str, str], ...]
    sound: bool


def log_events(reader: Reader) -> Iterator[LogEvent]:
    """Yield the events of a log, chunk by chunk; what makes no sense is passed over."""
    for start in range(HEADER, reader.size, CHUNK):
        try:
            chunk = reader.read_at(start, CHUNK)
        except UnreadableError:
            continue
        if chunk[:8] == CHUNK_MAGIC and len(chunk) > DATA:
            yield from _of_chunk(chunk)


def events(reader: Reader, host: str, log: str) -> Iterator[TimelineEvent]:
    """Yield what a log tells; nothing where it is none.

    Args:
        reader: The log.
        host: Of the source that it is in.
        log: What people call the file.
    """
    if reader.read_at(0, 8) != MAGIC:
        return
    for event in log_events(reader):
        told = TimelineEvent(
            time=event.time,
            precision=1000,
            origin="event log" if event.sound else "event log, damaged chunk",
            host=host,
            item=f"{log}:{event.record}",
            what=meaning(event),
        )
        yield told
        what = hindered(event.provider, event.identifier, (value for _, value in event.data))
        if what is not None:
            yield msgspec.structs.replace(told, origin=HINDERED, what=what)


def meaning(event: LogEvent) -> Message:
    """Return what an event says, for people: in words where its kind matters for an attack."""
    what = KNOWN.get((event.channel.lower(), event.identifier))
    data = "; ".join(f"{name}: {value}" if name else value for name, value in event.data if value)[:MOST_TEXT]
    values: dict[str, str | int] = {
        "computer": event.computer,
        "channel": event.channel,
        "number": event.identifier,
        "provider": event.provider,
        "data": data,
    }
    if what is None:
        return say("{computer}: {channel} {number} of {provider}. {data}", **values)
    return say("{computer}: {what} ({channel} {number}). {data}", what=what, **values)


def _of_chunk(chunk: bytes) -> Iterator[LogEvent]:
    free, events_crc = struct.unpack_from("<II", chunk, 48)
    (header_crc,) = struct.unpack_from("<I", chunk, 124)
    sound = zlib.crc32(chunk[128:DATA], zlib.crc32(chunk[:120])) == header_crc
    sound = sound and DATA <= free <= len(chunk) and zlib.crc32(chunk[DATA:free]) == events_crc
    xml = EventXml(chunk)
    at = DATA
    while at + LEAST <= len(chunk):
        mark, size, record, time = HEAD.unpack_from(chunk, at)
        end = at + size
        if (
            mark != RECORD
            or not LEAST <= size <= len(chunk) - at
            or chunk[end - 4 : end] != chunk[at + 4 : at + 8]
        ):
            at = chunk.find(RECORD, at + 1)  # behind damage
            if at < 0:
                return
            continue
        try:
            leaves = list(xml.leaves(at + HEAD.size, end - 4))
            yield _event(record, time, leaves, sound)
        except DamagedEventError:
            pass
        at = end
        if sound and at >= free:
            return


def _event(record: int, time: int, leaves: list[Leaf], sound: bool) -> LogEvent:
    system = {(each.path[2:], each.attribute): each.text for each in leaves if each.path[:2] == SYSTEM}
    identifier = system.get((("EventID",), ""), "")
    return LogEvent(
        record,
        _moment(system.get((("TimeCreated",), "SystemTime"), ""), (time - EPOCH) * 100),
        int(identifier) if identifier.isdecimal() and len(identifier) < 10 else 0,
        system.get((("Provider",), "Name"), ""),
        system.get((("Channel",), ""), ""),
        system.get((("Computer",), ""), ""),
        tuple(_data(leaves)),
        sound,
    )


def _moment(text: str, otherwise: int) -> int:
    """Return when an event happened; the log may have taken it down later."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    if moment.tzinfo is None:
        return otherwise
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def _data(leaves: list[Leaf]) -> Iterator[tuple[str, str]]:
    """Yield what an event says beside the time and the place."""
    name = ""
    for each in leaves:
        if each.path[:2] == SYSTEM or each.attribute == "xmlns":
            continue
        if each.path[-1] == "Data" and each.attribute == "Name":
            name = each.text
        elif each.path[-1] == "Data" and not each.attribute:
            yield name, each.text
            name = ""
        elif not each.attribute:
            yield each.path[-1], each.text


KNOWN: dict[tuple[str, int], Message] = {  # by channel and number
    ("security", 1102): say("the log was cleared"),
    ("security", 4624): say("logon"),
    ("security", 4625): say("logon failed"),
    ("security", 4648): say("logon with credentials of another account"),
    ("security", 4672): say("logon with the rights of an administrator"),
    ("security", 4688): say("program started"),
    ("security", 4697): say("service installed"),
    ("security", 4698): say("scheduled task made"),
    ("security", 4720): say("account made"),
    ("security", 4726): say("account deleted"),
    ("security", 4728): say("account put into a group of the domain"),
    ("security", 4732): say("account put into a group of the machine"),
    ("security", 5140): say("share opened"),
    ("system", 104): say("the log was cleared"),
    ("system", 1074): say("shutdown asked for"),
    ("system", 7036): say("service started or stopped"),
    ("system", 7040): say("start of a service changed"),
    ("system", 7045): say("service installed"),
    ("microsoft-windows-powershell/operational", 4104): say("script of PowerShell"),
    ("microsoft-windows-windows defender/operational", 1116): say("malware found"),
    ("microsoft-windows-windows defender/operational", 5001): say("protection in real time switched off"),
    ("microsoft-windows-windows defender/operational", 5007): say("settings of the protection changed"),
    ("microsoft-windows-terminalservices-localsessionmanager/operational", 21): say(
        "logon by remote desktop"
    ),
    ("microsoft-windows-sysmon/operational", 1): say("program started"),
    ("microsoft-windows-sysmon/operational", 11): say("file made"),
    ("application", 524): say("catalogue of backups deleted"),
}
