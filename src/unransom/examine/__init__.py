"""Find out: what is locked, by which family, since when, how far."""
