"""Where the bytes are: one file per kind of store, each with ``open_store(source) -> Store``."""
