"""Copies intact files, for those who want the whole tree in one place."""
