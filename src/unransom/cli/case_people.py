"""``unransom case people|approve|sign|stamp``: who acts in a case, and who vouches for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import EXISTING, PATH, json_option
from unransom.cli.screen import complain
from unransom.cli.speech import t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, UsageError
from unransom.core.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from unransom.case.case import Case
    from unransom.case.custody import Custody

ROLES = ("operator", "lead", "owner")

folder_argument = click.argument("folder", type=PATH, metavar="DIR")
signing_option = click.option(
    "--key", type=EXISTING, metavar="FILE", help=t("Your private Ed25519 key: PEM, or as OpenSSH writes it.")
)


@click.command(
    help=t("List the people of a case, add one, or say how many must approve what cannot be undone."),
    epilog=t("Example: unransom case people fs01 --add 'Ana Ruiz' --role owner --new-key ana.pem"),
)
@folder_argument
@click.option("--add", "name", metavar="NAME", help=t("Add this person; once there is an owner, with --key."))
@click.option("--role", type=click.Choice(ROLES), help=t("What the person is."))
@click.option("--public", type=EXISTING, metavar="FILE", help=t("The person's public key."))
@click.option("--new-key", type=PATH, metavar="FILE", help=t("Make a key for the person and write it here."))
@click.option("--remove", metavar="NAME", help=t("Take this person out: what they approved counts no more."))
@click.option("--need", type=click.IntRange(1), metavar="M", help=t("How many people must approve."))
@click.option(
    "--of",
    "roles",
    metavar="ROLES",
    default=",".join(ROLES),
    help=t("Who may approve, a role for each: owner,owner,lead."),
)
@signing_option
@json_option
def people(
    folder: Path,
    name: str | None,
    role: str | None,
    public: Path | None,
    new_key: Path | None,
    remove: str | None,
    need: int | None,
    roles: str,
    key: Path | None,
    as_json: bool,
) -> int:
    """Change what was asked for, then list."""
    from unransom.case import custody
    from unransom.case.case import Case

    with Case(folder) as case:
        if name:
            _add(case, name, role, _public_of(public, new_key), _private(key))
        if remove:
            custody.remove_person(case, remove, _private(key))
        if need:
            custody.need(case, need, tuple(filter(None, roles.split(","))), _private(key))
        _print_people(custody.custody_of(case), as_json=as_json)
    return EXIT_DONE


@click.command(
    help=t("Approve an act that cannot be undone; without --key, ask whether it is (exit code 3: not)."),
    epilog=t("Example: unransom case approve fs01 'restore 9f2c41d0' --key ana.pem"),
)
@folder_argument
@click.argument("act", metavar="ACT")
@click.option("--note", default="", help=t("Why; it stands in the chain."))
@signing_option
@json_option
def approve(folder: Path, act: str, note: str, key: Path | None, as_json: bool) -> int:
    """Record the approval and print where that leaves the act."""
    import msgspec

    from unransom.case import custody
    from unransom.case.case import Case

    private = _private(key)
    with Case(folder) as case:
        if private:
            custody.approve(case, act, private, note)
        found = custody.approval(case, act)
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        for each in found.by:
            print(f"{each.time}  {each.role:<9} {each.key}  {each.person}  {each.note}".rstrip())
        print(_said(found.approved, found.needed, found.missing))
    return EXIT_DONE if found.approved else EXIT_INCOMPLETE


@click.command(
    help=t("Sign everything that the case has so far."),
    epilog=t("Example: unransom case sign fs01 'Handed over to counsel' --key ana.pem"),
)
@folder_argument
@click.argument("statement")
@signing_option
def sign(folder: Path, statement: str, key: Path | None) -> int:
    """Record the signature."""
    from unransom.case import custody
    from unransom.case.case import Case

    private = _private(key)
    if private is None:
        raise UsageError(say("a signature needs a key"), hint=say("give --key with your private key"))
    with Case(folder) as case:
        custody.sign_case(case, statement, private)
    print(t("Signed."))
    return EXIT_DONE


@click.command(
    help=t(
        "Have an authority outside stamp the time on the chain; what cannot be had now waits (exit code 3)."
    ),
    epilog=t("Example: unransom case stamp fs01 --authority https://freetsa.org/tsr"),
)
@folder_argument
@click.option(
    "--authority",
    "authorities",
    multiple=True,
    metavar="URL",
    help=t("Authority of RFC 3161; it is remembered."),
)
@click.option("--offline", is_flag=True, help=t("Only note that a time stamp is wanted."))
def stamp(folder: Path, authorities: tuple[str, ...], offline: bool) -> int:
    """Ask for a stamp of the chain as it is, and for those that wait."""
    from unransom.case import stamps
    from unransom.case.case import Case

    with Case(folder) as case:
        if authorities:
            stamps.configure(case, authorities)
        if not stamps.configured(case):
            raise UsageError(
                say("no time stamp authority is known"), hint=say("name one with --authority URL")
            )
        stamps.want(case)
        came, errors = (0, []) if offline else stamps.take(case)
        left = len(stamps.waiting(case))
    for error in errors:
        complain(error)
    print(t("{came} time stamps taken, {left} waiting", came=came, left=left))
    return EXIT_INCOMPLETE if left else EXIT_DONE


def _private(path: Path | None) -> Ed25519PrivateKey | None:
    from unransom.case.signing import load_private

    return load_private(path) if path else None


def _public_of(public: Path | None, new_key: Path | None) -> str:
    from unransom.case import signing

    if (public is None) == (new_key is None):
        raise UsageError(
            say("a person needs one key"), hint=say("give --public with a key that there is, or --new-key")
        )
    return (
        signing.load_public(public) if public else signing.public_of(signing.new_private(Path(str(new_key))))
    )


def _add(case: Case, name: str, role: str | None, key: str, private: Ed25519PrivateKey | None) -> None:
    from unransom.case.custody import Person, add_person

    if role is None:
        raise UsageError(say("a person needs a role"), hint=say("give --role operator, lead or owner"))
    add_person(case, Person(name, role, key), private)


def _print_people(found: Custody, *, as_json: bool) -> None:
    import msgspec

    rows = [{**msgspec.to_builtins(each), "fingerprint": each.fingerprint} for each in found.people.values()]
    if as_json:
        print(msgspec.json.encode({"people": rows, "needed": found.needed, "roles": found.roles}).decode())
        return
    for row in rows:
        print(f"{row['role']:<9} {row['fingerprint']}  {row['name']}")
    needed = t("{needed} of these must approve: {roles}", needed=found.needed, roles=", ".join(found.roles))
    print(needed)


def _said(approved: bool, needed: int, missing: Iterable[str]) -> str:
    if approved:
        return t("Approved.")
    return t(
        "Not approved: {needed} must, and these have not: {roles}",
        needed=needed,
        roles=", ".join(missing),
    )
