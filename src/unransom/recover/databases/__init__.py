"""Recover databases: every row that is still there, into files that other programs open."""
