"""A Merkle tree as in RFC 6962: one hash over any number of entries, by which each can be proven."""

from __future__ import annotations

import hashlib

LEAF, NODE = b"\0", b"\1"  # prefixes, so that a node is never taken for a leaf


class Tree:
    """A tree that grows at its end; the root is to be had after every leaf.

    It keeps the roots of the whole subtrees only: one for each bit that is set in the number of leaves.
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # largest first

    def append(self, leaf: bytes) -> None:
        """Add a leaf."""
        node = hashlib.sha256(LEAF + leaf).digest()
        grown = self.size
        while grown & 1:
            node = hashlib.sha256(NODE + self._peaks.pop() + node).digest()
            grown >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> str:
        """Return the root in hexadecimal; the SHA-256 of nothing where there is no leaf."""
        if not self._peaks:
            return hashlib.sha256().hexdigest()
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = hashlib.sha256(NODE + peak + node).digest()
        return node.hex()
