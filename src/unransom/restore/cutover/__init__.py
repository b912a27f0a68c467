"""Asks a company's systems whether they work: declared probes, verdicts, time to recovery."""
