"""What Hive 6 and Hunters share: ciphers that take turns of 512 bytes, and a marker in the head."""

from Cryptodome.Cipher import ChaCha20

TURN = 512


class Turns:
    """The ciphers of one file; a stretch begins with the cipher after the last one that was used."""

    def __init__(self, ciphers: list) -> None:
        self._ciphers = ciphers
        self._turn = 0

    def encrypt(self, data: bytes) -> bytes:
        """Return one stretch encrypted."""
        out = []
        for start in range(0, len(data), TURN):
            out.append(self._ciphers[self._turn % len(self._ciphers)].encrypt(data[start : start + TURN]))
            self._turn += 1
        return b"".join(out)


def nine(secrets: bytes) -> Turns:
    """Return nine XChaCha20 ciphers, each of 32 bytes of key and 24 of nonce."""
    return Turns(
        [
            ChaCha20.new(key=secrets[at : at + 32], nonce=secrets[at + 32 : at + 56])
            for at in range(0, 9 * 56, 56)
        ]
    )
