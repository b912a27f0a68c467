"""Put back: what was recovered or proven goes to where it works, planned first, and can be undone."""
