"""Copies evidence in: resumable, hashed while it is copied, verified after."""
