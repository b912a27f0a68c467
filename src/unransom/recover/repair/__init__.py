"""Rebuild damaged and partly locked files so that they open in their usual programs."""
