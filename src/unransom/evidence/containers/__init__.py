"""How a disk is wrapped into files."""
