"""Event logs of Windows (EVTX): what machines noted of logons, services, programs and shadow copies.

Source: J. Metz, "Windows XML Event Log (EVTX) format". What the numbers of events mean is Microsoft's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from unransom.catalog.formats.evtx import CHUNK, CHUNK_MAGIC, DATA, HEADER, MAGIC, RECORD
from unransom.core.errors import UnreadableError
from unransom.core.messages import Message, say
from unransom.core.records import TimelineEvent
from unransom.core.streams import Reader
from unransom.examine.timeline.event_xml import DamagedEventError, EventXml, Leaf

HEAD = struct.Struct("<4sIQQ")  # of a record: mark, size, number, time
EPOCH = 116_444_736_000_000_000  # 1970 in units of 100 ns since 1601
LEAST = HEAD.size + 4
MOST_TEXT = 2000  # characters of an event's data that a line shows
SYSTEM = ("Event", "System")
Values = dict[str, str | int | float]


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
        yield TimelineEvent(
            time=event.time,
            precision=1000,
            origin="event log" if event.sound else "event log, damaged chunk",
            host=host,
            item=f"{log}:{event.record}",
            what=meaning(event),
        )


def meaning(event: LogEvent) -> Message:
    """Return what an event says, for people: in words where its kind matters for an attack."""
    told = KNOWN.get((event.channel.lower(), event.identifier), _other)
    data = "; ".join(f"{name}: {value}" if name else value for name, value in event.data if value)[:MOST_TEXT]
    values: Values = {
        "computer": event.computer,
        "channel": event.channel,
        "number": event.identifier,
        "provider": event.provider,
        "data": data,
    }
    return told(values)


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


def _other(values: Values) -> Message:
    return say("{computer}: {channel} {number} of {provider}. {data}", **values)


KNOWN: dict[tuple[str, int], Callable[[Values], Message]] = {
    ("security", 1102): lambda values: say(
        "{computer}: the log was cleared ({channel} {number}). {data}", **values
    ),
    ("security", 4624): lambda values: say("{computer}: logon ({channel} {number}). {data}", **values),
    ("security", 4625): lambda values: say("{computer}: logon failed ({channel} {number}). {data}", **values),
    ("security", 4648): lambda values: say(
        "{computer}: logon with credentials of another account ({channel} {number}). {data}", **values
    ),
    ("security", 4672): lambda values: say(
        "{computer}: logon with the rights of an administrator ({channel} {number}). {data}", **values
    ),
    ("security", 4688): lambda values: say(
        "{computer}: program started ({channel} {number}). {data}", **values
    ),
    ("security", 4697): lambda values: say(
        "{computer}: service installed ({channel} {number}). {data}", **values
    ),
    ("security", 4698): lambda values: say(
        "{computer}: scheduled task made ({channel} {number}). {data}", **values
    ),
    ("security", 4720): lambda values: say("{computer}: account made ({channel} {number}). {data}", **values),
    ("security", 4726): lambda values: say(
        "{computer}: account deleted ({channel} {number}). {data}", **values
    ),
    ("security", 4728): lambda values: say(
        "{computer}: account put into a group of the domain ({channel} {number}). {data}", **values
    ),
    ("security", 4732): lambda values: say(
        "{computer}: account put into a group of the machine ({channel} {number}). {data}", **values
    ),
    ("security", 5140): lambda values: say("{computer}: share opened ({channel} {number}). {data}", **values),
    ("system", 104): lambda values: say(
        "{computer}: the log was cleared ({channel} {number}). {data}", **values
    ),
    ("system", 1074): lambda values: say(
        "{computer}: shutdown asked for ({channel} {number}). {data}", **values
    ),
    ("system", 7036): lambda values: say(
        "{computer}: service started or stopped ({channel} {number}). {data}", **values
    ),
    ("system", 7040): lambda values: say(
        "{computer}: start of a service changed ({channel} {number}). {data}", **values
    ),
    ("system", 7045): lambda values: say(
        "{computer}: service installed ({channel} {number}). {data}", **values
    ),
    ("microsoft-windows-powershell/operational", 4104): lambda values: say(
        "{computer}: script of PowerShell ({channel} {number}). {data}", **values
    ),
    ("microsoft-windows-windows defender/operational", 1116): lambda values: say(
        "{computer}: malware found ({channel} {number}). {data}", **values
    ),
    ("microsoft-windows-windows defender/operational", 5001): lambda values: say(
        "{computer}: protection in real time switched off ({channel} {number}). {data}", **values
    ),
    ("microsoft-windows-windows defender/operational", 5007): lambda values: say(
        "{computer}: settings of the protection changed ({channel} {number}). {data}", **values
    ),
    ("microsoft-windows-terminalservices-localsessionmanager/operational", 21): lambda values: say(
        "{computer}: logon by remote desktop ({channel} {number}). {data}", **values
    ),
    ("microsoft-windows-sysmon/operational", 1): lambda values: say(
        "{computer}: program started ({channel} {number}). {data}", **values
    ),
    ("microsoft-windows-sysmon/operational", 11): lambda values: say(
        "{computer}: file made ({channel} {number}). {data}", **values
    ),
    ("application", 524): lambda values: say(
        "{computer}: catalogue of backups deleted ({channel} {number}). {data}", **values
    ),
}
