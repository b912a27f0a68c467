"""What the system refuses is said in a sentence, with what to do, and never as a fault of ours."""

import contextlib
import gzip
import os
import sqlite3
import subprocess
import sys

import pytest

from tests.fixtures.locked import lock_inc, picture, write
from tests.fixtures.program import unransom
from unransom.cli.refusal import refused
from unransom.run.recover import check_unpacked


@pytest.mark.parametrize(("language", "said"), [("en", "error: "), ("zh", "错误：")])
def test_a_case_that_cannot_be_made_is_told_with_its_path(tmp_path, language, said):
    (tmp_path / "in").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    shown = unransom(
        "recover", tmp_path / "in", "--case", tmp_path / "file/case", "--lang", language, code=1
    ).stderr
    assert said in shown
    assert str(tmp_path / "file/case") in shown
    assert "Traceback" not in shown
    assert "fault" not in shown


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_output_that_cannot_be_written_is_told():
    program = [sys.executable, "-m", "unransom", "list", "families"]
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "no space is left there" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error():
    program = [sys.executable, "-m", "unransom", "list", "families"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 0


def test_letters_that_the_terminal_lacks_are_escaped(tmp_path):
    write(tmp_path, {"订单.png.INC".encode(): lock_inc(picture("a"), b"a")})
    program = [sys.executable, "-m", "unransom", "triage", str(tmp_path), "--lang", "zh"]
    plain = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(program, capture_output=True, env=plain, check=True)
    assert rb"\u8ba2\u5355.png.INC" in done.stdout
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("number", [13, 30, 28, 2, 5])
def test_every_refusal_names_the_place_and_what_to_do(number):
    told = refused(OSError(number, os.strerror(number), b"/mnt/\xff"))
    assert "/mnt/" in str(told)
    assert told.detail
    assert told.hint
    assert told.exit_code == 1


@pytest.mark.parametrize(("language", "said"), [("en", "install that version"), ("zh", "请安装该版本")])
def test_a_case_of_a_newer_version_is_told_with_what_to_do(tmp_path, language, said):
    unransom("case", "new", tmp_path / "case")
    with contextlib.closing(sqlite3.connect(tmp_path / "case/case.sqlite")) as database:
        database.execute("PRAGMA user_version = 999")
    assert said in unransom("files", "--case", tmp_path / "case", "--lang", language, code=1).stderr


def test_a_packed_dump_is_refused_instead_of_searched_in_vain(tmp_path):
    write(tmp_path / "in", {b"logo.png.INC": lock_inc(picture("logo"), b"logo")})
    dump = tmp_path / "memory.raw.gz"
    dump.write_bytes(gzip.compress(bytes(5000)))
    command = ("recover", tmp_path / "in", "--case", tmp_path / "case", "--memory", dump)
    shown = unransom(*command, code=2).stderr
    assert f"{dump} is packed" in shown
    assert "unpack it first" in shown
    assert not (tmp_path / "case").exists()


def test_a_page_file_may_begin_with_a_page_of_packed_data(tmp_path):
    pages = tmp_path / "pagefile.sys"
    pages.write_bytes(gzip.compress(bytes(5000)).ljust(8192, b"\0"))
    check_unpacked(pages)
