"""Makes a disk image without a file system: files in clusters, whole and in fragments, with junk between.

The seven scenarios are those of the carving benchmarks: whole; two fragments with a small gap, with a large
gap, and with another file in the gap; three fragments; two files in turns; fragments in reverse order. And
decoys: files that are cut off, which no carver should give out. The same files and seed give the same bytes.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

CLUSTER = 4096
SCENARIOS = ("whole", "small gap", "large gap", "file inside", "three", "in turns", "reversed")
SHARES = (586, 169, 81, 35, 69, 68, 53)  # of 1061 files


class File(NamedTuple):
    """A file for the image."""

    name: str
    data: bytes


class Placed(NamedTuple):
    """A file in the image: its scenario, "decoy" for one that is cut off, and its clusters in order."""

    name: str
    scenario: str
    size: int
    sha256: str
    clusters: tuple[int, ...]


class RawImage:
    """An image that grows cluster by cluster.

    Attributes:
        data: The image.
        placed: What is in it.
    """

    def __init__(self, seed: int = 0, cluster: int = CLUSTER) -> None:
        """Make an empty image with clusters of ``cluster`` bytes."""
        self.data = bytearray()
        self.placed: list[Placed] = []
        self._cluster = cluster
        self._draw = random.Random(seed)

    def fill(self, least: int, most: int, *, random_only: bool = False) -> None:
        """Append random bytes, zeros or text for some clusters."""
        size = self._draw.randint(least, most) * self._cluster
        kind = 0 if random_only else self._draw.randrange(3)
        if kind == 0:
            self.data += self._draw.randbytes(size)
        elif kind == 1:
            self.data += bytes(size)
        else:
            line = b"%d the quick brown fox jumps over the lazy dog\n" % self._draw.randrange(10**6)
            self.data += (line * (size // len(line) + 1))[:size]

    def draws(self, chances: int) -> bool:
        """Return True once in so many times."""
        return self._draw.randrange(chances) == 0

    def cut(self, clusters: Sequence[bytes], count: int) -> list[list[bytes]]:
        """Return clusters in so many pieces, each of one at least."""
        cuts = sorted(self._draw.sample(range(1, len(clusters)), count - 1))
        return [list(clusters[start:end]) for start, end in pairwise([0, *cuts, len(clusters)])]

    def put(self, pieces: Sequence[bytes]) -> list[int]:
        """Append clusters; return their numbers."""
        first = len(self.data) // self._cluster
        self.data += b"".join(pieces)
        return list(range(first, first + len(pieces)))

    def clusters(self, data: bytes) -> list[bytes]:
        """Return ``data`` in clusters; what is left of the last is zeros or what was there before."""
        slack = -len(data) % self._cluster
        data += bytes(slack) if self._draw.random() < 0.5 else self._draw.randbytes(slack)
        return [data[at : at + self._cluster] for at in range(0, len(data), self._cluster)]

    def note(self, file: File, scenario: str, clusters: Sequence[int]) -> None:
        """Remember where a file is."""
        digest = hashlib.sha256(file.data).hexdigest()
        self.placed.append(Placed(file.name, scenario, len(file.data), digest, tuple(clusters)))

    def whole(self, file: File, scenario: str = "whole") -> None:
        """Place a file in one piece."""
        self.note(file, scenario, self.put(self.clusters(file.data)))

    def decoy(self, file: File) -> None:
        """Place the first half of a file."""
        clusters = self.clusters(file.data)
        self.note(file, "decoy", self.put(clusters[: len(clusters) // 2]))

    def gapped(self, file: File, scenario: str, least: int, most: int) -> None:
        """Place a file in two pieces with junk between them."""
        clusters = self.clusters(file.data)
        cut = self._draw.randint(1, len(clusters) - 1)
        places = self.put(clusters[:cut])
        self.fill(least, most)
        self.note(file, scenario, places + self.put(clusters[cut:]))

    def around(self, file: File, inner: File) -> None:
        """Place a file in two pieces with another one between them."""
        clusters = self.clusters(file.data)
        cut = self._draw.randint(1, len(clusters) - 1)
        places = self.put(clusters[:cut])
        self.whole(inner, "whole")
        self.note(file, "file inside", places + self.put(clusters[cut:]))

    def three(self, file: File) -> None:
        """Place a file in three pieces with junk between them."""
        clusters = self.clusters(file.data)
        first, second = sorted(self._draw.sample(range(1, len(clusters)), 2))
        places = self.put(clusters[:first])
        self.fill(1, 16)
        places += self.put(clusters[first:second])
        self.fill(1, 16)
        self.note(file, "three", places + self.put(clusters[second:]))

    def in_turns(self, one: File, other: File) -> None:
        """Place two files in two pieces each, in turns."""
        left, right = self.clusters(one.data), self.clusters(other.data)
        left_cut, right_cut = (self._draw.randint(1, len(each) - 1) for each in (left, right))
        left_places = self.put(left[:left_cut])
        right_places = self.put(right[:right_cut])
        left_places += self.put(left[left_cut:])
        right_places += self.put(right[right_cut:])
        self.note(one, "in turns", left_places)
        self.note(other, "in turns", right_places)

    def reversed(self, file: File) -> None:
        """Place the second piece of a file in front of the first."""
        clusters = self.clusters(file.data)
        cut = self._draw.randint(1, len(clusters) - 1)
        behind = self.put(clusters[cut:])
        self.fill(1, 16)
        self.note(file, "reversed", self.put(clusters[:cut]) + behind)


def raw_image(
    files: Sequence[File], seed: int = 0, decoys: float = 33 / 1061, shares: Sequence[int] = SHARES
) -> RawImage:
    """Return an image with every file, in scenarios of the given shares, and with so many decoys besides."""
    image = RawImage(seed)
    draw = random.Random(seed + 1)
    image.fill(4, 16)
    queue = iter(files)
    for file in queue:
        if len(file.data) > 3 * CLUSTER and draw.random() < decoys:
            image.decoy(file)
            image.fill(1, 12)
            continue
        scenario = draw.choices(SCENARIOS, shares)[0]
        if len(file.data) <= 2 * CLUSTER:
            scenario = "whole"
        _place(image, scenario, file, queue)
        image.fill(1, 12)
    return image


def _place(image: RawImage, scenario: str, file: File, queue: Iterator[File]) -> None:
    other = next(queue, None) if scenario in {"file inside", "in turns"} else None
    match scenario:
        case "small gap":
            image.gapped(file, scenario, 1, 16)
        case "large gap":
            image.gapped(file, scenario, 17, 256)
        case "file inside" if other:
            image.around(file, other)
        case "three":
            image.three(file)
        case "in turns" if other and len(other.data) > CLUSTER:
            image.in_turns(file, other)
        case "reversed":
            image.reversed(file)
        case _:
            image.whole(file)
            if other:
                image.fill(1, 12)
                image.whole(other)
