"""Keys in the memory of processes that use them, as libraries keep them: real memory, not made."""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from Cryptodome.Cipher import ChaCha20
from Cryptodome.PublicKey import RSA

from unransom.crypto.search.memory import Clues, bare_primes, chacha_contexts, scan

CRYPTOGRAPHY = "from cryptography.hazmat.primitives.ciphers import Cipher, algorithms as a, modes as m\n"
PYCRYPTODOMEX = "from Cryptodome.Cipher import AES, ChaCha20, Salsa20\n"
# What a process makes of the key, and keeps.
USES = {
    "OpenSSL AES-256-CTR": CRYPTOGRAPHY + "kept = Cipher(a.AES(key), m.CTR(bytes(16))).encryptor()",
    "OpenSSL AES-256-CBC decrypting": CRYPTOGRAPHY
    + "kept = Cipher(a.AES(key), m.CBC(bytes(16))).decryptor()",
    "OpenSSL AES-256-GCM": CRYPTOGRAPHY + "kept = Cipher(a.AES(key), m.GCM(bytes(12))).encryptor()",
    "OpenSSL AES-128-CBC": CRYPTOGRAPHY + "kept = Cipher(a.AES(key[:16]), m.CBC(bytes(16))).encryptor()",
    "OpenSSL ChaCha20": CRYPTOGRAPHY + "kept = Cipher(a.ChaCha20(key, bytes(range(16))), None).encryptor()",
    "pycryptodomex AES": PYCRYPTODOMEX + "kept = AES.new(key, AES.MODE_CBC, bytes(16))",
    "pycryptodomex AES in C": PYCRYPTODOMEX + "kept = AES.new(key, AES.MODE_CBC, bytes(16), use_aesni=False)",
    "pycryptodomex ChaCha20": PYCRYPTODOMEX + "kept = ChaCha20.new(key=key, nonce=bytes(range(8)))",
    "pycryptodomex Salsa20": PYCRYPTODOMEX + "kept = Salsa20.new(key, bytes(range(8)))",
}
WORK = """
import sys
key = bytes.fromhex(sys.stdin.readline())
{use}
if hasattr(kept, "update"):
    kept.update(bytes(112))
elif "decryptor" not in dir(kept):
    kept.encrypt(bytes(112))
print("ready", flush=True)
sys.stdin.readline()
"""


def drawn(size):
    """Return bytes that look random and are the same in every run."""
    return np.random.default_rng(size).bytes(size)


@contextlib.contextmanager
def memory_of(*command, told):
    """Yield the writable memory of a process that was told something and is ready."""
    process = subprocess.Popen([*command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdin.write(told.encode())
        process.stdin.flush()
        assert process.stdout.read(1)
        yield written(process.pid)
    finally:
        process.kill()
        process.communicate()


def written(number):
    """Return the writable memory of process ``number``."""
    parts = []
    with Path(f"/proc/{number}/maps").open() as maps, Path(f"/proc/{number}/mem").open("rb", 0) as memory:
        for line in maps.readlines():
            place, rights = line.split()[:2]
            start, end = (int(each, 16) for each in place.split("-"))
            if rights.startswith("rw"):
                memory.seek(start)
                with contextlib.suppress(OSError):
                    parts.append(memory.read(end - start))
    return b"".join(parts)


@pytest.mark.parametrize("use", USES)
def test_the_key_of_a_process_is_found_in_its_memory(use):
    key = drawn(32)
    with memory_of(sys.executable, "-c", WORK.format(use=USES[use]), told=f"{key.hex()}\n") as memory:
        found = {each.data: each.bits for each in scan(memory) if each.bits >= 64}
    assert (key if "128" not in use else key[:16]) in found
    assert len(found) < 10


def test_the_key_of_the_program_openssl_is_found():
    key = drawn(32)
    command = (shutil.which("openssl"), "enc", "-aes-256-cbc", "-K", key.hex(), "-iv", "00" * 16)
    with memory_of(*command, told="x" * 70_000) as memory:
        assert key in {each.data for each in scan(memory) if each.bits >= 64}


def test_the_primes_of_an_rsa_key_are_found_as_openssl_keeps_them():
    made = RSA.generate(2048)
    use = (
        "from cryptography.hazmat.primitives.serialization import load_der_private_key\n"
        "kept = load_der_private_key(key, None)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()"
    )
    told = f"{made.export_key('DER').hex()}\n"
    with memory_of(sys.executable, "-c", WORK.format(use=use), told=told) as memory:
        found = scan(memory, Clues(moduli=(int(made.n),)), finders=(bare_primes.FINDER,))
    assert {frozenset((RSA.import_key(each.data).p, RSA.import_key(each.data).q)) for each in found} == {
        frozenset((made.p, made.q))
    }


def context(key, counter, nonce, used=0, left=0):
    """Return a context of Go: the block has plain bytes in it, but for what is left of the keystream."""
    cipher = ChaCha20.new(key=key, nonce=nonce)
    cipher.seek(64 * (counter - 1))
    stream = cipher.encrypt(bytes(64))
    block = bytes(each ^ 1 for each in stream[: 64 - left]) + stream[64 - left :] if left else bytes(64)
    return key + counter.to_bytes(4, "little") + nonce + block + (left or used).to_bytes(8, "little")


@pytest.mark.parametrize("left", [8, 20, 63])
def test_contexts_are_found_as_go_keeps_them(left):
    key, nonce = drawn(32), drawn(12)
    memory = bytearray(np.random.default_rng(4).bytes(1 << 14))
    data = context(key, 700, nonce, left=left)
    memory[4096 : 4096 + len(data)] = data
    (found,) = scan(bytes(memory), finders=(chacha_contexts.FINDER,))
    assert (found.data, found.offset, found.bits) == (key, 4096, 8 * left)
    assert found.parts["tail"][4:] == nonce


# The nonce's last bytes, and how many contexts its bytes may be read as: where they could be a counter, the
# key may begin eight bytes later as well, and nothing but a locked file tells which is right.
READINGS = {"8a37c0ffee91d45b2264ad13": 1, "8a37c0ff0091d40b2264ad13": 2, "00" * 12: 1}


@pytest.mark.parametrize("nonce", READINGS)
def test_a_context_between_blocks_is_a_guess(nonce):
    key = drawn(32)
    memory = bytearray(1 << 13)
    memory[800:920] = context(key, 16384, bytes.fromhex(nonce))
    found = scan(bytes(memory), finders=(chacha_contexts.FINDER,))
    assert (found[0].data, found[0].offset) == (key, 800)
    assert len(found) == READINGS[nonce]
    assert all(each.bits < 64 for each in found)


def test_damaged_contexts_are_nothing():
    key, nonce = drawn(32), drawn(12)
    memory = bytearray(1 << 13)
    memory[800:920] = context(key, 9, nonce, left=40)
    memory[820] ^= 1
    assert all(each.bits < 64 for each in scan(bytes(memory), finders=(chacha_contexts.FINDER,)))
    for size in (0, 1, 119, 120):
        assert not scan(bytes(size), finders=(chacha_contexts.FINDER,))
