"""The key library: keys of one case open another, and files are signed."""

import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fixtures.locked import INC_PRIVATE, lock_inc, picture
from tests.fixtures.program import unransom
from tests.lockers.rsa import key_of


@pytest.fixture
def library(tmp_path):
    """Return a library that holds the key of the INC campaign."""
    (tmp_path / "inc.key").write_bytes(INC_PRIVATE)
    path = tmp_path / "mine/keys.library"
    about = ("--family", "inc", "--source", "police", "--campaign", "ACME")
    unransom("library", "add", tmp_path / "inc.key", *about, "--library", path)
    return path


def test_a_whole_key_opens_another_case(tmp_path, library):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png.INC").write_bytes(lock_inc(picture("a"), b"a"))
    unransom("recover", tmp_path / "in", "--case", tmp_path / "case", "--library", library)
    assert (tmp_path / "case/recovered/in/a.png").read_bytes() == picture("a")


def test_only_the_owner_reads_it_and_the_list_shows_no_key(library):
    assert stat.S_IMODE(library.stat().st_mode) == 0o600
    (row,) = json.loads(unransom("library", "list", "--library", library, "--json").stdout)
    assert (row["family"], row["source"], row["campaign"]) == ("inc", "police", "ACME")
    shown = unransom("library", "list", "--library", library).stdout
    assert row["fingerprint"] in shown
    assert INC_PRIVATE.hex() not in shown


def test_nothing_is_added_twice(tmp_path, library):
    about = ("--family", "inc", "--source", "police", "--campaign", "ACME")
    run = unransom("library", "add", tmp_path / "inc.key", *about, "--library", library)
    assert run.stderr.startswith("0 keys added, 1 in ")


def test_a_key_is_listed_by_its_public_key(tmp_path, library):
    (tmp_path / "private.pem").write_bytes(key_of("rsa2048").export_key())
    (tmp_path / "public.pem").write_bytes(key_of("rsa2048").public_key().export_key())
    unransom("library", "add", tmp_path / "private.pem", "--library", library)
    listed = unransom("library", "list", "--public", tmp_path / "public.pem", "--library", library, "--json")
    assert [row["kind"] for row in json.loads(listed.stdout)] == ["rsa"]


def test_a_key_is_listed_by_a_wrapped_key_that_it_opens(tmp_path, library):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png.INC").write_bytes(lock_inc(picture("a"), b"a.png"))
    (tmp_path / "wanted.json").write_text(unransom("keys", tmp_path / "in", "--wanted").stdout)
    (tmp_path / "blob").write_bytes(b"of another case")
    (tmp_path / "file.key").write_bytes(bytes(range(32)))
    about = ("--source", "court", "--library", library)
    unransom("library", "add", tmp_path / "file.key", "--wrapped", tmp_path / "wanted.json", *about)
    for asked, sources in (("wanted.json", ["court"]), ("blob", [])):
        listed = unransom("library", "list", "--wrapped", tmp_path / asked, "--library", library, "--json")
        assert [row["source"] for row in json.loads(listed.stdout)] == sources


def test_a_signed_file_is_taken_from_those_who_are_trusted(tmp_path, library):
    signed, other = tmp_path / "keys.signed", tmp_path / "other.library"
    signer = ("--signer", tmp_path / "signer.key")
    unransom("library", "export", signed, *signer, "--library", library, code=2)
    name = unransom("library", "export", signed, *signer, "--create", "--library", library).stdout.strip()
    assert stat.S_IMODE((tmp_path / "signer.key").stat().st_mode) == 0o600
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    run = unransom("library", "import", signed, "--trust", stranger, "--library", other, code=2)
    assert "--trust takes" in run.stderr
    unransom("library", "import", signed, "--trust", name, "--library", other)
    assert other.read_bytes() == library.read_bytes()
    changed = signed.read_bytes().replace(b"police", b"nobody")
    signed.write_bytes(changed)
    run = unransom("library", "import", signed, "--trust", name, "--library", other, code=2)
    assert "was changed" in run.stderr
    assert "--trust" not in run.stderr


def test_a_file_that_is_no_library_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"[{]")
    run = unransom("recover", tmp_path, "--case", tmp_path.parent / "c", "--library", tmp_path / "x", code=2)
    assert "key library" in run.stderr


def test_the_library_of_the_user_is_where_their_data_is(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "k").write_bytes(INC_PRIVATE)
    unransom("library", "add", tmp_path / "k")
    assert (tmp_path / "data/unransom/keys.library").exists()
