"""Who acts in a case: people with roles and keys, what they signed and approved, as the chain tells it.

An entry that a person signed has in its facts ``person``, ``entries`` (how many entries were before it),
``root`` (the Merkle root of their hashes), ``case`` (the hash of the first entry) and ``signature``:
Ed25519 over the act and all of its facts but ``signature`` and ``tool``, as JSON with sorted keys.
A signature so stands for everything that the case had until then.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unransom.case.case import Case
from unransom.case.chain import Facts, Flaw, line
from unransom.case.database import transaction
from unransom.case.merkle import Tree
from unransom.case.signing import fingerprint, holds, public_of, sign
from unransom.core.errors import UsageError
from unransom.core.messages import Message, say

ROLES = ("operator", "lead", "owner")  # lowest first
PERSON, POLICY, SIGNED, APPROVED = "person added", "approvals needed", "signed", "approved"
REMOVED = "person removed"
ACTS = frozenset({PERSON, REMOVED, POLICY, SIGNED, APPROVED})
OWNERS = frozenset({PERSON, REMOVED, POLICY})  # acts that are an owner's
UNSIGNED = frozenset({"signature", "tool"})  # facts that a signature does not cover
Body = Mapping[str, Any]


class Person(msgspec.Struct, frozen=True):
    """Somebody who acts in the case; ``key`` is the public key in hexadecimal."""

    name: str
    role: str
    key: str

    @property
    def fingerprint(self) -> str:
        """What people compare of the key."""
        return fingerprint(self.key)


class Approver(msgspec.Struct, frozen=True):
    """One approval of an act: by whom, and when."""

    person: str
    role: str
    key: str
    time: str
    note: str = ""


class Approval(msgspec.Struct, frozen=True):
    """Whether an act is approved.

    Attributes:
        act: What was asked about.
        approved: Whether enough people have approved it.
        by: The approvals that count, one a person, in the order they were given.
        needed: How many must approve.
        roles: A role for each who may; several of one role where it stands more often.
    """

    act: str
    approved: bool
    by: tuple[Approver, ...]
    needed: int
    roles: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Roles of those who have not approved yet."""
        left = Counter(self.roles) - Counter(each.role for each in self.by)
        return tuple(left.elements())


class Stamp(NamedTuple):
    """A time stamp, or one that is wanted where ``token`` is "": of the root of the first entries."""

    sequence: int
    entries: int
    root: str
    authority: str
    token: str = ""


