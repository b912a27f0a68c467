"""Lays the locked company out as three kinds of evidence: a share, a server's disk image, a bucket's copy."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from unransom.core.errors import UnransomError
from unransom.core.messages import say
from unransom.run.demo.company import PLACES, SERVER, SHARE, Made

IMAGE = f"{SERVER}.img"
ROOM = 24 << 20  # bytes of the image besides its files
ATTACK = 1_772_413_200  # 2026-03-02T01:00:00Z: the first file was locked
EVERY = 23  # seconds from one locked file to the next
BEFORE = 86_400 * 3  # seconds before the attack that a spared file was last changed

Lock = Callable[[bytes], bytes]


def image_maker() -> str | None:
    """Return the path of ``mke2fs``, None where the machine has none."""
    return shutil.which("mke2fs", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Layout:
    """The evidence of the demo in a new folder."""

    def __init__(self, folder: Path, lock: Lock, extension: str, note: tuple[str, bytes]) -> None:
        """Lay it out in ``folder``, which is empty.

        Args:
            folder: Where the evidence goes.
            lock: Gives the locked bytes for those that were made.
            extension: What the name of a locked file gains.
            note: Name and text of the note in every folder.
        """
        self.folder = folder
        self.hashes: dict[str, str] = {}  # SHA-256 of what was locked, by the path it must come back under
        self._lock = lock
        self._extension = extension
        self._note = note
        self._mke2fs = image_maker()

    def write(self, files: Iterable[Made]) -> None:
        """Write ``files``, locked unless they are spared, and the notes."""
        with tempfile.TemporaryDirectory(prefix=".server-", dir=self.folder) as server:
            roots = {place: self.folder / place for place in PLACES}
            roots[SERVER] = Path(server) if self._mke2fs else roots[SHARE] / SERVER
            for made in files:
                self._write(made, roots[made.place])
            for root in {*roots.values()}:
                self._write_notes(root)
            if self._mke2fs:
                self._make_image(self._mke2fs, roots[SERVER])

    def _write(self, made: Made, root: Path) -> None:
        target = root / made.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if made.spared:
            target.write_bytes(made.content)
            changed = ATTACK - BEFORE
        else:
            target = target.with_name(target.name + self._extension)
            target.write_bytes(self._lock(made.content))
            changed = ATTACK + EVERY * len(self.hashes)
            self.hashes[self._comes_back(made)] = hashlib.sha256(made.content).hexdigest()
        os.utime(target, (changed, changed))

    def _comes_back(self, made: Made) -> str:
        """Return the path below ``recovered`` in the case."""
        if made.place != SERVER:
            return f"{made.place}/{made.path}"
        return f"{IMAGE}/{made.path}" if self._mke2fs else f"{SHARE}/{SERVER}/{made.path}"

    def _write_notes(self, root: Path) -> None:
        name, text = self._note
        for folder in {path.parent for path in root.rglob("*" + self._extension)}:
            (folder / name).write_bytes(text)

    def _make_image(self, mke2fs: str, tree: Path) -> None:
        """Make an ext4 image of ``tree``."""
        image = self.folder / IMAGE
        size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) + ROOM
        options = ["-q", "-F", "-t", "ext4", "-L", SERVER, "-d", str(tree), str(image), f"{size >> 10}k"]
        made = subprocess.run([mke2fs, *options], capture_output=True, text=True, check=False)  # noqa: S603
        if made.returncode:
            raise UnransomError(say("mke2fs could not make the disk image"), detail=made.stderr.strip()[:500])


def sources_in(folder: Path) -> tuple[Path, ...]:
    """Return the sources of evidence in ``folder``."""
    return tuple(sorted(path for path in folder.iterdir() if not path.name.startswith(".")))
