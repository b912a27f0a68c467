"""Checks that the business declares: production orders, stock and plans against each other."""
