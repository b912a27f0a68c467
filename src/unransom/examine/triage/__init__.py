"""Intact, locked or unknown, with the reason; metadata first, content only where needed."""
