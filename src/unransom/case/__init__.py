"""The case: one folder with everything that is known, and the chain that shows how it came to be known."""
