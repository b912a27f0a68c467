"""What the searches for keys came to stands in the result: what was found, ruled out, and is left to do."""

import json
import subprocess
from pathlib import Path

import pytest
from Cryptodome.Cipher import AES

from tests.fixtures.locked import picture
from tests.fixtures.program import UNRANSOM
from tests.lockers import content, drawn, maze, shared
from tests.lockers.rsa import key_of, pkcs1
from unransom.case.case import Case
from unransom.run.searches import BUDGET, Search, time_left


def sound(folder, count):
    """Write files that a sound locker locked: a random key for each, under RSA-2048."""
    folder.mkdir()
    for number in range(count):
        name = f"file {number}"
        plain = [picture(name), shared.letter(name, 20_000), content(name, 50_000)][number % 3]
        key, start = drawn(f"{name} key", 32), drawn(f"{name} iv", 16)
        locked = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=start).encrypt(plain)
        path = folder / f"{name}.{['png', 'txt', 'bin'][number % 3]}.zq"
        path.write_bytes(locked + pkcs1(key_of("rsa2048"), key + start, name))
    return folder


def recovered(tmp_path, source, budget):
    command = [UNRANSOM, "recover", source, "--case", tmp_path / "case", "--budget", budget]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run, json.loads((tmp_path / "case/result.json").read_text())


def check_sound(run, result, count):
    assert run.returncode == 13, run.stderr
    assert result["counts"]["failed"] == count
    attacks = {(each["attack"], each["family"]): each for each in result["attacks"]}
    assert "found" not in {each["outcome"] for each in attacks.values()}
    assert attacks["keystream", ""]["outcome"] == "ruled_out"
    assert "no two of 12 files are under one keystream" in attacks["keystream", ""]["why"]["text"]
    assert attacks["ecb", ""]["outcome"] == "ruled_out"
    assert attacks["repeats", ""]["outcome"] in {"ruled_out", "searched"}
    drawn_ones = attacks["drawn", ""]
    assert drawn_ones["outcome"] in {"stopped", "waiting"}
    assert 0 <= drawn_ones["done"] < 1
    assert drawn_ones["seconds"] > 60
    assert drawn_ones["chance"] <= 0.02
    assert drawn_ones["helps"]
    assert "searches are not done" in result["attacks_verdict"]["text"]
    assert not [path for path in (Path(result["case"]["folder"]) / "recovered").rglob("*") if path.is_file()]


def test_a_sound_scheme_is_called_sound_with_what_was_ruled_out_and_what_is_left(tmp_path):
    folder = sound(tmp_path / "in", 24)
    run, result = recovered(tmp_path, folder, "1s")
    check_sound(run, result, 24)
    assert "Attacks on the keys" in run.stdout
    page = (tmp_path / "case/report.html").read_text()
    assert "no two of 12 files are under one keystream" in page
    assert "cannot work on what there is" in page


@pytest.mark.soak
@pytest.mark.timeout(90)  # files are made first; then less than a minute is wanted
def test_a_thousand_files_of_a_sound_scheme_take_less_than_a_minute(tmp_path):
    folder = sound(tmp_path / "in", 1000)
    run, result = recovered(tmp_path, folder, "20s")
    check_sound(run, result, 1000)


def test_a_family_with_a_sound_wrap_says_what_a_search_would_need(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    vector = {"size": 3000, "rsa_key": "rsa2048"}
    for name in "abc":
        (folder / f"{name}.png.maze").write_bytes(maze.make(vector | {"seed": name}).locked)
    run, result = recovered(tmp_path, folder, "2s")
    assert run.returncode == 13, run.stderr
    attacks = {each["attack"]: each for each in result["attacks"] if each["family"] == "maze"}
    assert {attacks[name]["outcome"] for name in ("memory", "weak_rsa", "keystream")} == {"ruled_out"}
    assert attacks["memory"]["family_title"] == "Maze"
    assert "memory of a machine" in attacks["memory"]["helps"]["text"]
    assert "public key" in attacks["weak_rsa"]["helps"]["text"]


def test_an_attack_that_found_the_key_comes_first_with_its_proof(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    plain = shared.letter("notes", 30_000)
    (folder / "notes.txt.zq").write_bytes(shared.xored(plain, drawn("key", 64)))
    run, result = recovered(tmp_path, folder, "20s")
    assert run.returncode == 0, run.stdout + run.stderr
    first = result["attacks"][0]
    assert (first["attack"], first["outcome"], first["weakness"]) == ("repeats", "found", "T2")
    assert first["why"]["text"]
    assert result["attacks_verdict"] is None
    assert "found a key" in run.stdout


def test_the_budget_is_for_all_searches_of_a_run_together(tmp_path):
    with Case(tmp_path / "case", create=True) as case:
        case.set_fact(BUDGET, "60")
        clock = iter((100.0, 150.0, 161.0)).__next__
        first, second, third = (Search(case.database, 10.0, now=clock) for _ in range(3))
        assert first.end == second.end == third.end == 160.0
        case.set_fact(BUDGET, "60")  # the next run
        assert Search(case.database, 10.0, now=lambda: 300.0).end == 360.0
        assert [time_left(case.database, now) for now in (300.0, 350.0, 361.0)] == [60.0, 10.0, 0.0]
