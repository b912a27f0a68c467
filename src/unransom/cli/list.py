"""``unransom list``: what unransom knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import click

from unransom.cli.options import family_option, json_option
from unransom.cli.speech import LANGUAGE, t
from unransom.core.errors import UsageError
from unransom.core.messages import Message, say, translated

Row = Mapping[str, object]


class Entry(Protocol):
    """What most of the catalogue has."""

    @property
    def name(self) -> str:
        """One word."""

    @property
    def title(self) -> str | Message:
        """For people."""


def _row(entry: Entry, *more: str) -> Row:
    """Return the row of an entry of the catalogue, with those of its attributes that are named besides."""
    names = (*more, "limitations", "references")
    return {"name": entry.name, "title": str(entry.title)} | {name: getattr(entry, name) for name in names}


def _families(described: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.families import families
    from unransom.catalog.schemes.described import encoded
    from unransom.run.described import load_descriptions

    for family in families(tuple(map(encoded, load_descriptions(described)))):
        yield _row(family, "aliases")


def _formats(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.formats import FORMATS

    yield from (_row(each, "extensions") for each in FORMATS)


def _losses(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.losses import LOSSES

    yield from map(_row, LOSSES)


def _attacks(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.recover.keys.attacks import ATTACKS

    yield from (_row(each, "weakness") for each in ATTACKS)


def _databases(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.databases import ENGINES

    yield from ({"name": engine.name, "title": engine.title} for engine in ENGINES)


def _sources(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.evidence import STORES

    yield from ({"name": kind.name, "title": kind.title} for kind in STORES)


def _channels(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.channels import CHANNELS

    yield from map(_row, CHANNELS)


SUBJECTS: dict[str, Callable[[tuple[Path, ...]], Iterator[Row]]] = {
    "families": _families,
    "formats": _formats,
    "losses": _losses,
    "attacks": _attacks,
    "databases": _databases,
    "sources": _sources,
    "channels": _channels,
}


@click.command(
    help=t("List what unransom knows, with its limitations."),
    epilog=t("Example: unransom list families"),
)
@click.argument("subject", type=click.Choice(list(SUBJECTS)))
@family_option
@click.option("--schema", is_flag=True, help=t("Print the JSON Schema of what --family takes."))
@json_option
def command(subject: str, families: tuple[Path, ...], schema: bool, as_json: bool) -> int:
    """Print the entries in the order of trial, or what a description of one may say."""
    if (schema or families) and subject != "families":
        raise UsageError(
            say("--schema and --family are about families"), hint=say("see `unransom list --help`")
        )
    if schema:
        from unransom.catalog.schemes.description_schema import schema as schema_of

        print(json.dumps(schema_of(), ensure_ascii=False, indent=2))
        return 0
    rows = list(SUBJECTS[subject](families))
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        more = row.get("aliases") or row.get("extensions") or ()
        assert isinstance(more, tuple)  # noqa: S101 both are
        title = translated(str(row["title"]), LANGUAGE)
        print(f"{row['name']:<{width}} {title}" + (f" ({', '.join(more)})" if more else ""))
        for limitation in row.get("limitations") or ():  # type: ignore[attr-defined]
            print(f"{'':<{width}} - {translated(limitation, LANGUAGE)}")
    return 0
