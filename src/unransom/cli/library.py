"""``unransom library``: the key library of this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import EXISTING, PATH, json_option
from unransom.cli.screen import say_to_people
from unransom.cli.speech import t
from unransom.core.errors import EXIT_DONE, UsageError
from unransom.core.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unransom.catalog.keylibrary import Entry

file_option = click.option(
    "--library",
    "path",
    type=PATH,
    metavar="FILE",
    help=t("The library; else unransom/keys.library in $XDG_DATA_HOME."),
)
family_name_option = click.option("--family", default="", metavar="NAME", help=t("Family the keys are of."))
victim_option = click.option("--victim", default="", metavar="ID", help=t("Identifier of the victim."))
wrapped_option = click.option(
    "--wrapped",
    type=EXISTING,
    metavar="FILE",
    help=t("Wrapped keys that they open: what `unransom keys --wanted` printed, or one as it is."),
)


@click.group(
    help=t(
        "Keep keys, and parts of keys, with where they came from, to try them on other cases.\n\n"
        "The library is a file on this machine that only its owner can read; nothing is sent anywhere."
    ),
    epilog=t("Example: unransom library add --case fs01"),
)
def command() -> None:
    """Gather the commands below."""


@command.command(
    help=t("Add key files, or the keys that were found in a case."),
    epilog=t("Example: unransom library add private.pem --family phobos --source 'police, 2025'"),
)
@click.argument("files", nargs=-1, type=EXISTING, metavar="[FILE]...")
@click.option("--case", type=EXISTING, metavar="DIR", help=t("Case whose found keys are added."))
@click.option(
    "--known-bits",
    type=EXISTING,
    metavar="MASK",
    help=t("File as long as the key, in which the bits are set that are known: the others are searched for."),
)
@family_name_option
@click.option("--campaign", default="", metavar="ID", help=t("Identifier of the attacker or the run."))
@victim_option
@click.option("--source", default="", metavar="TEXT", help=t("Where the keys come from."))
@wrapped_option
@file_option
def add(
    files: tuple[Path, ...],
    case: Path | None,
    known_bits: Path | None,
    family: str,
    campaign: str,
    victim: str,
    source: str,
    wrapped: Path | None,
    path: Path | None,
) -> int:
    """Add keys and say how many are new."""
    from unransom.run import library

    if not files and not case:
        raise UsageError(say("there is nothing to add"), hint=say("name key files, or a case with --case"))
    if known_bits and len(files) != 1:
        raise UsageError(say("--known-bits is about one key file"))
    about = {"campaign": campaign, "victim": victim, "source": source}
    found: tuple[Entry, ...] = ()
    if known_bits:
        found += (library.partial_entry(files[0], known_bits, family=family, **about),)
    elif files:
        found += library.entries_of_files(files, family=family, **about)
    if case:
        found += library.entries_of_case(case, **about)
    if wrapped:
        found = library.opening(found, library.wrapped_in(wrapped))
    _add(path, found)
    return EXIT_DONE


@command.command(
    "list",
    help=t("List the keys by their fingerprints, with where they came from."),
    epilog=t("Example: unransom library list --family phobos"),
)
@family_name_option
@victim_option
@click.option("--public", type=EXISTING, metavar="FILE", help=t("Public key of the keys to list."))
@wrapped_option
@file_option
@json_option
def list_entries(
    family: str, victim: str, public: Path | None, wrapped: Path | None, path: Path | None, as_json: bool
) -> int:
    """Print one line per key, never a key."""
    from unransom.catalog.keylibrary import partial_key
    from unransom.run import library

    stored = library.load(path or library.default_path())
    entries: Iterable[Entry] = stored.entries
    if family or victim or public or wrapped:
        entries = library.found_in(stored, family=family, victim=victim, public=public, wrapped=wrapped)
    rows = [
        {
            "fingerprint": (entry.key() or partial_key(entry)).fingerprint,
            "kind": entry.kind.value,
            "missing_bits": entry.unknown_bits,
            "family": entry.family,
            "campaign": entry.campaign,
            "victim": entry.victim,
            "source": entry.source,
        }
        for entry in entries
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return EXIT_DONE
    for row in rows:
        missing = t("{bits} bits missing", bits=row["missing_bits"]) if row["missing_bits"] else ""
        named = (row["kind"], row["family"], row["campaign"], row["victim"], missing, row["source"])
        print("  ".join((str(row["fingerprint"]), *(str(each) for each in named if each))))
    return EXIT_DONE


@command.command(
    help=t("Write the library, signed, to hand it on. It holds the keys themselves."),
    epilog=t("Example: unransom library export keys.signed --signer signer.key --create"),
)
@click.argument("out", type=PATH, metavar="OUT")
@click.option("--signer", type=PATH, required=True, metavar="FILE", help=t("File with your Ed25519 key."))
@click.option("--create", is_flag=True, help=t("Make the signer's key if it is missing."))
@file_option
def export(out: Path, signer: Path, create: bool, path: Path | None) -> int:
    """Write the file and print who signed it."""
    from unransom.run import library

    entries = library.load(path or library.default_path()).entries
    print(library.export(out, entries, signer, create=create))
    return EXIT_DONE


@command.command(
    "import",
    help=t("Add a signed file that someone handed on."),
    epilog=t("Example: unransom library import keys.signed --trust 6bf0…"),
)
@click.argument("file", type=EXISTING, metavar="FILE")
@click.option(
    "--trust",
    multiple=True,
    required=True,
    metavar="PUBLICKEY",
    help=t("Public key of who may have signed it."),
)
@file_option
def import_file(file: Path, trust: tuple[str, ...], path: Path | None) -> int:
    """Check the signature, and add what is in the file."""
    from unransom.run import library

    _add(path, library.imported(file, trust).entries)
    return EXIT_DONE


def _add(path: Path | None, found: tuple[Entry, ...]) -> None:
    """Add entries to the library and say how many are new."""
    from unransom.run import library

    chosen = path or library.default_path()
    before = library.load(chosen)
    after = before.joined(found)
    library.save(chosen, after.entries)
    count = len(after.entries) - len(before.entries)
    say_to_people(
        t("{count} keys added, {total} in {path}", count=count, total=len(after.entries), path=str(chosen))
    )
