"""Pure functions on bytes: ciphers as lockers use them, key files, key wraps."""
