"""What carving learns of the files that are there, on the disk and in folders of known ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from unransom.core.outputs import FileReader
from unransom.core.records import FileRef, Kind
from unransom.recover.carve.candidates import endings, original_of
from unransom.recover.carve.known import NONE, Learnt, all_clusters, is_saved, save
from unransom.recover.carve.records import Acquainted
from unransom.run.hash_sets import files_below
from unransom.run.work import PartOfCarving

LARGEST = 256 << 20  # bytes of a file: larger ones may hold others, as shadow copies and virtual disks do
MOST = 1 << 25  # clusters, whose hashes take 256 MiB
TOGETHER_FILES, TOGETHER_BYTES = 256, 64 << 20  # of one task


class There(NamedTuple):
    """What is there besides what is searched.

    Attributes:
        listed: All files of the disk, as far as carving is to know them.
        folders: Folders of known files; other paths are passed over.
        cluster: Bytes of a cluster.
        searched: Bytes that are searched.
    """

    listed: Sequence[FileRef]
    folders: Sequence[Path]
    cluster: int
    searched: int


def learn(
    there: There, folder: Path, perform: Callable[[str, Iterable[PartOfCarving]], Iterable[object]]
) -> str:
    """Store the hashes of clusters of files that are there, unless that was done; return where.

    Args:
        there: The files.
        folder: Where the hashes are stored.
        perform: Performs a turn of the step on items.

    Returns:
        The folder, "" where there are no files.
    """
    if not there.listed and not any(path.is_dir() for path in there.folders):
        return ""
    if not is_saved(folder, there.cluster):
        items = acquainted(there.listed, there.cluster, there.searched)
        learnt = [each for each in perform("acquaint", items) if isinstance(each, Learnt)]
        save([*learnt, *in_folders(there.folders, there.cluster)], folder, there.cluster)
    return str(folder)


def acquainted(listed: Iterable[FileRef], cluster: int, searched: int) -> Iterator[Acquainted]:
    """Yield files that are there, a task's worth at a time; no more of them than is searched.

    Args:
        listed: All files of the disk.
        cluster: Bytes of a cluster.
        searched: Bytes that are searched.
    """
    there = [ref for ref in listed if not ref.deleted and ref.kind is Kind.FILE]
    common = endings(ref.path for ref in there)
    left = min(searched, MOST * cluster)
    some: list[FileRef] = []
    for ref in (each for each in there if cluster <= each.size <= LARGEST):
        left -= ref.size
        if left < 0:
            break
        some.append(ref)
        if len(some) == TOGETHER_FILES or sum(each.size for each in some) >= TOGETHER_BYTES:
            yield _task(some, common, cluster)
            some = []
    if some:
        yield _task(some, common, cluster)


def _task(files: Sequence[FileRef], common: frozenset[bytes], cluster: int) -> Acquainted:
    locked = tuple(bool(each.original or original_of(each.path, common)) for each in files)
    return Acquainted(files=tuple(files), locked=locked, cluster=cluster)


def in_folders(paths: Iterable[Path], cluster: int) -> Iterator[Learnt]:
    """Yield what is learnt of the files in folders of known ones, of so many as `MOST` allows."""
    left = MOST * cluster
    for path in files_below(paths):
        with FileReader(path) as reader:
            if cluster <= reader.size <= min(LARGEST, left):
                left -= reader.size
                yield Learnt(known=all_clusters(reader, cluster), locked=NONE, heads=NONE)
