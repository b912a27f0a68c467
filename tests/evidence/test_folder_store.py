"""What is special about a folder: symbolic links, special files, folders that cannot be read, races."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unransom import evidence
from unransom.core.errors import EvidenceChangedError
from unransom.core.records import FileRef, Kind, Problem, Source
from unransom.evidence.stores import folder


def listed(path: Path) -> dict[bytes, FileRef]:
    refs = list(folder.FolderStore(evidence.identify(str(path))).files())
    assert all(isinstance(ref, FileRef) for ref in refs)
    return {ref.path: ref for ref in refs if isinstance(ref, FileRef)}


def test_order_is_by_name_files_before_subfolders(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/z/1", "a/y", "c", "A"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(listed(tmp_path)) == [b"A", b"c", b"a/y", b"a/z/1", b"b/1", b"b/2"]


def test_symbolic_links_are_listed_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not evidence")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "loop").symlink_to(".")
    (inside / "out").symlink_to(outside)
    (inside / "dangling").symlink_to("nowhere")
    refs = listed(inside)
    assert {path: (ref.kind, ref.size) for path, ref in refs.items()} == dict.fromkeys(
        (b"dangling", b"loop", b"out"), (Kind.SYMLINK, 0)
    )
    store = evidence.open_store(evidence.identify(str(inside)))
    with pytest.raises(OSError, match="not a regular file"), store.open(refs[b"out"]):
        pass
    forged = FileRef(source="inside", path=b"out/secret", size=12)
    with pytest.raises(EvidenceChangedError), store.open(forged):
        pass


@pytest.mark.parametrize("path", [b"../outside", b"a/../../outside", b"/etc/passwd", b"a//b", b"."])
def test_a_forged_path_does_not_leave_the_folder(tmp_path: Path, path: bytes) -> None:
    (tmp_path / "outside").write_text("x")
    (tmp_path / "in" / "a").mkdir(parents=True)
    store = folder.FolderStore(evidence.identify(str(tmp_path / "in")))
    with pytest.raises(OSError, match="not a path below"):
        store.open(FileRef(source="in", path=path, size=1))


@pytest.mark.parametrize("swapped", ["deep", "deep/er", "deep/er/file"])
def test_a_part_swapped_for_a_link_does_not_escape(tmp_path: Path, swapped: str) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for root in (inside, outside):
        (root / "deep/er").mkdir(parents=True)
        (root / "deep/er/file").write_text(root.name[:6])
        os.utime(root / "deep/er/file", ns=(1, 1))
    store = evidence.open_store(evidence.identify(str(inside)))
    (ref,) = (each for each in store.files() if isinstance(each, FileRef))
    (inside / swapped).rename(tmp_path / "aside")
    (inside / swapped).symlink_to(outside / swapped)
    with pytest.raises(EvidenceChangedError), store.open(ref):
        pass


def test_special_files_are_listed_and_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"12")
    refs = listed(tmp_path)
    assert refs[b"pipe"].kind is Kind.SPECIAL
    (tmp_path / "file").unlink()
    os.mkfifo(tmp_path / "file")
    with pytest.raises(EvidenceChangedError):
        folder.FolderStore(evidence.identify(str(tmp_path))).open(refs[b"file"])


def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/1", "b/1", "c/1"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    real = folder.open_quietly

    def refusing(path: bytes, flags: int = 0, at: int | None = None) -> int:
        if path == b"b":
            raise PermissionError(13, "Permission denied")
        return real(path, flags, at)

    monkeypatch.setattr(folder, "open_quietly", refusing)
    found = list(folder.FolderStore(evidence.identify(str(tmp_path))).files())
    assert [each.path if isinstance(each, FileRef) else each.item for each in found] == [
        b"a/1",
        f"{tmp_path.name.strip('. ')[:48]}:b",
        b"c/1",
    ]
    problem = found[1]
    assert isinstance(problem, Problem)
    assert "Permission denied" in str(problem.what)
    assert problem.code == "read"


def test_a_file_that_vanished_is_a_changed_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ref = listed(tmp_path)[b"file"]
    (tmp_path / "file").unlink()
    with pytest.raises(EvidenceChangedError):
        folder.FolderStore(evidence.identify(str(tmp_path))).open(ref)


def test_same_size_and_other_time_is_a_changed_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    ref = listed(tmp_path)[b"file"]
    os.utime(file, ns=(0, ref.modified + 1 if ref.modified else 1))
    with pytest.raises(EvidenceChangedError):
        folder.FolderStore(evidence.identify(str(tmp_path))).open(ref)


def test_deep_trees_are_walked(tmp_path: Path) -> None:
    depth, part = 60, "d" * 200  # longer than the longest path that the system takes at once
    root = at = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir(part, dir_fd=at)
        below = os.open(part, os.O_DIRECTORY, dir_fd=at)
        if at != root:
            os.close(at)
        at = below
    with os.fdopen(os.open("leaf", os.O_CREAT | os.O_WRONLY, dir_fd=at), "wb") as file:
        file.write(b"found")
    os.close(at)
    os.close(root)
    store = folder.FolderStore(evidence.identify(str(tmp_path)))
    (ref,) = store.files()
    assert isinstance(ref, FileRef)
    assert len(ref.path) == depth * 201 + 4
    with store.open(ref) as reader:
        assert reader.read_at(0, 10) == b"found"


def test_many_files_in_one_folder(tmp_path: Path) -> None:
    count = 2_000
    at = os.open(tmp_path, os.O_DIRECTORY)
    for number in range(count):
        os.close(os.open(f"{number:06}", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)
    names = [ref.path for ref in folder.FolderStore(evidence.identify(str(tmp_path))).files()]  # type: ignore[union-attr]
    assert names == [b"%06d" % number for number in range(count)]


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_bytes(b"x")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 the process's own
    store = evidence.open_store(evidence.identify(str(tmp_path)))
    for ref in store.files():
        assert isinstance(ref, FileRef)
        with store.open(ref):
            pass
        with pytest.raises(EvidenceChangedError), store.open(FileRef(source="x", path=b"a/b/c", size=9)):
            pass
        with pytest.raises(EvidenceChangedError), store.open(FileRef(source="x", path=b"a/b/no", size=9)):
            pass
    store.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 the process's own


def test_a_source_that_is_gone_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        evidence.open_store(Source(id="x", kind="folder", location=str(tmp_path / "gone")))
