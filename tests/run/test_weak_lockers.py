"""Files of lockers that nobody names: ``unransom recover`` opens them by the flaw alone."""

import hashlib
import json
import os
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
from Cryptodome.PublicKey import RSA

from tests.fixtures.program import UNRANSOM
from tests.lockers import blackbasta, content, drawn, ecb, hive1, lockbit3_run, shared
from tests.soak import LONGER

BUDGET = "60s"


def write(folder, files):
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def recover(tmp_path, locked, known=None, budget=BUDGET):
    """Recover ``locked``; return verdict and bytes by the name of the locked file."""
    command = [
        UNRANSOM,
        "recover",
        write(tmp_path / "in", locked),
        "--case",
        tmp_path / "case",
        "--budget",
        budget,
    ]
    if known:
        command += ["--known", write(tmp_path / "known", known)]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert run.returncode in {0, 3, 13}, run.stderr
    listed = subprocess.run(
        [UNRANSOM, "files", "--case", tmp_path / "case", "--jsonl"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for row in map(json.loads, listed.stdout.splitlines()):
        if row["output"]:
            path = tmp_path / "case" / os.fsencode(row["output"]).decode()
            found[row["path"]] = (row["verdict"], path.read_bytes())
    return found


def assert_honest(found, plain, suffix=".zq"):
    """Check that nothing is called good that is not."""
    for name, (verdict, data) in found.items():
        if verdict == "good":
            assert data == plain[name.removesuffix(suffix)], name


def exact(found, plain, suffix=".zq"):
    return {name for name, data in plain.items() if found.get(name + suffix, ("", b""))[1] == data}


def test_xor_with_keys_of_several_lengths(tmp_path):
    plain, locked = {}, {}
    for length in (3, 64, 1000, 25000):
        name = f"notes {length}.txt"
        plain[name] = shared.letter(name, max(24 * length, 20_000))
        locked[f"{name}.zq"] = shared.xored(plain[name], drawn(name, length))
    found = recover(tmp_path, locked)
    assert_honest(found, plain)
    assert exact(found, plain) == set(plain)


def test_a_shared_keystream_with_one_original(tmp_path):
    plain = shared.company(20)
    stream = shared.chacha("run", 60_000)
    longest = max(plain, key=lambda name: len(plain[name]))
    locked = {f"{name}.zq": shared.xored(data, stream) + drawn(name, 40) for name, data in plain.items()}
    found = recover(tmp_path, locked, {longest: plain[longest]})
    assert_honest(found, plain)
    assert len(exact(found, plain)) >= 16


def test_a_shared_keystream_with_no_original(tmp_path):
    plain = shared.company(50)
    stream = shared.chacha("run", 60_000)
    locked = {f"{name}.zq": shared.xored(data, stream) for name, data in plain.items()}
    found = recover(tmp_path, locked)
    assert_honest(found, plain)
    assert len(exact(found, plain)) >= 25


def test_black_basta_without_its_extension(tmp_path):
    disk = bytearray(4_000_000)
    disk[1_000_000:1_500_000] = content("disk", 500_000)
    stream = shared.chacha("basta", 64)
    tail = blackbasta.tail("x", len(disk), "6cb8a9d2eF1")
    found = recover(tmp_path, {"disk.img": blackbasta.seal(bytes(disk), stream, len(disk)) + tail})
    assert found["disk.img"][1] == disk


@pytest.mark.soak
def test_black_basta_on_a_virtual_disk_of_a_gibibyte(tmp_path):
    disk = np.zeros(1 << 30, np.uint8)
    for number in range(16 * LONGER):
        start = number * (1 << 26) // LONGER + 12345
        disk[start : start + 400_000] = np.frombuffer(content(f"{number}", 400_000), np.uint8)
    before = hashlib.sha256(disk).hexdigest()
    stream = np.frombuffer(shared.chacha("basta", 64), np.uint8)
    rows = disk[: len(disk) // 192 * 192].reshape(-1, 192)
    rows[:, :64] ^= stream
    rest = disk[len(rows) * 192 :]
    if len(rest) >= 64:
        rest[:64] ^= stream
    (tmp_path / "in").mkdir()
    with (tmp_path / "in" / "disk.vmdk").open("wb") as file:
        file.write(disk)
        file.write(blackbasta.tail("x", len(disk), "6cb8a9d2eF1"))
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case", "--budget", BUDGET]
    subprocess.run(list(map(str, command)), capture_output=True, check=False)
    (output,) = [path for path in (tmp_path / "case" / "recovered").rglob("*") if path.is_file()]
    with output.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == before


def test_hives_table_from_originals(tmp_path):
    table, run = np.frombuffer(drawn("hive1 table", hive1.TABLE), np.uint8), drawn("run", 16)
    plain = {f"file {number}.txt": shared.letter(f"hive {number}", 131_000) for number in range(120)}
    numbers = {name: hive1.numbers_of(name) for name in plain}
    locked = {
        name + hive1.suffix(run, numbers[name]).decode(): hive1.seal(data, table, numbers[name])
        for name, data in plain.items()
    }
    found = recover(tmp_path, locked, dict(list(plain.items())[20:]))
    opened = {name.split(".txt")[0] + ".txt": result for name, result in found.items()}
    assert len(opened) == len(plain)
    right = 0
    for name, (verdict, data) in opened.items():
        assert verdict != "good" or data == plain[name]
        same = np.frombuffer(data, np.uint8) == np.frombuffer(plain[name], np.uint8)
        assert not np.frombuffer(data, np.uint8)[~same].any()  # zeros, which the map calls lost
        right += int(same.sum()) if name in list(plain)[:20] else 0
    assert right > 20 * 131_000 * 0.2  # of the files whose originals were not there


def test_lockbit_3_footers_that_share_a_key(tmp_path):
    build = min(Path("tests/vectors/families/lockbit3").glob("*.toml"))
    key = RSA.import_key(tomllib.loads(build.read_text())["rsa_key"])
    names = ["a.png", "list 2.png", "Quarterly report of the northern region, third revision (J. Smith).png"]
    plain = {name: shared.grey(name, 40) for name in names}
    found = recover(tmp_path, lockbit3_run.run(plain, (key.n, key.e)))
    expected = set(lockbit3_run.longest_openable(names, names[-1]))
    assert exact(found, plain, ".Ab3dE5gH9") == expected == set(names[:2])


def test_ecb_tables_from_one_original(tmp_path):
    plain = {f"shop {number}.mdf": ecb.database(f"shop {number}", 30 + number) for number in range(4)}
    locked = {f"{name}.zq": ecb.seal(data, drawn("ecb", 32)) for name, data in plain.items()}
    found = recover(tmp_path, locked, {"shop 1.mdf": plain["shop 1.mdf"]})
    assert_honest(found, plain)
    assert exact(found, plain) >= {"shop 0.mdf", "shop 1.mdf"}
    for name, data in plain.items():
        opened = np.frombuffer(found[f"{name}.zq"][1], np.uint8)
        wrong = opened != np.frombuffer(data, np.uint8)
        assert not opened[wrong].any()  # zeros, which the map calls lost
