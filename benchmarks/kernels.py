"""Every cipher on one core, beside OpenSSL and pycryptodomex, in one run.

    python benchmarks/kernels.py [--rounds N] [--json FILE]

Each decrypts the same MiB in place again and again; the best of the rounds counts, which neighbours on
the machine disturb least. Demanded are 0.8 of ``openssl speed`` for AES, 0.6 of OpenSSL's ChaCha20 and in
proportion to the rounds for ChaCha8 and ChaCha12, 300 MiB/s for Sosemanuk, and 5 times pycryptodomex for
Salsa20.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from Cryptodome.Cipher import ARC4, ChaCha20, Salsa20

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import FileKey

MIB = 1 << 20
REPEATS = 8  # of the MiB in one round
CHACHA, SALSA = 0.6, 5.0
# Name, cipher, bytes of key and nonce, what it is measured against, and the share of that demanded.
CASES: tuple[tuple[str, Cipher, int, int, str, float], ...] = (
    ("AES-128-CTR", Cipher("aes-ctr"), 16, 16, "aes-128-ctr", 0.8),
    ("AES-256-CTR", Cipher("aes-ctr"), 32, 16, "aes-256-ctr", 0.8),
    ("AES-128-CTR little-endian", Cipher("aes-ctr", order="little"), 16, 16, "aes-128-ctr", 0.8),
    ("AES-256-CTR little-endian", Cipher("aes-ctr", order="little"), 32, 16, "aes-256-ctr", 0.8),
    ("AES-256-CBC", Cipher("aes-cbc"), 32, 16, "aes-256-cbc", 0.8),
    ("AES-256-ECB", Cipher("aes-ecb"), 32, 16, "aes-256-ecb", 0.8),
    ("AES-256-CFB", Cipher("aes-cfb"), 32, 16, "aes-256-cfb", 0.8),
    ("AES-256-GCM", Cipher("aes-gcm"), 32, 12, "aes-256-gcm", 0.8),
    ("ChaCha20", Cipher("chacha"), 32, 8, "chacha20", CHACHA),
    ("ChaCha12", Cipher("chacha", rounds=12), 32, 8, "chacha20", CHACHA * 20 / 12),
    ("ChaCha8", Cipher("chacha", rounds=8), 32, 8, "chacha20", CHACHA * 20 / 8),
    ("XChaCha20", Cipher("chacha"), 32, 24, "chacha20", CHACHA),
    ("ChaCha20-Poly1305", Cipher("chacha-poly1305"), 32, 12, "chacha20", 0),
    ("Salsa20", Cipher("salsa"), 32, 8, "pycryptodomex Salsa20", SALSA),
    ("Salsa20/8", Cipher("salsa", rounds=8), 32, 8, "pycryptodomex Salsa20", SALSA),
    ("Salsa20 of Petya", Cipher("petya-salsa"), 32, 8, "", 0),
    ("Sosemanuk", Cipher("sosemanuk"), 32, 16, "300 MiB/s", 1.0),
    ("HC-128", Cipher("hc-128"), 16, 16, "", 0),
    ("KCipher-2", Cipher("kcipher-2"), 16, 16, "", 0),
    ("RC4", Cipher("rc4"), 16, 0, "pycryptodomex ARC4", 0),
    ("XOR", Cipher("xor"), 32, 0, "", 0),
)


def rate(work: Callable[[], object], rounds: int) -> float:
    """Return MiB/s of ``work``, which takes a MiB, in the best of ``rounds`` rounds."""
    work()  # compiles, and fills the caches
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(REPEATS):
            work()
        best = min(best, time.perf_counter() - began)
    return REPEATS / best


def openssl(name: str) -> float:
    """Return MiB/s of ``openssl speed`` decrypting a MiB at a time."""
    command = ["openssl", "speed", "-mr", "-seconds", "1", "-bytes", str(MIB), "-decrypt", "-evp", name]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(out.strip().splitlines()[-1].rpartition(":")[2]) / MIB


def references(rounds: int) -> dict[str, float]:
    """Return MiB/s of everything that the ciphers are measured against."""
    buffer = bytearray(MIB)
    others = {
        "pycryptodomex Salsa20": Salsa20.new(bytes(32), nonce=bytes(8)),
        "pycryptodomex ARC4": ARC4.new(bytes(16)),
        "pycryptodomex ChaCha20": ChaCha20.new(key=bytes(32), nonce=bytes(8)),
    }
    found = {"300 MiB/s": 300.0}
    for name, other in others.items():
        found[name] = rate(lambda other=other: other.encrypt(buffer), rounds)
    if shutil.which("openssl"):
        for name in dict.fromkeys(case[4] for case in CASES):
            if name.startswith(("aes", "chacha")):
                found[name] = openssl(name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    beside = references(options.rounds)
    results = []
    print(f"{'cipher':<27}{'MiB/s':>8}  {'of':>6}  {'wanted':>6}  measured against")
    for name, cipher, key, iv, against, wanted in CASES:
        decryptor = cipher.start(FileKey({"key": bytes(range(key)), "iv": bytes(iv)}))
        memory = memoryview(bytearray(MIB))
        found = rate(lambda own=decryptor, room=memory: own.decrypt_into(room, room), options.rounds)
        share = found / beside[against] if against in beside else None
        results.append({"cipher": name, "rate": found, "against": against, "share": share, "wanted": wanted})
        shares = f"{share:6.2f}  {wanted:6.2f}  {against} at {beside[against]:,.0f}" if share else ""
        print(f"{name:<27}{found:>8,.0f}  {shares}")
    if options.json:
        options.json.write_text(json.dumps({"references": beside, "ciphers": results}, indent=2))


if __name__ == "__main__":
    main()
