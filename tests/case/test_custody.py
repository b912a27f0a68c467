"""People, signatures and approvals: who may do what, and what a forged entry comes to."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unransom.case import custody, signing
from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.case.merkle import Tree
from unransom.case.verify import flaws_of
from unransom.core.errors import UsageError

KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    for name in ("Ana", "Bo", "Cem", "Dia")
}
ROLE = {"Ana": "owner", "Bo": "lead", "Cem": "operator", "Dia": "operator"}


@pytest.fixture
def case(tmp_path):
    with Case(tmp_path / "case", create=True) as case:
        for name, key in KEYS.items():
            person = custody.Person(name, ROLE[name], signing.public_of(key))
            custody.add_person(case, person, KEYS["Ana"] if name != "Ana" else None)
        yield case


def test_an_act_needs_all_three_roles_by_default(case):
    for name, left in (("Cem", ("lead", "owner")), ("Dia", ("lead", "owner")), ("Bo", ("owner",))):
        found = custody.approve(case, "restore 9f2c", KEYS[name], "checked")
        assert (found.approved, found.missing) == (False, left)
    found = custody.approve(case, "restore 9f2c", KEYS["Ana"])
    assert found.approved
    assert {each.role for each in found.by} == {"operator", "lead", "owner"}
    assert not custody.approval(case, "restore 9f2d").approved


def test_fewer_may_do_where_an_owner_says_so(case):
    with pytest.raises(UsageError):
        custody.need(case, 1, ("lead",), KEYS["Bo"])
    custody.need(case, 2, ("lead", "owner"), KEYS["Ana"])
    custody.approve(case, "release", KEYS["Cem"])
    assert not custody.approve(case, "release", KEYS["Bo"]).approved
    assert custody.approve(case, "release", KEYS["Ana"]).approved
    with pytest.raises(UsageError):
        custody.need(case, 3, ("lead", "owner"), KEYS["Ana"])


def test_several_people_of_one_role_may_do_where_an_owner_says_so(case):
    custody.need(case, 3, ("operator", "operator", "owner"), KEYS["Ana"])
    assert custody.approve(case, "release", KEYS["Cem"]).missing == ("operator", "owner")
    assert custody.approve(case, "release", KEYS["Cem"], "again").missing == ("operator", "owner")
    assert custody.approve(case, "release", KEYS["Bo"]).missing == ("operator", "owner")
    assert custody.approve(case, "release", KEYS["Ana"]).missing == ("operator",)
    found = custody.approve(case, "release", KEYS["Dia"])
    assert (found.approved, [each.person for each in found.by]) == (True, ["Cem", "Ana", "Dia"])
    with pytest.raises(UsageError):
        custody.need(case, 4, ("operator", "operator", "owner"), KEYS["Ana"])


def test_only_an_owner_adds_people(case):
    new = custody.Person("Eve", "owner", "ab" * 32)
    for key in (None, KEYS["Bo"], Ed25519PrivateKey.generate()):
        with pytest.raises(UsageError):
            custody.add_person(case, new, key)
    with pytest.raises(UsageError):
        custody.add_person(case, custody.Person("Ana", "lead", "cd" * 32), KEYS["Ana"])
    assert "Eve" not in custody.custody_of(case).people


def test_what_somebody_approved_who_was_removed_counts_no_more(case):
    for name in ("Ana", "Bo", "Cem"):
        found = custody.approve(case, "restore 9f2c", KEYS[name])
    assert found.approved
    for name, key in (("Bo", "Cem"), ("Bo", None), ("Ana", "Ana"), ("Eve", "Ana")):
        with pytest.raises(UsageError):
            custody.remove_person(case, name, KEYS[key] if key else None)
    custody.remove_person(case, "Bo", KEYS["Ana"])
    assert custody.approval(case, "restore 9f2c").missing == ("lead",)
    with pytest.raises(UsageError):
        custody.approve(case, "restore 9f2c", KEYS["Bo"])
    with pytest.raises(UsageError):
        custody.add_person(case, custody.Person("Bob", "lead", signing.public_of(KEYS["Bo"])), KEYS["Ana"])
    new = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"Bo again").digest())
    custody.add_person(case, custody.Person("Bo", "lead", signing.public_of(new)), KEYS["Ana"])
    assert not custody.approval(case, "restore 9f2c").approved
    assert custody.approve(case, "restore 9f2c", new).approved
    assert custody.custody_of(case).flaws == []


def test_who_is_not_in_the_case_approves_nothing(case):
    with pytest.raises(UsageError):
        custody.approve(case, "restore 9f2c", Ed25519PrivateKey.generate())


def test_a_forged_entry_counts_not_and_is_named(case):
    custody.sign_case(case, "handed over", KEYS["Ana"])
    genuine = json.loads(case.database.execute("SELECT entry FROM chain WHERE sequence = 6").fetchone()[0])
    forged = {name: value for name, value in genuine["facts"].items() if name != "tool"}
    with transaction(case.database):
        case.record(custody.SIGNED, forged)  # the same signature again, of another chain by now
        case.record(custody.APPROVED, {"approves": "x", "note": "", "person": "Ana", "signature": "00" * 64})
        case.record(custody.PERSON, {"name": "Eve", "role": "owner", "key": "00" * 32})
        case.record(custody.APPROVED, {"approves": "x"})
    case.publish()
    folder = case.folder
    case.close()
    assert [flaw.split(":")[0] for flaw in map(str, flaws_of(folder))] == [
        f"chain.jsonl, entry {number}" for number in (7, 8, 9, 10)
    ]


def test_a_signature_covers_all_that_was_there(case):
    custody.sign_case(case, "handed over", KEYS["Bo"])
    found = custody.custody_of(case)
    assert (found.signed, found.flaws, found.people["Bo"].role) == (4, [], "lead")


def test_the_root_is_that_of_rfc_6962():
    leaves = [b"", b"\0", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
    # Roots as the test data of Certificate Transparency gives them, for 1, 2, 3 and 8 leaves.
    known = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    tree = Tree()
    roots = {}
    for leaf in leaves:
        tree.append(leaf)
        roots[tree.size] = tree.root()
    assert {size: roots[size] for size in known} == known


def test_keys_are_read_as_people_have_them(tmp_path, monkeypatch):
    monkeypatch.setenv(signing.PASSPHRASE, "open sesame")
    made = signing.new_private(tmp_path / "ana.pem")
    assert (tmp_path / "ana.pem").stat().st_mode & 0o077 == 0
    assert signing.public_of(signing.load_private(tmp_path / "ana.pem")) == signing.public_of(made)
    with pytest.raises(UsageError):
        signing.new_private(tmp_path / "ana.pem")
    monkeypatch.delenv(signing.PASSPHRASE)
    with pytest.raises(UsageError):
        signing.load_private(tmp_path / "ana.pem")
    formats = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    (tmp_path / "ana.pub").write_bytes(made.public_key().public_bytes(*formats))
    assert signing.load_public(tmp_path / "ana.pub") == signing.public_of(made)
    (tmp_path / "junk.pem").write_bytes(b"-----BEGIN NONSENSE-----")
    for load in (signing.load_public, signing.load_private):
        with pytest.raises(UsageError):
            load(tmp_path / "junk.pem")


def test_a_case_that_cannot_be_sealed_is_mended_by_the_next_run(case, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    case.close()
    folder = case.folder
    opened = Case(folder)
    with transaction(opened.database):
        opened.record("noted", {})
    with monkeypatch.context() as patch:
        patch.setattr("unransom.case.seal._encoded", full)
        opened.close()
    assert list(flaws_of(folder)) == []
    assert "found changed" not in (folder / "chain.jsonl").read_text()
