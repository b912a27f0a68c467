"""Searches for keys: bounded, pure, as fast as the machine goes."""
