"""The demo: what it makes is sound, what it locks comes back exact, and it touches nothing else."""

import ast
import hashlib
import io
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from PIL import Image

from unransom.catalog.formats import innodb
from unransom.catalog.oracle import judge
from unransom.core.errors import UsageError
from unransom.core.records import Grade
from unransom.core.streams import BytesReader
from unransom.run.demo import demo, evidence, seal
from unransom.run.demo.company import SERVER, SHARE, Made, company
from unransom.run.demo.documents import orders, workbook
from unransom.run.demo.pictures import jpeg, lamp, png


def play(out, *options):
    return subprocess.run(
        [sys.executable, "-m", "unransom", "demo", "--out", str(out), *options],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def files():
    return list(company())


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "new"
    return out, play(out, "--lang", "en")


def test_every_file_comes_back_exact(played, files):
    out, run = played
    assert run.returncode == 0, run.stderr
    exact, of = re.search(r"(\d+) of (\d+) files are byte-exact", run.stdout).groups()
    locked = [made for made in files if not made.spared]
    assert int(exact) == int(of) == len(locked)
    recovered = {
        hashlib.sha256(path.read_bytes()).digest()
        for path in (out / "case/recovered").rglob("*")
        if path.is_file()
    }
    # The originals were made by another process: the company is the same in every run.
    assert recovered == {hashlib.sha256(made.content).digest() for made in locked}
    assert (out / "case/report.html").exists()


def test_the_same_command_goes_on_and_compares_again(played):
    out, _ = played
    run = play(out, "--lang", "zh")
    assert run.returncode == 0
    assert "接着做下去" in run.stderr
    assert "逐字节一致" in run.stdout


def test_an_output_that_differs_is_named(played):
    out, _ = played
    output = out / "case/recovered/share/contracts/lease.pdf"
    content = output.read_bytes()
    output.write_bytes(content[:-1])
    try:
        run = play(out, "--lang", "en")
    finally:
        output.write_bytes(content)
    assert run.returncode == 14
    assert "share/contracts/lease.pdf" in run.stdout


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    run = play(tmp_path)
    assert run.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "company", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.make(tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_the_folder_that_one_is_in_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "company", lambda: [Made(SHARE, "a.txt", b"one")])
    monkeypatch.chdir(tmp_path)
    demo.make(Path())
    assert demo.holds_demo(Path())
    assert {path.name for path in Path().iterdir()} == {"evidence", "campaign-key.txt", "originals.sha256"}


def test_a_file_is_no_folder_for_a_demo(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        demo.holds_demo(tmp_path / "file")


def test_without_mke2fs_the_server_lies_in_the_share(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "image_maker", lambda: None)
    layout = evidence.Layout(tmp_path, bytes.swapcase, ".INC", ("note.txt", b"note"))
    layout.write([Made(SHARE, "a/b.txt", b"one"), Made(SERVER, "etc/c.txt", b"two")])
    assert layout.hashes.keys() == {"share/a/b.txt", "share/server/etc/c.txt"}
    assert (tmp_path / "share/server/etc/c.txt.INC").read_bytes() == b"TWO"
    assert (tmp_path / "share/a/note.txt").exists()
    assert evidence.sources_in(tmp_path) == (tmp_path / "share",)


def test_every_file_of_the_company_is_sound(files):
    for made in files:
        reader = BytesReader(made.content)
        validation = (
            innodb.validate(reader)
            if made.path.endswith(".ibd")
            else judge(reader, made.path.encode()).validation
        )
        assert validation.grade is Grade.GOOD, (made.path, validation.why)


def test_the_company_is_of_some_size(files):
    assert 60 <= len(files) <= 150
    assert 20e6 < sum(len(made.content) for made in files) < 40e6
    assert max(len(made.content) for made in files) > 2 * seal.STEP - seal.ON


def test_large_files_are_locked_in_part():
    plain = bytes(5_000_000)
    locked = seal.seal(plain, X25519PrivateKey.generate().public_key())
    assert len(locked) == len(plain) + 35
    assert locked.endswith(b"INC")
    assert not any(locked[1_000_000:3_000_000])
    assert not any(locked[4_000_000:5_000_000])
    assert min(locked[:1_000_000].count(byte) for byte in range(256)) > 3000
    assert locked[:1_000_000] != locked[3_000_000:4_000_000]


def test_sealing_knows_no_paths():
    tree = ast.parse(Path(seal.__file__).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
    }
    assert imported == {"__future__", "hashlib", "cryptography"}


def test_pictures_show_what_they_were_made_of():
    pixels = lamp(3, 160, 96)
    with Image.open(io.BytesIO(png(pixels))) as opened:
        assert opened.tobytes() == pixels.tobytes()
    with Image.open(io.BytesIO(jpeg(pixels))) as opened:
        decoded = opened.tobytes()
    wrong = sum(abs(a - b) for a, b in zip(decoded, pixels.tobytes(), strict=True))
    assert wrong / len(decoded) < 6  # grain that the coefficients left out took with them


def test_a_workbook_opens():
    rows = list(orders(3, 20))
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(iter(rows)))).active
    assert [tuple(row) for row in sheet.values] == rows


def test_the_readme_shows_a_run_of_this_demo(files):
    locked = sum(not made.spared for made in files)
    assert f"{locked} of {locked} files are byte-exact" in Path("README.md").read_text()
    assert f"{locked} 个文件中，{locked} 个与原件逐字节一致" in Path("README.zh-CN.md").read_text()
