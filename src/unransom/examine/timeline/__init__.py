"""Dated facts: what file systems, journals of changes and the case itself say happened when."""
