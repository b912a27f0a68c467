"""Seeds a second: generators, key builders and ciphers, beside the public search and hashcat in one run."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import keys_public
from keys_row import Row
from unransom.crypto.search.pairs import Table, coupled
from unransom.crypto.search.recipe import (
    Bits,
    Cipher,
    Crib,
    Derive,
    Double,
    High,
    Modulo,
    Part,
    Recipe,
    Scaled,
    material,
)
from unransom.crypto.search.seeds import LANES, Search

CORES = len(os.sched_getaffinity(0))
NONCE = bytes(range(1, 9))
CRIB = Crib(locked=bytes(64), offset=0, plain=b"\x89PNG\r\n\x1a\n")
WHOLE = 1 << 31  # seeds of .NET
BEGIN = 200_000_000
PUBLIC, PAIRS = -1, -2  # in place of the number of a case


class Case(NamedTuple):
    """A search.

    Attributes:
        wanted: Seeds a second on two cores.
    """

    what: str
    recipe: Recipe
    wanted: float = 0


def _recipe(generator: str, parts: tuple[Part, ...], cipher: Cipher, derive: Derive | None = None) -> Recipe:
    return Recipe(generator=generator, parts=parts, cipher=cipher, derive=derive)


LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SALSA = Cipher(name="salsa", iv=NONCE)
AES128 = Cipher(name="aes-cbc", key_size=16, iv=bytes(16))
AES256 = Cipher(name="aes-cbc", iv=bytes(16))
BYTES16, BYTES32 = (Part("key", size, Bits()) for size in (16, 32))
PROMETHEUS = _recipe("dotnet", (Part("key", 32, Scaled(94, 33), redraw=b'"\\'),), SALSA)
CASES = (
    Case(".NET Random, 32 letters, Salsa20 (Prometheus)", PROMETHEUS, 5e6),
    Case("MSVC rand, 16 bytes, AES-128-CBC", _recipe("msvc", (BYTES16,), AES128), 20e6),
    Case("MSVC rand, 32 bytes, ChaCha20", _recipe("msvc", (BYTES32,), Cipher(name="chacha", iv=bytes(8)))),
    Case(
        "MSVC rand, 20 digits, SHA-256, AES-256 (Thanatos)",
        _recipe("msvc", (Part("key", 20, Modulo(10, 48)),), AES256, Derive("sha256")),
    ),
    Case(
        "MSVC rand, ChaCha20 stream, AES-256-CTR (Rhysida)",
        _recipe(
            "msvc",
            (Part("key", 40, Bits()),),
            Cipher(name="aes-ctr", iv_size=16),
            Derive("chacha-stream"),
        ),
    ),
    Case(
        "musl rand, 16 letters, IV, AES-128-CBC (Linux.Encoder)",
        _recipe(
            "musl",
            (Part("key", 16, Modulo(70), LETTERS + b",.-#'?!+"), Part("iv", 16, Bits())),
            Cipher(name="aes-cbc", key_size=16, iv_size=16),
        ),
    ),
    Case("glibc rand, 32 bytes, AES-256-CBC", _recipe("glibc", (BYTES32,), AES256)),
    Case(
        "Delphi Random, 32 letters, AES-256-CBC",
        _recipe("delphi", (Part("key", 32, High(62), LETTERS),), AES256),
    ),
    Case("Java Random, 16 bytes, AES-128-CBC", _recipe("java", (Part("key", 4, Bits(size=4)),), AES128)),
    Case(
        "Go math/rand, 32 letters, AES-256-CBC",
        _recipe("go", (Part("key", 32, Modulo(62, shift=32), LETTERS),), AES256),
    ),
    Case(
        "Python random.random, 32 letters, AES-256",
        _recipe("mt19937-array", (Part("key", 32, Double(62), LETTERS),), AES256),
    ),
    Case("C++ mt19937, 32 bytes, Salsa20", _recipe("mt19937", (Part("key", 8, Bits(size=4)),), SALSA)),
    Case("MSVC rand, 16 bytes, RC4", _recipe("msvc", (BYTES16,), Cipher(name="rc4", key_size=16))),
    Case(
        "Yarrow-256 of a time (Akira 2), table only",
        _recipe("yarrow256", (Part("key", 8, Bits(size=4)),), SALSA),
    ),
)
HASHCAT = {"26401": "hashcat, AES-128-ECB, key is the candidate", "15400": "hashcat, ChaCha20"}


def timed(number: int, seconds: float) -> tuple[int, float, float]:
    """Return seeds tried, seconds of processor time, and of the clock."""
    others = {PUBLIC: _public, PAIRS: _pairs}
    over = others[number]() if number < 0 else _own(CASES[number].recipe)
    over(BEGIN, LANES)  # compiles, or loads what was compiled
    size, tried = LANES, 0
    cpu, clock = time.process_time(), time.perf_counter()
    while time.perf_counter() - clock < seconds:
        over(BEGIN + tried, size)
        tried += size
        size = min(2 * size, 64 * LANES)
    return tried, time.process_time() - cpu, time.perf_counter() - clock


def _own(recipe: Recipe) -> Callable[[int, int], object]:
    ready = Search(recipe, [CRIB])
    return lambda first, count: ready.over(range(first, first + count))


def _pairs() -> Callable[[int, int], object]:
    """Return the search over pairs of times, of which the table is there already."""
    table = Table("yarrow256", range(BEGIN, BEGIN + 4 * LANES), 16)
    cipher = Cipher(name="kcipher-2", key_size=16, iv_size=16)
    gaps = range(1, LANES + 1)
    return lambda _, count: coupled(table, cipher, range(BEGIN, BEGIN + count // LANES), gaps, [CRIB])


def _public() -> Callable[[int, int], object]:
    return lambda first, count: keys_public.searched(first, count, *_words(CRIB.plain))


def _words(stream: bytes) -> tuple[int, int]:
    return int.from_bytes(stream[:4], "little"), int.from_bytes(stream[4:8], "little")


def _row(
    pool: ProcessPoolExecutor, what: str, number: int, seconds: float, wanted: float, note: str = ""
) -> Row:
    done = list(pool.map(timed, [number] * CORES, [seconds] * CORES))
    rate = sum(tried / clock for tried, _, clock in done)
    core = sum(tried for tried, _, _ in done) / sum(cpu for _, cpu, _ in done)
    note = note or (_whole(rate, core) if number == 0 else "")
    return Row(what, "seeds", rate, core, CORES, wanted * CORES / 2, note)


def _whole(rate: float, core: float) -> str:
    return f"all 2**31 in {WHOLE / rate:,.0f} s, {WHOLE / core:,.0f} s of processor time"


def _agrees() -> bool:
    """Return whether the public search and ours mean the same."""
    seed = 615750
    key, _ = material(PROMETHEUS, seed)
    from unransom.crypto.ciphers.at_once import decrypted  # noqa: PLC0415
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415

    stream = decrypted(Salsa.from_key(key, NONCE), bytes(64))
    own = Search(PROMETHEUS, [Crib(locked=stream, offset=0, plain=bytes(8))]).over(range(seed - 9, seed + 9))
    found = keys_public.searched(seed - 9, 18, *_words(stream))
    return [hit.seed for hit in own.hits] == [found] == [seed]


def _hashcat(mode: str, title: str) -> list[Row]:
    """Return candidates a second of hashcat's own benchmark, where it runs here."""
    if not shutil.which("hashcat"):
        return []
    command = ["hashcat", "--benchmark", "--machine-readable", "--quiet", "-m", mode]
    try:
        out = subprocess.run(command, check=False, capture_output=True, text=True, timeout=400).stdout
    except subprocess.TimeoutExpired:
        return []
    lines = [line.split(":") for line in out.splitlines() if f":{mode}:" in line]
    return [Row(title, "keys", float(line[-1]), 0, CORES, 0, "all cores, by OpenCL") for line in lines[:1]]


def rows(seconds: float, *, peers: bool) -> list[Row]:
    """Return the rates of all searches, for about ``seconds`` each."""
    if not _agrees():
        raise SystemExit("the public search and ours do not find the same seed")
    with ProcessPoolExecutor(CORES) as pool:
        found = [_row(pool, case.what, at, seconds, case.wanted) for at, case in enumerate(CASES)]
        public = _row(pool, "the same as the public tool does it, in numba", PUBLIC, seconds, 0, "one by one")
        found.append(_row(pool, "pairs of times, KCipher-2 (Akira 2)", PAIRS, seconds, 0, "after the table"))
    found[0] = found[0]._replace(note=f"{found[0].note}; {found[0].core / public.core:.1f} times the next")
    found.insert(1, public)
    for mode, title in HASHCAT.items() if peers else ():
        found += _hashcat(mode, title)
    return found
