"""What moves first: rules of a TOML file that put files into batches, by path, shop, age and size."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.restore.moving.plan import OUT, Batch, Entry

ORDERS = ("path", "newest", "oldest", "smallest", "largest")
REST = "everything else"
SECOND = 1_000_000_000  # nanoseconds


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch and what belongs to it: files that every condition fits, and that no rule before it took.

    Attributes:
        name: For people.
        paths: Patterns of paths below the target: ``*`` within a part, ``**`` over several, a pattern
            without ``/`` is about the name.
        shops: Shops of the table ``[shops]``; a name that is not in it is a part of the path.
        newer, older: Last changed less or more than so many days ago, or since or before a date.
        larger, smaller: Bytes; a file of just that size fits both.
        first: Order within the batch, one of ``ORDERS``.
        most_files, most_size: Where there is more, further batches follow.
    """

    name: str
    paths: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    newer: int | date | None = None
    older: int | date | None = None
    larger: int | None = None
    smaller: int | None = None
    first: str = "path"
    most_files: int | None = None
    most_size: int | None = None


class Priorities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All rules, the most urgent first; what none of them fits moves last."""

    batch: tuple[Rule, ...] = ()
    shops: dict[str, tuple[str, ...]] = {}


def load_priorities(text: bytes) -> Priorities:
    """Return the rules in a TOML file.

    Raises:
        UsageError: There are none that can be followed.
    """
    try:
        found = msgspec.toml.decode(text, type=Priorities)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(say("the priorities cannot be read"), detail=str(error)) from error
    for rule in found.batch:
        if rule.first not in ORDERS:
            raise UsageError(say("{value} is none of {choices}", value=rule.first, choices=", ".join(ORDERS)))
        if any(most is not None and most < 1 for most in (rule.most_files, rule.most_size)):
            raise UsageError(say("batch {name}: a batch holds at least one file", name=rule.name))
    return found


@functools.lru_cache(4096)
def _pattern(glob: str) -> re.Pattern[str]:
    if "/" not in glob:
        glob = "**/" + glob
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.lstrip("/"))
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts), re.S)


def fits(path: str, globs: Iterable[str]) -> bool:
    """Return whether one of the patterns fits the whole path."""
    return any(_pattern(glob).fullmatch(path) for glob in globs)


def _moment(limit: int | date, now: datetime) -> int:
    """Return the nanoseconds since 1970 of an age in days, or of a date."""
    if isinstance(limit, int):
        return int((now - timedelta(days=limit)).timestamp()) * SECOND
    return int(datetime(limit.year, limit.month, limit.day, tzinfo=UTC).timestamp()) * SECOND


def _takes(rule: Rule, shops: dict[str, tuple[str, ...]], entry: Entry, now: datetime) -> bool:
    age_known = entry.modified is not None
    modified = entry.modified or 0
    return (
        (not rule.paths or fits(entry.path, rule.paths))
        and (not rule.shops or any(_of_shop(shop, shops, entry.path) for shop in rule.shops))
        and (rule.newer is None or (age_known and modified >= _moment(rule.newer, now)))
        and (rule.older is None or (age_known and modified < _moment(rule.older, now)))
        and (rule.larger is None or entry.size >= rule.larger)
        and (rule.smaller is None or entry.size <= rule.smaller)
    )


def _of_shop(shop: str, shops: dict[str, tuple[str, ...]], path: str) -> bool:
    if shop in shops:
        return fits(path, shops[shop])
    return shop.casefold() in path.casefold().split("/")


def _key(first: str, entry: Entry) -> tuple[int, str]:
    size, modified = entry.size, entry.modified or 0
    ranks = {"newest": -modified, "oldest": modified, "smallest": size, "largest": -size}
    return ranks.get(first, 0), entry.path


def in_batches(
    entries: Iterable[Entry], priorities: Priorities, now: datetime
) -> tuple[tuple[Batch, ...], list[Entry]]:
    """Return the batches, and the entries in the order in which they move, each with its batch.

    Args:
        entries: All files; those of the batch ``OUT`` stay there, and come last.
        priorities: The rules.
        now: What ages count from.
    """
    rules = (*priorities.batch, Rule(name=REST if priorities.batch else "all"))
    taken: list[list[Entry]] = [[] for _ in rules]
    out = []
    for entry in entries:
        if entry.batch == OUT:
            out.append(entry)
            continue
        number = next(i for i, rule in enumerate(rules) if _takes(rule, priorities.shops, entry, now))
        taken[number].append(entry)
    batches: list[Batch] = []
    ordered: list[Entry] = []
    for rule, mine in zip(rules, taken, strict=True):
        mine.sort(key=lambda entry, first=rule.first: _key(first, entry))  # type: ignore[misc]
        parts = list(_parts(rule, mine))
        for place, part in enumerate(parts, 1):
            name = f"{rule.name} {place}/{len(parts)}" if len(parts) > 1 else rule.name
            number = len(batches) + 1
            batches.append(Batch(number, name, len(part), sum(entry.size for entry in part)))
            ordered += [msgspec.structs.replace(entry, batch=number) for entry in part]
    out.sort(key=lambda entry: entry.path)
    return tuple(batches), ordered + out


def _parts(rule: Rule, entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    size = 0
    for entry in entries:
        is_full = rule.most_files is not None and len(part) >= rule.most_files
        is_heavy = rule.most_size is not None and size + entry.size > rule.most_size
        if part and (is_full or is_heavy):
            yield part
            part, size = [], 0
        part.append(entry)
        size += entry.size
    if part:
        yield part
