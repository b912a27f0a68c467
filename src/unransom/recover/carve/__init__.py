"""Files out of bytes that no file system names any more: whole ones, and fragments put together."""
