"""Logical images: folders and buckets in one file that is an image of ours and, unpacked, a tar archive."""
