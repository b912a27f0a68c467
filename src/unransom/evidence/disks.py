"""Opens the disk in an image, also where its head is lost together with its tables."""

from __future__ import annotations

from unransom.evidence import containers
from unransom.evidence.containers import Disk
from unransom.evidence.lost.tables import open_lost


def open_disk(path: bytes) -> Disk:
    """Open the disk in the image whose first file is at ``path``.

    Raises:
        OSError: It is not there, or makes no sense.
        UnsupportedImageError: It is encrypted, or of a kind that cannot be read.
        UnreadableError: It cannot be read.
    """
    return containers.open_disk(path, open_lost)
