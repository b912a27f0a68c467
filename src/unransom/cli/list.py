"""``unransom list``: what unransom knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from unransom.cli.options import family_option, json_option
from unransom.cli.speech import t
from unransom.core.errors import UsageError
from unransom.core.messages import say

Row = dict[str, object]


def _families(described: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.families import families
    from unransom.catalog.schemes.described import encoded
    from unransom.run.described import load_descriptions

    for family in families(tuple(map(encoded, load_descriptions(described)))):
        yield {
            "name": family.name,
            "title": family.title,
            "aliases": family.aliases,
            "limitations": family.limitations,
            "references": family.references,
        }


def _formats(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.formats import FORMATS

    for each in FORMATS:
        yield {
            "name": each.name,
            "title": each.title,
            "extensions": each.extensions,
            "limitations": each.limitations,
            "references": each.references,
        }


def _losses(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.losses import LOSSES

    for rule in LOSSES:
        yield {
            "name": rule.name,
            "title": rule.title,
            "limitations": rule.limitations,
            "references": rule.references,
        }


def _attacks(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.recover.keys.attacks import ATTACKS

    for attack in ATTACKS:
        yield {
            "name": attack.name,
            "title": attack.title,
            "weakness": attack.weakness,
            "limitations": attack.limitations,
            "references": attack.references,
        }


def _sources(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.evidence import STORES

    for kind in STORES:
        yield {"name": kind.name, "title": kind.title}


def _channels(_: tuple[Path, ...]) -> Iterator[Row]:
    from unransom.catalog.channels import CHANNELS

    for each in CHANNELS:
        yield {
            "name": each.name,
            "title": each.title,
            "limitations": each.limitations,
            "references": each.references,
        }


SUBJECTS: dict[str, Callable[[tuple[Path, ...]], Iterator[Row]]] = {
    "families": _families,
    "formats": _formats,
    "losses": _losses,
    "attacks": _attacks,
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
    for row in rows:
        more = row.get("aliases") or row.get("extensions") or ()
        assert isinstance(more, tuple)  # noqa: S101 both are
        print(f"{row['name']:<14} {row['title']}" + (f" ({', '.join(more)})" if more else ""))
        for limitation in row.get("limitations") or ():  # type: ignore[attr-defined]
            print(f"{'':<14} - {limitation}")
    return 0