class Custody:
    """What the chain tells of people, signatures and time stamps; entries whose signature fails count not."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.former: list[Person] = []
        self.needed = len(ROLES)
        self.roles: tuple[str, ...] = ROLES
        self.stamps: list[Stamp] = []
        self.flaws: list[Flaw] = []
        self.signed = 0
        self.tree = Tree()
        self.case = ""
        self._approvals: dict[str, list[Approver]] = {}

    def read(self, lines: Iterable[str | bytes]) -> Custody:
        """Take in entries, in order; the links between them are checked elsewhere."""
        for number, text in enumerate(lines, 1):
            try:
                self._take(json.loads(text))
            except (KeyError, TypeError, ValueError, AttributeError):
                self.flaws.append(Flaw(number, say("the entry cannot be read")))
        return self

    def approval(self, act: str) -> Approval:
        """Return whether ``act`` is approved: by enough people, of each role as many as may."""
        there = {each.fingerprint for each in self.people.values()}  # those of people who left count no more
        given = {each.key: each for each in self._approvals.get(act, []) if each.key in there}
        free, by = Counter(self.roles), []
        for each in given.values():
            if free[each.role]:
                free[each.role] -= 1
                by.append(each)
        return Approval(act, len(by) >= self.needed, tuple(by), self.needed, self.roles)

    def person_of(self, private: Ed25519PrivateKey) -> Person:
        """Return whose key it is.

        Raises:
            UsageError: Nobody's in this case.
        """
        key = public_of(private)
        for person in self.people.values():
            if person.key == key:
                return person
        raise UsageError(
            say("nobody in this case has the key {fingerprint}", fingerprint=fingerprint(key)),
            hint=say("`unransom case people DIR` lists them; an owner can add more"),
        )

    def _take(self, entry: Body) -> None:
        act, facts = entry["act"], entry["facts"]
        if entry["sequence"] == 1:
            self.case = entry["hash"]
        if act in ACTS:
            why = self._wrong(act, facts)
            if why:
                self.flaws.append(Flaw(entry["sequence"], why))
            else:
                self._accept(act, facts, entry["time"])
        elif act in {"time stamp", "time stamp wanted"}:
            self._stamp(entry)
        self.tree.append(bytes.fromhex(entry["hash"]))

    def _stamp(self, entry: Body) -> None:
        facts = entry["facts"]
        stamp = Stamp(
            entry["sequence"], facts["entries"], facts["root"], facts["authority"], facts.get("token", "")
        )
        known = {(each.entries, each.root) for each in self.stamps}
        if (stamp.entries, stamp.root) not in known and stamp[1:3] != (self.tree.size, self.tree.root()):
            self.flaws.append(Flaw(entry["sequence"], say("the time stamp is of another chain")))
        self.stamps.append(stamp)

    def _wrong(self, act: str, facts: Body) -> Message | None:
        """Return why an entry that needs a signature does not count."""
        first_owner = act == PERSON and not self._has_owner()
        if first_owner and "signature" not in facts:
            return None
        signer = self.people.get(facts.get("person", ""))
        if signer is None:
            return say("it is signed by nobody who is known")
        expected = {"entries": self.tree.size, "root": self.tree.root(), "case": self.case}
        if any(facts.get(name) != value for name, value in expected.items()):
            return say("the signature is of another chain")
        if not holds(signer.key, str(facts.get("signature", "")), _message(act, facts)):
            return say("the signature of {person} does not hold", person=signer.name)
        if act in OWNERS and self._has_owner() and signer.role != "owner":
            return say("{person} is no owner, and only an owner may do this", person=signer.name)
        return self._no_change(act, facts)

    def _no_change(self, act: str, facts: Body) -> Message | None:
        """Return why the people of the case cannot be changed so."""
        if act == PERSON and facts["key"] in {each.key for each in self.former}:
            return say("the key is of somebody who was removed from the case")
        if act != REMOVED:
            return None
        owners = [person.name for person in self.people.values() if person.role == "owner"]
        if facts["name"] not in self.people:
            return say("nobody in this case is called {person}", person=facts["name"])
        return say("a case cannot be without an owner") if owners == [facts["name"]] else None

    def _has_owner(self) -> bool:
        return any(person.role == "owner" for person in self.people.values())

    def _accept(self, act: str, facts: Body, time: str) -> None:
        self.signed += "signature" in facts
        if act == PERSON:
            self.people[facts["name"]] = Person(facts["name"], facts["role"], facts["key"])
        elif act == REMOVED:
            self.former.append(self.people.pop(facts["name"]))
        elif act == POLICY:
            self.needed, self.roles = facts["needed"], tuple(role for (role,) in facts["roles"])
        elif act == APPROVED:
            who = self.people[facts["person"]]
            approver = Approver(who.name, who.role, who.fingerprint, time, facts["note"])
            self._approvals.setdefault(facts["approves"], []).append(approver)


def custody_of(case: Case) -> Custody:
    """Return what the chain of an open case tells."""
    rows = case.database.execute("SELECT entry FROM chain ORDER BY sequence")
    return Custody().read(entry for (entry,) in rows)


def approval(case: Case, act: str) -> Approval:
    """Return whether ``act`` is approved, and by whom.

    Args:
        case: The open case.
        act: What is to be done, in words that name it exactly: include the digest of the plan, e.g.
            ``restore 9f2c…``, so that no other plan can pass for the one that was approved.
    """
    return custody_of(case).approval(act)


def add_person(case: Case, person: Person, private: Ed25519PrivateKey | None = None) -> None:
    """Add somebody to the case; once it has an owner, only with the key of an owner.

    Raises:
        UsageError: The name or key is taken, or the key is not an owner's.
    """
    custody = custody_of(case)
    taken = {each.name for each in custody.people.values()} | {each.key for each in custody.people.values()}
    if {person.name, person.key} & taken:
        raise UsageError(
            say("{person}, or this key, is in the case already", person=person.name),
            hint=say("everybody has a key of their own"),
        )
    facts = {"name": person.name, "role": person.role, "key": person.key, "fingerprint": person.fingerprint}
    _act(case, PERSON, facts, private)


def remove_person(case: Case, name: str, private: Ed25519PrivateKey | None) -> None:
    """Take somebody out of the case, who left or whose key was lost; what they approved counts no more.

    Raises:
        UsageError: Nobody is called so, it is the last owner, or the key is not an owner's.
    """
    _act(case, REMOVED, {"name": name}, private)


def need(case: Case, needed: int, roles: tuple[str, ...], private: Ed25519PrivateKey | None) -> None:
    """Set how many of whom must approve what cannot be undone.

    Args:
        case: The open case.
        needed: How many people.
        roles: A role for each who may; twice ``owner`` lets two owners approve.
        private: The key of an owner.

    Raises:
        UsageError: It cannot be met, or the key is not an owner's.
    """
    if not 1 <= needed <= len(roles) or not set(roles) <= set(ROLES):
        raise UsageError(
            say("{needed} of these cannot approve: {roles}", needed=needed, roles=", ".join(roles)),
            hint=say("the roles are {roles}", roles=", ".join(ROLES)),
        )
    _act(case, POLICY, {"needed": needed, "roles": [[role] for role in roles]}, private)


def approve(case: Case, act: str, private: Ed25519PrivateKey, note: str = "") -> Approval:
    """Approve ``act``; return where that leaves it.

    Raises:
        UsageError: Nobody in the case has the key.
    """
    _act(case, APPROVED, {"approves": act, "note": note}, private)
    return approval(case, act)


def sign_case(case: Case, statement: str, private: Ed25519PrivateKey) -> None:
    """Sign everything that the case has so far.

    Raises:
        UsageError: Nobody in the case has the key.
    """
    _act(case, SIGNED, {"statement": statement}, private)


def _act(case: Case, act: str, said: Facts, private: Ed25519PrivateKey | None) -> None:
    """Record a signed entry; it is tried on the chain as a reader would see it before it is written."""
    facts = dict(said)
    with transaction(case.database):
        custody = custody_of(case)
        if private is not None:
            facts["person"] = custody.person_of(private).name
            facts |= {"entries": custody.tree.size, "root": custody.tree.root(), "case": custody.case}
            facts["signature"] = sign(private, _message(act, facts))
        case.record(act, facts)
        wrong = [flaw for flaw in custody_of(case).flaws if flaw.sequence == custody.tree.size + 1]
        if wrong:
            raise UsageError(
                say("this needs the key of somebody who may do it"),
                detail=str(wrong[0].why),
                hint=say("give --key with the private key of an owner"),
            )
    case.publish()


def _message(act: str, facts: Body) -> bytes:
    covered = {name: value for name, value in facts.items() if name not in UNSIGNED}
    return line({"act": act, "facts": covered}).encode()
