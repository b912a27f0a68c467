"""What unransom knows, one small file per thing. Pure functions on readers; no I/O of its own."""
