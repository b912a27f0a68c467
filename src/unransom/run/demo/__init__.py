"""A small made company, locked in memory, written to a new place, recovered and compared."""
