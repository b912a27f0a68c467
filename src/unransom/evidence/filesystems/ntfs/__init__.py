"""What NTFS still knows of files that were deleted: free records, names in gaps of folders and in the log."""
