"""``unransom list``: what unransom knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import click

from unransom.cli.options import json_option
from unransom.cli.speech import t

Row = dict[str, object]


def _families() -> Iterator[Row]:
    from unransom.catalog.families import FAMILIES

    for family in FAMILIES:
        yield {
            "name": family.name,
            "title": family.title,
            "aliases": family.aliases,
            "limitations": family.limitations,
            "references": family.references,
        }


def _formats() -> Iterator[Row]:
    from unransom.catalog.formats import FORMATS

    for each in FORMATS:
        yield {
            "name": each.name,
            "title": each.title,
            "extensions": each.extensions,
            "limitations": each.limitations,
            "references": each.references,
        }


def _losses() -> Iterator[Row]:
    from unransom.catalog.losses import LOSSES

    for rule in LOSSES:
        yield {
            "name": rule.name,
            "title": rule.title,
            "limitations": rule.limitations,
            "references": rule.references,
        }


def _sources() -> Iterator[Row]:
    from unransom.evidence import STORES

    for kind in STORES:
        yield {"name": kind.name, "title": kind.title}


SUBJECTS: dict[str, Callable[[], Iterator[Row]]] = {
    "families": _families,
    "formats": _formats,
    "losses": _losses,
    "sources": _sources,
}


@click.command(
    help=t("List what unransom knows, with its limitations."),
    epilog=t("Example: unransom list families"),
)
@click.argument("subject", type=click.Choice(list(SUBJECTS)))
@json_option
def command(subject: str, as_json: bool) -> int:
    """Print the entries in the order of trial."""
    rows = list(SUBJECTS[subject]())
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
