"""How a volume is named: its files, live and deleted, and where their bytes are."""
