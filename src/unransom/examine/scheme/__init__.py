"""What locked files, compared with each other and with originals, tell about how they were locked."""
