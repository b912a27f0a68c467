"""Read-only sources of evidence. Nothing in here can write to evidence."""
