"""Keys that an unknown locker drew with a clock: found with no hint of the family, file by file."""

import contextlib
import hashlib
import itertools
import os
import subprocess

import pytest
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from tests.fixtures.locked import archive, picture
from tests.fixtures.program import UNRANSOM
from unransom.core.context import Context
from unransom.core.records import FileRef
from unransom.core.searches import Described, Shard, Target
from unransom.core.streams import BytesReader
from unransom.crypto.generators import generator
from unransom.recover.keys import clocks
from unransom.recover.keys.attacks import ticks

MORNING = 1_795_000_000  # seconds since 1970


def drawn(name, seed, count):
    """Return ``count`` bytes as rand() & 0xFF, or NextBytes, gives them."""
    return bytes(number & 0xFF for number in itertools.islice(generator(name).outputs(seed), count))


def by_time(plain, second):
    """Lock with a key of srand(time): AES-256-CBC, PKCS #7, the IV drawn behind the key."""
    secret = drawn("msvc", second, 48)
    return AES.new(secret[:32], AES.MODE_CBC, secret[32:]).encrypt(pad(plain, 16))


def by_time_with_iv(plain, second):
    """Lock with a key of srand(time): AES-256-CBC, PKCS #7, an IV in front that nobody drew."""
    iv = hashlib.md5(plain, usedforsecurity=False).digest()
    return iv + AES.new(drawn("glibc", second, 32), AES.MODE_CBC, iv).encrypt(pad(plain, 16))


def by_ticks(plain, ticks):
    """Lock with new Random(TickCount).NextBytes(32): AES-256-CBC with an IV in front."""
    iv = hashlib.md5(plain, usedforsecurity=False).digest()  # as random as a locker's
    return iv + AES.new(drawn("dotnet", ticks, 32), AES.MODE_CBC, iv).encrypt(pad(plain, 16))


def recovered(tmp_path, files, budget="20m"):
    """Lock files into a new folder, with the times they were locked at, and recover it."""
    (tmp_path / "in").mkdir()
    for name, (locked, second) in files.items():
        path = tmp_path / "in" / name
        path.write_bytes(locked)
        os.utime(path, (second, second))
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case", "--budget", budget]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    out = tmp_path / "case/recovered/in"
    return run, {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}


def test_every_file_has_its_own_second(tmp_path):
    plain = {f"{name}.png": picture(name) for name in "abc"} | {"orders.zip": archive("d", 40_000)}
    files = {
        f"{name}.xyzzy": (by_time(data, MORNING + 40 * number - 1800), MORNING + 40 * number)
        for number, (name, data) in enumerate(plain.items())
    }
    run, out = recovered(tmp_path, files)
    assert run.returncode == 0, run.stdout + run.stderr
    assert out == plain


@pytest.mark.parametrize("lock", [by_time, by_time_with_iv])
def test_texts_have_the_same_key_or_one_of_their_own(tmp_path, lock):
    """Nothing is known of a text but that its bytes are letters, and of Chinese not even that."""
    table = "".join(f"{number},lamp {number % 7},{number * 3}\n" for number in range(900)).encode()
    chinese = "".join(f"第{number}号订单，两盏灯，已发货。\n" for number in range(300)).encode()
    files = {
        "a.png.xyzzy": (lock(picture("a"), MORNING - 1800), MORNING),
        "b.png.xyzzy": (lock(picture("b"), MORNING - 1760), MORNING + 40),
        "table.csv.xyzzy": (lock(table, MORNING - 1700), MORNING + 100),
        "chinese.txt.xyzzy": (lock(chinese, MORNING - 1800), MORNING + 7),
    }
    run, out = recovered(tmp_path, files)
    assert run.returncode == 0, run.stdout + run.stderr
    assert out == {"a.png": picture("a"), "b.png": picture("b"), "table.csv": table, "chinese.txt": chinese}


def test_a_counter_of_milliseconds_file_by_file():
    locked = by_ticks(picture("a"), 3_141_592)
    ref = FileRef(source="s", path=b"a", size=len(locked), id=3)
    context = Context(open=lambda _: contextlib.nullcontext(BytesReader(locked)))
    target = Target(family="", samples=(ref,), files=1, size=len(locked))
    plan = ticks.ATTACK.plan(target, context)
    described, found, secret, searched = ticks.ATTACK.search(
        Shard(plan=plan, target=target, number=2), context
    )
    assert isinstance(described, Described)
    assert (found.clue, found.item) == ('[1, 3141592, "head"]', 3)
    assert secret.key.data == drawn("dotnet", 3_141_592, 32)
    assert searched.candidates == clocks.SHARD


@pytest.mark.soak
def test_a_counter_of_milliseconds(tmp_path):
    files = {
        "a": (by_ticks(picture("a"), 3_141_592), MORNING),
        "b": (by_ticks(picture("b"), 3_150_000), MORNING),
    }
    run, out = recovered(tmp_path, files, budget="3h")
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(out.values()) == {picture("a"), picture("b")}
