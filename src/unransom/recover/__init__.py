"""Get it back: find keys, unlock, carve, repair."""
