"""The parts of carving that must be fast, each on one core: the scan, and the validators of JPEG and ZIP.

    python benchmarks/carve_parts.py [TREE...] [--rounds N]

Demanded are 2 GB/s for the scan, 150 MB/s for JPEG and 500 MB/s of what comes out for ZIP and OOXML. Files
of the trees are taken, or made ones where there are none. Counted is the time of the processor in the best of
the rounds.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.carve import chosen

from tests.makers.office_files import files as made_files
from tests.makers.raw_image import raw_image
from unransom.catalog.formats import jpeg, ooxml
from unransom.catalog.formats import zip as archives
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.carve.scan import scan
from unransom.recover.carve.space import Space

DEMANDED = {"scan": 2000.0, "jpeg": 150.0, "zip and ooxml": 500.0}  # MB/s


def rate(size: int, work: Callable[[], object], rounds: int) -> float:
    """Return MB/s of ``work`` on ``size`` bytes."""
    work()  # compiles, and fills the caches
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return size / 1e6 / best


def validated(validate: Callable[[BytesReader], object], contents: Sequence[bytes]) -> Callable[[], object]:
    """Return what validates all of ``contents``."""
    return lambda: [validate(BytesReader(each)) for each in contents]


def unpacked(content: bytes) -> int:
    """Return the bytes of the members of an archive."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return sum(each.file_size for each in archive.infolist())


def main() -> None:
    """Measure each part and print it beside what is demanded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    files = chosen(wanted.trees, wanted.files, 1) if wanted.trees else list(made_files(wanted.files))
    random.Random(1).shuffle(files)
    image = raw_image(files, 1).data
    kinds = {
        form.name: [each.data for each in files if form.recognise(each.data[:4096])]
        for form in (jpeg.FORMAT, ooxml.FORMAT, archives.FORMAT)
    }
    packed = [(ooxml.validate, each) for each in kinds["ooxml"]]
    packed += [(archives.validate, each) for each in kinds["zip"] if each not in kinds["ooxml"]]
    space = Space(BytesReader(image))
    rates = {
        "scan": rate(len(image), lambda: scan(space, Span(0, len(image)), 4096), wanted.rounds),
        "jpeg": rate(sum(map(len, kinds["jpeg"])), validated(jpeg.validate, kinds["jpeg"]), wanted.rounds),
        "zip and ooxml": rate(
            sum(unpacked(each) for _, each in packed),
            lambda: [validate(BytesReader(each)) for validate, each in packed],
            wanted.rounds,
        ),
    }
    for name, found in rates.items():
        print(f"{name:<14} {found:>8,.0f} MB/s, demanded {DEMANDED[name]:,.0f}")


if __name__ == "__main__":
    main()
