"""Volume shadow copies of NTFS: what a volume was at earlier times, kept on the volume itself."""
