"""From a locked file and the keys at hand to its original, proven before it gets its name."""
