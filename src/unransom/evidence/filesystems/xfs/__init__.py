"""XFS, versions 4 and 5, read by unransom itself: The Sleuth Kit does not know it."""
