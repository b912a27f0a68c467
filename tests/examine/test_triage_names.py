import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.examine.triage.names import (
    called_like_a_note,
    locker_extensions,
    note_families,
    without_unknown_extension,
)


@pytest.mark.parametrize(
    ("path", "original"),
    [
        (b"a/photo.jpg.locked", b"a/photo.jpg"),
        (b"plan.xlsx.id-7F12.[a@b.com].zz", b"plan.xlsx"),
        (b"x.doc.[AB-12].mail@proton.me.abc", b"x.doc"),
        (b"[mail@proton.me][BADC0C0A]test2.jpg.BlackBit", b"test2.jpg"),
        (b"x.docx.Xy12.hive2", b"x.docx"),
        (b"report.v2.3.xlsx.wxyz", b"report.v2.3.xlsx"),
        ("财务/发票.pdf.加密".encode(), "财务/发票.pdf".encode()),
    ],
)
def test_what_an_unknown_locker_added_is_taken_off(path, original):
    assert without_unknown_extension(path) == original


@pytest.mark.parametrize(
    "path",
    [b"x.tar.gz", b"libfoo.so.1", b"foo.txt.bak", b"noext", b"a.locked", b".jpg", b"", b"a/", b"v1.2.3"],
)
def test_ordinary_names_lose_nothing(path):
    assert without_unknown_extension(path) == b""


def test_families_know_their_extensions():
    path = b"d/plan.xlsx.id[1A2B3C4D-2803].[mail@example.org].eking"
    assert ("phobos", b"d/plan.xlsx") in locker_extensions(path)
    assert locker_extensions(b"plan.xlsx") == ()
    assert locker_extensions(b".INC") == ()


@pytest.mark.parametrize(
    "name",
    ["README.txt", "Restore-My-Files.txt", "!!!HOW_TO_DECRYPT!!!.hta", "如何解密.txt", "RECOVERY NOTES.rtf"],
)
def test_names_of_notes(name):
    assert called_like_a_note(b"share/" + name.encode())


@pytest.mark.parametrize("name", ["photo.png", "main.c", "readme.png", "invoice.txt"])
def test_names_of_other_files(name):
    assert not called_like_a_note(name.encode())


def test_families_know_their_notes():
    assert "phobos" in note_families(b"desk/info.hta")
    assert note_families(b"desk/photo.png") == ()


@given(st.binary(max_size=80))
def test_hostile_names_do_no_harm(path):
    original = without_unknown_extension(path)
    assert len(original) < max(1, len(path))
    assert not original or original.rpartition(b"/")[2] in path
    for named in locker_extensions(path):
        assert named.original
    called_like_a_note(path)
    note_families(path)
