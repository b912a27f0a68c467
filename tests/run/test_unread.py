"""What cannot be listed or read is told, shows in the exit code, and is taken up once people mend it."""

import json
import os

import pytest

from tests.fixtures.in_process import InProcess
from tests.fixtures.locked import INC_PRIVATE, lock_inc, picture, write
from tests.fixtures.program import unransom
from unransom.core.errors import UnreadableError
from unransom.evidence.descriptors import DescriptorReader
from unransom.evidence.presence import SourceGoneError
from unransom.evidence.stores import folder as folders
from unransom.run.recover import Job, recover


@pytest.fixture
def job(tmp_path):
    locked = {name: lock_inc(picture(name), name.encode()) for name in ("a.png", "b.png", "c.png")}
    write(
        tmp_path / "in",
        {b"a.png.INC": locked["a.png"], b"b.png.INC": locked["b.png"], b"shut/c.png.INC": locked["c.png"]},
    )
    (tmp_path / "key").write_bytes(INC_PRIVATE)
    keys = (tmp_path / "key",)
    return Job(sources=(str(tmp_path / "in"),), case=tmp_path / "case", keys=keys, budget=0.0)


def refuse(monkeypatch, module, name, path):
    """Have ``module.name`` refuse ``path`` as the system does."""
    real = getattr(module, name)

    def refusing(asked, *rest, **more):
        if os.fsencode(getattr(asked, "path", asked)) == path:
            raise PermissionError(13, "Permission denied", path)
        return real(asked, *rest, **more)

    monkeypatch.setattr(module, name, refusing)


def test_a_folder_that_cannot_be_listed_is_a_gap_and_is_listed_once_it_can_be(job, monkeypatch):
    with monkeypatch.context() as patch:
        refuse(patch, folders, "open_quietly", b"shut")
        first = recover(job, InProcess())
    assert (first.counts.total, first.exit_code) == (2, 3)
    assert first.next is not None
    assert "listed" in str(first.next)
    assert first.problems
    second = recover(job, InProcess())
    assert (second.counts.total, second.counts.recovered, second.exit_code) == (3, 3, 0)
    assert not second.problems


def test_a_file_that_could_not_be_read_is_examined_again(job, monkeypatch):
    with monkeypatch.context() as patch:
        refuse(patch, folders, "open_quietly", b"b.png.INC")
        first = recover(job, InProcess())
    assert first.counts.failed == 1
    assert first.exit_code == 3
    second = recover(job, InProcess())
    assert (second.counts.recovered, second.counts.failed, second.exit_code) == (3, 0, 0)


def test_files_that_cannot_be_read_ask_for_no_key(tmp_path, monkeypatch):
    write(tmp_path / "in", {b"a.png": picture("a")})
    job = Job(sources=(str(tmp_path / "in"),), case=tmp_path / "case", budget=0.0)
    with monkeypatch.context() as patch:
        refuse(patch, folders, "open_quietly", b"a.png")
        assert recover(job, InProcess()).exit_code == 3


class Pulled:
    """Takes an image away from the moment on that a step of the run has ended."""

    def __init__(self, monkeypatch, image, step):
        self.step = step
        self.is_gone = False
        real = DescriptorReader._read

        def read(reader, offset, length):
            if self.is_gone and os.path.samestat(reader.stat(), image.stat()):
                raise UnreadableError(offset, length, "Input/output error")
            return real(reader, offset, length)

        monkeypatch.setattr(DescriptorReader, "_read", read)

    def __call__(self, progress):
        self.is_gone = self.is_gone or progress.operation == self.step


@pytest.mark.parametrize("step", ["list", "triage"])
def test_an_image_that_vanishes_is_said_and_taken_up_when_it_is_back(step, fat_image, tmp_path, monkeypatch):
    content = {
        b"a.png.INC": lock_inc(picture("a"), b"a"),
        b"b/b.png.INC": lock_inc(picture("b"), b"b"),
        b"c.png": picture("c"),
    }
    image = fat_image(content)
    (tmp_path / "key").write_bytes(INC_PRIVATE)
    job = Job(sources=(str(image),), case=tmp_path / "case", keys=(tmp_path / "key",))
    with monkeypatch.context() as patch:
        pulled = Pulled(patch, image, step)
        with pytest.raises(SourceGoneError) as told:
            recover(job, InProcess(), pulled)
        assert told.value.exit_code == 1
        found = json.loads((job.case / "result.json").read_text())
        assert found["exit_code"] == 3
        assert "the source is gone" in str(found["problems"])
        with pytest.raises(SourceGoneError):
            recover(job, InProcess())
    last = recover(job, InProcess())
    assert (last.counts.recovered, last.counts.intact, last.exit_code) == (2, 1, 0)
    assert not last.problems


@pytest.mark.parametrize("step", ["list", "triage", "carve"])
def test_an_image_that_vanishes_when_all_was_tried_is_said(step, fat_image, tmp_path, monkeypatch):
    image = fat_image({b"a.png": picture("a")})
    left_out = frozenset() if step == "carve" else frozenset({"carve"})
    job = Job(sources=(str(image),), case=tmp_path / "case", left_out=left_out)
    with monkeypatch.context() as patch:
        first = recover(job, InProcess(), Pulled(patch, image, step))
    assert first.exit_code == 3
    assert "bring it back" in str(first.next)
    last = recover(job, InProcess())
    assert (last.counts.intact, last.counts.failed, last.exit_code) == (1, 0, 0)


def test_triage_tells_of_a_bucket_that_cannot_be_listed(tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    told = unransom("triage", "s3://shop-images", code=3).stderr
    assert "the bucket cannot be listed" in told
    assert "set AWS_ENDPOINT_URL" in told


def test_triage_says_that_a_folder_is_empty(tmp_path):
    (tmp_path / "in").mkdir()
    assert "No files were found" in unransom("triage", tmp_path / "in").stderr
