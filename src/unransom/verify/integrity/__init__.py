"""Outputs against tags, structure and manifests of original hashes."""
