"""How a disk is cut into volumes."""
