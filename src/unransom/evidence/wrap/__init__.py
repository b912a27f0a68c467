"""Readers and stores around other ones, with the same interface."""
