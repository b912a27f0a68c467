"""Arrays of several disks: put together from the images of their members, which lie beside each other."""
