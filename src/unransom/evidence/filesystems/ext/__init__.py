"""What ext2, ext3 and ext4 still know of files that were deleted: old copies of inodes and folders."""
