"""Database engines on disk: pages, records and dictionaries, read from whatever is left of a file."""
