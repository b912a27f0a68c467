"""Generators for many seeds at once: rows of outputs, a lane for each seed, which LLVM turns into vectors."""
