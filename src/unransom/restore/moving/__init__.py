"""Moves recovered files back in batches: a plan to approve, checked moves, an undo that leaves no trace."""
