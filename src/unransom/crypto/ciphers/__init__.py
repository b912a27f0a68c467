"""Ciphers as lockers use them: each decrypts a stream from its beginning, into a buffer it is given."""
