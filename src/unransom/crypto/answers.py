"""Known answers: what every primitive must give, from published vectors; ``unransom selftest`` checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from unransom.crypto import agreement, aplib, boxes
from unransom.crypto.ciphers import aes
from unransom.crypto.ciphers.at_once import Decrypts, decrypted
from unransom.crypto.generators.vectors import VECTORS, Vector
from unransom.crypto.search.recipe import Cipher, Crib, Part, Recipe, Scaled


class KnownAnswer(NamedTuple):
    """A computation and what it must give.

    Attributes:
        name: What is checked.
        source: Where the vector was published.
        compute: Does it.
        answer: What must come out.
    """

    name: str
    source: str
    compute: Callable[[], bytes]
    answer: bytes


KEY_128 = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
KEY_256 = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
COUNTER = bytes(range(0xF0, 0x100))
STROMBERGSON = "draft-strombergson-chacha-test-vectors-01, TC1, 256-bit key"


def _ctr_little() -> bytes:
    from unransom.crypto.ciphers.aes_little import AesCtrLittle  # noqa: PLC0415 numba takes half a second

    # The first counter of the vector, given backwards; the second block is not comparable.
    return decrypted(AesCtrLittle(KEY_128, COUNTER), bytes.fromhex("874d6191b620e3261bef6864990db6ce"))


def _chacha(rounds: int, nonce: bytes = bytes(8)) -> bytes:
    from unransom.crypto.ciphers.chacha import ChaCha  # noqa: PLC0415

    return decrypted(ChaCha.from_key(bytes(32), nonce, rounds), bytes(64))


def _hchacha() -> bytes:
    from unransom.crypto.ciphers.chacha import derived  # noqa: PLC0415

    return derived(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927"))


def _chacha_poly() -> bytes:
    from unransom.crypto.ciphers.poly1305 import ChaChaPoly  # noqa: PLC0415

    key, nonce = bytes(range(0x80, 0xA0)), bytes.fromhex("070000004041424344454647")
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    sealed = decrypted(ChaChaPoly(key, nonce), text)  # the same as to encrypt
    cipher = ChaChaPoly(key, nonce, aad)
    opened = decrypted(cipher, sealed)
    return sealed[:16] if opened == text and cipher.holds(bytes.fromhex(RFC8439_TAG)) else b""


RFC8439_TAG = "1ae10b594f09e26a7e902ecbd0600691"


def _salsa20() -> bytes:
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415

    return decrypted(Salsa.from_key(b"\x80" + bytes(31), bytes(8)), bytes(64))


def _xsalsa20() -> bytes:
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415

    key = bytes.fromhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
    nonce = bytes.fromhex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
    return decrypted(Salsa.from_key(key, nonce), bytes(32))


def _sosemanuk() -> bytes:
    from unransom.crypto.ciphers.sosemanuk import Sosemanuk  # noqa: PLC0415

    iv = bytes.fromhex("00112233445566778899aabbccddeeff")
    return decrypted(Sosemanuk(bytes.fromhex("a7c083feb7"), iv), bytes(160))


def _hc128() -> bytes:
    from unransom.crypto.ciphers.hc128 import Hc128  # noqa: PLC0415

    return decrypted(Hc128(bytes(16), bytes(16)), bytes(64))


def _rc4() -> bytes:
    from unransom.crypto.ciphers.rc4 import Rc4  # noqa: PLC0415

    return decrypted(Rc4(bytes.fromhex("0102030405")), bytes(16))


def _kcipher2() -> bytes:
    from unransom.crypto.ciphers.kcipher2 import KCipher2  # noqa: PLC0415

    key = bytes.fromhex("0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    return decrypted(KCipher2(key, bytes.fromhex("f0e0d0c0b0a090807060504030201000")), bytes(64))


def _gcm(nonce: bytes) -> bytes:
    """Return the plain text only where the tag holds (McGrew and Viega's test cases 2 and 5)."""
    sealed, tag = GCM[len(nonce)]
    key = bytes(16) if len(nonce) == 12 else bytes.fromhex("feffe9928665731c6d6a8f9467308308")
    aad = b"" if len(nonce) == 12 else bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    cipher = aes.AesGcm(key, nonce, aad)
    plain = decrypted(cipher, bytes.fromhex(sealed))
    return plain if cipher.holds(bytes.fromhex(tag)) else b""


GCM = {  # bytes of the nonce: what is sealed, and its tag
    12: ("0388dace60b6a392f328c2b971b2fe78", "ab6e47d42cec13bdf53a67b21257bddf"),
    8: (
        "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544"
        "d4896b424989b5e1ebac0f07c23f4598",
        "3612d2e79e3b0785561be14aaca2fccb",
    ),
}


def _secp192k1() -> bytes:
    x, y = (number.to_bytes(agreement.SIZE192) for number in agreement.G192)
    return agreement.secp192k1((agreement.N192 - 1).to_bytes(agreement.SIZE192), x + y) or b""


def _sect571k1() -> bytes:
    return agreement.sect571k1(bytes.fromhex(SECT571K1_ORDER_LESS_1), bytes.fromhex(SECT571K1_G)) or b""


SECT571K1_ORDER_LESS_1 = (
    "020000000000000000000000000000000000000000000000000000000000000000000000131850e1f19a63e4"
    "b391a8db917f4138b630d84be5d639381e91deb45cfe778f637c1000"
)
SECT571K1_G = (
    "026eb7a859923fbc82189631f8103fe4ac9ca2970012d5d46024804801841ca44370958493b205e647da304db"
    "4ceb08cbbd1ba39494776fb988b47174dca88c7e2945283a01c8972"
    "0349dc807f4fbf374f4aeade3bca95314dd58cec9f307a54ffc61efc006d8a2c9d4979c0ac44aea74fbebbb9f"
    "772aedcb620b01a7ba7af1b320430c8591984f601cd4c143ef1c7a3"
)


def _xchacha_box() -> bytes:
    """Open the box with libsodium and, without its tag, with our own cipher."""
    key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
    sealed = bytes.fromhex("bd6d179d3e83d43b9576579493c0e939")  # the first bytes of the draft's A.3.1
    return boxes.opened("xchacha20-poly1305", key, nonce, sealed, None) or b""


def _aplib() -> bytes:
    # A literal, a tag of seven literals and the first bit of the end, the other two bits, the end.
    return aplib.decompress(b"u\x01nransom\x80\x00", 64)


def _numbers(vector: Vector) -> bytes:
    """Return outputs of a weak generator as longs."""
    from unransom.crypto.generators.vectors import computed  # noqa: PLC0415

    return b"".join(number.to_bytes(8) for number in computed(vector))


def _seed_search() -> bytes:
    """Search for the seed of a key made and used as Prometheus does."""
    from unransom.crypto.search.seeds import search  # noqa: PLC0415

    parts = (Part("key", 32, Scaled(94, 33), redraw=b'"\\'),)
    recipe = Recipe(generator="dotnet", parts=parts, cipher=Cipher(name="salsa", iv=bytes(range(1, 9))))
    locked = bytes.fromhex("1136fde178e00edfa25e41f9199fefd7")
    hits = search(recipe, range(615_000, 616_000), [Crib(locked=locked, offset=0, plain=PNG)]).hits
    return hits[0].seed.to_bytes(4) + hits[0].key if len(hits) == 1 else b""


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def _answer(name: str, source: str, compute: Callable[[], bytes], answer: str | bytes) -> KnownAnswer:
    return KnownAnswer(name, source, compute, bytes.fromhex(answer) if isinstance(answer, str) else answer)


def _mode(cipher: Callable[[], Decrypts], sealed: str) -> Callable[[], bytes]:
    return lambda: decrypted(cipher(), bytes.fromhex(sealed))


ANSWERS: tuple[KnownAnswer, ...] = (
    _answer(
        "AES-128-CTR",
        "NIST SP 800-38A F.5.2",
        _mode(
            lambda: aes.AesCtr(KEY_128, COUNTER),
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff",
        ),
        PLAIN,
    ),
    _answer("AES-128-CTR, little-endian", "NIST SP 800-38A F.5.2, first block", _ctr_little, PLAIN[:16]),
    _answer(
        "AES-256-CBC",
        "NIST SP 800-38A F.2.6",
        _mode(
            lambda: aes.AesCbc(KEY_256, bytes(range(16))),
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
        ),
        PLAIN,
    ),
    _answer(
        "AES-256-ECB",
        "NIST SP 800-38A F.1.6",
        _mode(
            lambda: aes.AesEcb(KEY_256), "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
        ),
        PLAIN,
    ),
    _answer(
        "AES-256-CFB128",
        "NIST SP 800-38A F.3.18",
        _mode(
            lambda: aes.AesCfb(KEY_256, bytes(range(16))),
            "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b",
        ),
        PLAIN,
    ),
    _answer("AES-128-GCM", "McGrew and Viega, test case 2", lambda: _gcm(bytes(12)), bytes(16)),
    _answer(
        "AES-128-GCM, nonce of 8 bytes",
        "McGrew and Viega, test case 5",
        lambda: _gcm(bytes.fromhex("cafebabefacedbad")),
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
        "49a6b525b16aedf5aa0de657ba637b39",
    ),
    _answer(
        "ChaCha8",
        STROMBERGSON,
        lambda: _chacha(8),
        "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e"
        "984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42",
    ),
    _answer(
        "ChaCha12",
        STROMBERGSON,
        lambda: _chacha(12),
        "9bf49a6a0755f953811fce125f2683d50429c3bb49e074147e0089a52eae155f"
        "0564f879d27ae3c02ce82834acfa8c793a629f2ca0de6919610be82f411326be",
    ),
    _answer(
        "ChaCha20",
        "RFC 8439 A.1, vector 1",
        lambda: _chacha(20, bytes(12)),
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
    ),
    _answer(
        "HChaCha20",
        "draft-irtf-cfrg-xchacha 2.2.1",
        _hchacha,
        "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc",
    ),
    _answer("ChaCha20-Poly1305", "RFC 8439 2.8.2", _chacha_poly, "d31a8d34648e60db7b86afbc53ef7ec2"),
    _answer("XChaCha20", "draft-irtf-cfrg-xchacha A.3.1, first block", _xchacha_box, b"Ladies and Gentl"),
    _answer(
        "Salsa20/20",
        "ECRYPT Stream Cipher Project, Salsa20 256-bit, set 1, vector 0",
        _salsa20,
        "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844"
        "b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117",
    ),
    _answer(
        "XSalsa20",
        "D. J. Bernstein, Cryptography in NaCl, section 8",
        _xsalsa20,
        "eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880",
    ),
    _answer(
        "Sosemanuk",
        "reference implementation, test vector of a 40-bit key",
        _sosemanuk,
        "fe81d2162c9a100d04895c454a77515bbe6a431a935cb90e2221ebb7ef502328"
        "943539492eff6310c871054c2889cc728f82e86b1afff4334b6127a13a155c75"
        "151630bd482eb673ff5db477fa6c53ebe1a4ec38c23c5400c315455d93a2aced"
        "9598604727fa340d5f2a8bd757b77833f74bd2bc049313c80616b4a06268ae35"
        "0db92eec4fa56c171374a67a80c006d0ead048ce7b640f17d3d5a62d1f251c21",
    ),
    _answer(
        "HC-128",
        "ECRYPT Stream Cipher Project, HC-128, set 2, vector 0",
        _hc128,
        "82001573a003fd3b7fd72ffb0eaf63aac62f12deb629dca72785a66268ec758b"
        "1edb36900560898178e0ad009abf1f491330dc1c246e3d6cb264f6900271d59c",
    ),
    _answer("RC4", "RFC 6229, 40-bit key", _rc4, "b2396305f03dc027ccc3524a0a1118a8"),
    _answer(
        "KCipher-2",
        "RFC 7008, second test vector",
        _kcipher2,
        "9fb6b580a6a5e7afd1989dc6a77d5e284efcc8cb7bcfb32bf69297f5dd974ce8"
        "fbd9139c7a71f41a61382c76d3d2f6cad5265037659cf838774121c26f6474f3",
    ),
    _answer(
        "secp192k1",
        "SEC 2 2.2.1: the order less one times G is -G",
        _secp192k1,
        "db4ff10ec057e9ae26b07d0280b7f4341da5d1b1eae06c7d",
    ),
    _answer("sect571k1", "SEC 2 3.8.1: the order less one times G is -G", _sect571k1, SECT571K1_G[:144]),
    _answer("aPLib", "written by hand after the format's description", _aplib, b"unransom"),
    *(
        _answer(
            f"{vector.generator}, seed {vector.seed}",
            vector.source,
            partial(_numbers, vector),
            b"".join(number.to_bytes(8) for number in vector.outputs),
        )
        for vector in VECTORS
    ),
    _answer(
        "seed search, .NET Random with Salsa20",
        "the key that Prometheus-Decryptor by CyCraft finds for seed 615750",
        _seed_search,
        (615750).to_bytes(4) + b"+@[%T-mZSh+E[^^i{W:dpwnhdL4<b8D4",
    ),
)
