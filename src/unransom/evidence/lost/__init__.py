"""Virtual disks whose tables of blocks are lost: their blocks are put back where their content belongs."""
