"""Words that everyone shares: errors, records, spans, streams, hashing, text, clock, progress, stats."""
