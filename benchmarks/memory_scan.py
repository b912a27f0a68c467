"""How fast keys are found in memory, beside what public programs do, in one run.

    python benchmarks/memory_scan.py [--size MIB] [--threads N] [--json FILE]

Half of the memory is what this process has itself, half is random, the worst case. Beside the schedules
stands the usual way to look for them, expanding the key at every offset until a word differs, compiled
by the same compiler; beside the structures ``bytes.find`` of one constant; beside the primes a division
at every place. Demanded on two cores are 500 MiB/s for the schedules of every byte and 1.5 GiB/s for
constants, and 25 MiB/s a core for primes, which go on one: their divisions leave no room for other threads,
and the program scans in processes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gmpy2
import numpy as np
from cryptography.hazmat.primitives.asymmetric import rsa
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.search.memory import (
    OVERLAP,
    Clues,
    aes_schedules,
    bare_primes,
    chacha_contexts,
    scan,
    structures,
    text_keys,
)
from unransom.crypto.search.memory.aes_expansion import mixed_in, total_words, word_at

MIB = 1 << 20
STEP = 1 << 20
Memory = NDArray[np.uint8]


@njit(nogil=True)
def usual_way(memory: Memory) -> int:
    """Count the schedules of AES-128, 192 and 256 at every byte, as programs for live processes do."""
    found = 0
    schedule = np.zeros(60, np.uint32)
    for at in range(len(memory) - 240):
        for key_words in (4, 6, 8):
            for index in range(key_words):
                schedule[index] = word_at(memory, at + 4 * index, False)
            whole = True
            for index in range(key_words, total_words(key_words)):
                schedule[index] = schedule[index - key_words] ^ mixed_in(
                    schedule[index - 1], index, key_words
                )
                if schedule[index] != word_at(memory, at + 4 * index, False):
                    whole = False
                    break
            found += whole
    return found


def divide_everywhere(memory: Memory, modulus: gmpy2.mpz) -> int:
    """Count the primes of 128 bytes at every fourth byte that divide ``modulus``."""
    data = memory.tobytes()
    return sum(
        number > 1 and not modulus % number
        for at in range(0, len(data) - 128, 4)
        if (number := gmpy2.from_binary(b"\x01\x01" + data[at : at + 128]))
    )


def own_memory(size: int) -> bytes:
    """Return up to ``size`` bytes of this process, zeros where it has less."""
    parts, left = [], size
    with Path("/proc/self/maps").open() as maps, Path("/proc/self/mem").open("rb", buffering=0) as memory:
        for line in maps.readlines():
            place, rights = line.split()[:2]
            start, end = (int(number, 16) for number in place.split("-"))
            if "r" not in rights or "[v" in line or left <= 0:
                continue
            memory.seek(start)
            parts.append(memory.read(min(end - start, left)))
            left -= len(parts[-1])
    return b"".join(parts).ljust(size, b"\0")


def rate(
    work: Callable[[Memory], object], memory: Memory, threads: int, overlap: int = 0
) -> tuple[float, float]:
    """Return MiB/s by the clock and per second of processor time, piece by piece on some threads."""
    pieces = [memory[at : at + STEP + overlap] for at in range(0, len(memory), STEP)]
    work(pieces[0])  # compiles
    clock, processor = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, pieces))
    size = len(memory) / MIB
    return size / (time.perf_counter() - clock), size / (time.process_time() - processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=256, help="MiB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    half = options.size * MIB // 2
    memory = np.frombuffer(own_memory(half) + np.random.default_rng(1).bytes(half), np.uint8)
    small = memory[half - 2 * MIB : half + 2 * MIB]
    modulus = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
    clues = Clues(moduli=(modulus,))
    cases = (
        ("AES schedules, every byte", aes_schedules.FINDER, Clues(), options.threads, 500.0),
        ("AES schedules, decayed", aes_schedules.FINDER, Clues(wrong_bits=4), options.threads, 0.0),
        ("constants and structures", structures.FINDER, Clues(), options.threads, 1536.0),
        ("ChaCha contexts, every 8 bytes", chacha_contexts.FINDER, Clues(), options.threads, 0.0),
        ("RSA-2048 primes, every 4 bytes", bare_primes.FINDER, clues, 1, 25.0),
        ("written keys", text_keys.FINDER, Clues(), options.threads, 0.0),
    )
    needle, number = b"expand 32-byte k", gmpy2.mpz(modulus)
    peers = {
        "AES schedules, every byte": rate(usual_way, small, options.threads, 240),
        "constants and structures": rate(lambda piece: piece.tobytes().find(needle), memory, options.threads),
        "RSA-2048 primes, every 4 bytes": rate(lambda piece: divide_everywhere(piece, number), small, 1, 128),
    }
    results = []
    print(f"{'what':<32}{'MiB/s':>8}{'a core':>8}{'wanted':>8}{'usual':>8}{'times':>8}{'false':>7}")
    for name, finder, given, threads, wanted in cases:
        false: list[int] = []

        def work(piece: Memory, finder=finder, given=given, false=false) -> None:
            false.append(sum(each.bits >= 64 for each in scan(piece, given, finders=(finder,))))

        clock, core = rate(work, memory, threads, OVERLAP)
        usual = peers.get(name, (0.0, 0.0))[0]
        results.append({"what": name, "rate": clock, "core": core, "wanted": wanted, "usual": usual})
        times = f"{clock / usual:8.1f}" if usual else " " * 8
        print(f"{name:<32}{clock:>8,.0f}{core:>8,.0f}{wanted:>8,.0f}{usual:>8,.0f}{times}{sum(false):>7}")
    if options.json:
        options.json.write_text(json.dumps({"threads": options.threads, "scans": results}, indent=2))


if __name__ == "__main__":
    main()
