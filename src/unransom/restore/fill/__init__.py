"""Fills missing rows into a company's database: a plan to approve, an idempotent load, an undo."""
