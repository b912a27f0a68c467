"""Which kind of store a place is opened with, and what it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom import evidence
from unransom.core.errors import UsageError
from unransom.core.records import Source
from unransom.evidence import STORES, locations, stores
from unransom.evidence.volumes import signatures


def test_the_tuple_and_the_folder_agree() -> None:
    (folder,) = stores.__path__
    modules = {file.stem for file in Path(folder).glob("*.py")} - {"__init__"}
    assert {kind.name for kind in STORES} == modules
    assert len(STORES) == len(modules)


def test_importing_is_cheap() -> None:
    code = "import sys, unransom.evidence; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "unransom.evidence" in loaded.stdout.split()
    assert not {"pytsk3", "fsspec", "s3fs", "aiohttp", "botocore"} & set(loaded.stdout.split())


@pytest.mark.parametrize(
    "location", ["/no/such/place", "ftp://host/x", "gs://bucket", "s3://", "\0", "/dev/null"]
)
def test_what_cannot_be_evidence_is_refused_with_a_hint(location: str) -> None:
    with pytest.raises(UsageError) as caught:
        evidence.identify(location)
    assert caught.value.hint
    assert str(caught.value)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown kind: tape"):
        evidence.open_store(Source(id="a", kind="tape", location="/"))


def test_a_bucket_needs_no_network_to_be_recognised() -> None:
    source = evidence.identify("s3://backups/shop/2026/")
    assert (source.kind, source.id, source.location) == ("bucket", "2026", "s3://backups/shop/2026/")
    assert evidence.identify("s3://backups").id == "backups"


def test_identifiers_are_unique_and_safe(tmp_path: Path) -> None:
    taken: set[str] = set()
    for name in ("a/data", "b/data", "c/data", "carved", "...", "CON", "x" * 200, "财务" * 30, "a:b<c>"):
        (tmp_path / name).mkdir(parents=True)
        identifier = evidence.identify(str(tmp_path / name), taken).id
        assert identifier not in taken
        assert len(identifier) <= 52
        assert not set(identifier) & set('/\\:*?"<>|\0')
        assert not identifier.startswith(".")
        taken.add(identifier)
    assert {"data", "data-2", "data-3", "carved-2", "_CON", "a_b_c_"} <= taken
    assert "carved" not in taken
    assert evidence.identify("/").id == "source"


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    assert evidence.identify("in").location == str(tmp_path / "in")


def test_a_location_that_is_not_utf8_survives_json(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xb2\xc6\xce\xf1"  # GBK
    Path(os.fsdecode(path)).mkdir()
    source = evidence.identify(os.fsdecode(path))
    again = msgspec.json.decode(msgspec.json.encode(source), type=Source)
    assert locations.path_of(again) == path
    assert source.id == "财务"
    assert evidence.open_store(again).source == source


@given(st.binary(max_size=60))
def test_any_name_gives_a_safe_identifier(name: bytes) -> None:
    place = locations.Location("", b"/" + name, 0o40755)
    identifier = locations.source(place, "folder", ()).id
    assert identifier
    assert identifier not in {".", ".."}
    assert not set(identifier) & set('/\\:*?"<>|\0\n')
    identifier.encode()


@given(st.binary(max_size=signatures.HEAD), st.integers(0, 1 << 50))
def test_recognising_disks_never_fails(head: bytes, size: int) -> None:
    assert isinstance(signatures.is_disk(head, size), bool)


@given(st.binary(min_size=510, max_size=2000), st.integers(0, 1 << 50))
def test_recognising_boot_sectors_never_fails(head: bytes, size: int) -> None:
    signatures.is_disk(head[:510] + signatures.BOOT_MARK + head[510:], size)


def test_a_file_that_only_ends_like_a_boot_sector_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "locked.bin"
    path.write_bytes(bytes(range(256))[:255] * 2 + signatures.BOOT_MARK + bytes(4000))
    assert evidence.identify(str(path)).kind == "file"
