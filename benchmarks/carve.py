"""Carving beside PhotoRec, Foremost, Scalpel and tsk_recover: the same image, in one run.

    python benchmarks/carve.py [TREE...] [--size MIB | --files N] [--seed N] [--tools NAME,NAME] [--json FILE]
                               [--on raw,ext4,ntfs,xfs,dfrws2006,dfrws2007] [--rounds N]

Takes sound files of the trees (see ``fetch_corpus.py``; without trees, files that it makes itself), as many
as fill the size (512 MiB; fewer where the trees have no more) or as are asked for, puts them into images, and
lets every tool carve these. Raw: in the seven scenarios of ``tests/makers/raw_image.py``, with files that
are cut off between them. The layouts of the challenges of DFRWS 2006 and 2007 each ``--rounds`` times, see
``carve_challenges.py``. On ext4, NTFS and XFS: as ``tests/makers/locked_disks.py`` leaves a disk after a pass
of a locker; counted are the files of which all bytes are left. Exact: the output has the hash of the file.
Prints recall by scenario and by type, precision, precision by proof, names, and speed: of the whole run, and
without what the tool takes on an image with nothing in it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.carve_challenges import CHALLENGES, layout, level_of

from tests.makers.locked_disks import locked_disk
from tests.makers.office_files import files as made_files
from tests.makers.raw_image import File, RawImage, raw_image
from unransom.catalog.oracle import judge
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

ADOPT = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>: what commands leave behind becomes ours
UNRANSOM = Path(sys.executable).with_name("unransom")
SMALLEST, LARGEST = 4200, 16_000_000  # bytes of a file
SIZE, FILLED = 512, 0.9  # MiB of the image of the published figures, and the share of it that is files
# Types by their share in the image, and the extensions and formats of each.
TYPES = {
    "jpg": (0.15, "jpg jpeg", {"jpeg"}),
    "pdf": (0.12, "pdf", {"pdf"}),
    "png": (0.12, "png", {"png"}),
    "ole2": (0.15, "doc xls ppt msi msg dot", {"ole2"}),
    "ooxml": (0.32, "docx xlsx pptx xlsm pptm docm", {"ooxml"}),
    "zip": (0.06, "zip whl odt ods odp jar epub", {"zip", "ooxml"}),
    "sqlite": (0.02, "sqlite sqlite3 db", {"sqlite"}),
    "gz": (0.03, "gz tgz", {"gzip"}),
    "misc": (0.03, "gif 7z rar xz mp3 wav ogg flac mp4 ttf exe dll bmp webp ico tif avi", set()),
}
SCALPEL = """
jpg y 5000000 \\xff\\xd8\\xff \\xff\\xd9
png y 5000000 \\x89PNG \\x49\\x45\\x4e\\x44\\xae\\x42\\x60\\x82
pdf y 5000000 %PDF %%EOF REVERSE
zip y 5000000 PK\\x03\\x04 PK\\x05\\x06
doc y 1000000 \\xd0\\xcf\\x11\\xe0\\xa1\\xb1
gif y 5000000 GIF8 \\x00\\x3b
"""


class Took(NamedTuple):
    """What a command took: seconds on the wall, and of processors."""

    seconds: float
    processor: float


class Result(NamedTuple):
    """What a tool put out: what it took, for each file its hash and how far it is proven, and names.

    Names are hash and path of each output that has one.
    """

    took: Took
    outputs: list[tuple[str, str]]
    named: set[tuple[str, str]]


class Image(NamedTuple):
    """An image to carve.

    Attributes:
        path: Where it is.
        size: Bytes.
        wanted: By hash, what must come back: scenario, type, and whether it is in fragments.
        known: Hashes of all files that were ever on it.
        paths: Hash and path of what must come back, where it had one.
        filesystem: The image has a file system.
    """

    path: Path
    size: int
    wanted: dict[str, tuple[str, str, bool]]
    known: set[str]
    paths: set[tuple[str, str]]
    filesystem: bool


def filling(size: int, choose: Callable[[int], list[File]]) -> list[File]:
    """Return as many files as fill an image of ``size`` bytes, or all where there are fewer."""
    files, count = choose(200), 200
    while (held := sum(len(each.data) for each in files)) < FILLED * size:
        count = max(count + 100, min(2 * count, int(count * FILLED * size / held)))
        before, files = files, choose(count)
        if len(files) == len(before):
            break
    return files


def chosen(trees: Sequence[Path], count: int, seed: int) -> list[File]:
    """Return sound files of the trees, of the types' shares, in random order."""
    draw = random.Random(seed)
    pools = pools_of(trees)
    files, seen = [], set()
    for name, (share, _, formats) in TYPES.items():
        draw.shuffle(pools[name])
        taken = 0
        for path in pools[name]:
            data = path.read_bytes()
            if taken >= count * share or data in seen or not is_sound(data, path, formats):
                continue
            seen.add(data)
            files.append(File(f"{name}/{path.name}", data))
            taken += 1
    draw.shuffle(files)
    return files


def pools_of(trees: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the files of each type, sorted."""
    types = {extension: name for name, (_, words, _) in TYPES.items() for extension in words.split()}
    pools: dict[str, list[Path]] = {name: [] for name in TYPES}
    for tree in trees:
        for folder, _, names in os.walk(tree):
            for name in names:
                kind, path = types.get(name.rpartition(".")[2].lower()), Path(folder, name)
                if kind and path.is_file() and SMALLEST < path.stat().st_size < LARGEST:
                    pools[kind].append(path)
    return {name: sorted(paths) for name, paths in pools.items()}


def is_sound(data: bytes, path: Path, formats: set[str]) -> bool:
    """Return whether a file is what its name says, and whole."""
    judged = judge(BytesReader(data), os.fsencode(path))
    return judged.validation.grade is Grade.GOOD and (not formats or judged.format in formats)


def outputs_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the hash of every file that a tool left."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in {"report.xml", "audit.txt", "photorec.log", "carved.jsonl"}:
            yield hashlib.sha256(path.read_bytes()).hexdigest(), ""


def timed(command: Sequence[str | Path], folder: Path) -> Took:
    """Run a command, with all processes that it leaves behind; return what that took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    seconds = time.monotonic() - began
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()  # a server of workers ends a moment after the command
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def unransom(image: Image, folder: Path) -> Result:
    """Carve with unransom."""
    took = timed([UNRANSOM, "carve", image.path, "--out", folder / "out"], folder)
    records = [json.loads(line) for line in (folder / "out" / "carved.jsonl").read_text().splitlines()]
    proofs = {each["digests"]["sha256"]: each["proof"] for each in records}
    named = {(each["digests"]["sha256"], b64decode(each["original"]).decode()) for each in records}
    outputs = [(digest, proofs.get(digest, "")) for digest, _ in outputs_of(folder / "out")]
    return Result(took, outputs, named)


def photorec(image: Image, folder: Path) -> Result:
    """Carve with PhotoRec and all types that are on by default; free space only where it knows it."""
    space = "freespace," if image.filesystem and "xfs" not in image.path.name else ""
    script = f"partition_none,options,keep_corrupted_file_no,{space}search"
    took = timed(["photorec", "/d", folder / "out", "/cmd", image.path, script], folder)
    return Result(took, list(outputs_of(folder)), set())


def foremost(image: Image, folder: Path) -> Result:
    """Carve with Foremost and all types."""
    took = timed(["foremost", "-q", "-b", "4096", "-i", image.path, "-o", folder / "out"], folder)
    return Result(took, list(outputs_of(folder)), set())


def scalpel(image: Image, folder: Path) -> Result:
    """Carve with Scalpel and the usual headers and footers."""
    settings = folder / "scalpel.conf"
    settings.write_text(SCALPEL)
    took = timed(["scalpel", "-q", "4096", "-c", settings, "-o", folder / "out", image.path], folder)
    settings.unlink()
    return Result(took, list(outputs_of(folder)), set())


def tsk_recover(image: Image, folder: Path) -> Result:
    """Recover deleted files with The Sleuth Kit, which gives them names."""
    (folder / "out").mkdir()
    took = timed(["tsk_recover", image.path, folder / "out"], folder)
    files = [path for path in (folder / "out").rglob("*") if path.is_file()]
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    named = {(digest, str(path.relative_to(folder / "out"))) for path, digest in digests.items()}
    return Result(took, [(digest, "") for digest in digests.values()], named)


TOOLS: dict[str, Callable[[Image, Path], Result]] = {
    "unransom": unransom,
    "photorec": photorec,
    "foremost": foremost,
    "scalpel": scalpel,
    "tsk_recover": tsk_recover,
}


def raw(files: Sequence[File], seed: int, folder: Path) -> Image:
    """Make the raw image."""
    return placed(raw_image(files, seed), folder)


def challenge(name: str, files: Sequence[File], seed: int, rounds: int, folder: Path) -> Image:
    """Make the image of a challenge."""
    return placed(layout(name, files, seed, rounds), folder)


def placed(made: RawImage, folder: Path) -> Image:
    """Write an image without a file system."""
    path = folder / "raw.img"
    path.write_bytes(made.data)
    there = [each for each in made.placed if each.scenario != "decoy"]
    wanted = {
        each.sha256: (each.scenario, each.name.partition("/")[0], is_broken(each.clusters)) for each in there
    }
    return Image(path, len(made.data), wanted, set(wanted), set(), filesystem=False)


def locked(kind: str, files: Sequence[File], folder: Path) -> Image:
    """Make an image of a file system after a pass of a locker."""
    path = folder / f"{kind}.img"
    originals = locked_disk(path, kind, files)
    intact = [each for each in originals if each.intact]
    wanted = {each.sha256: ("whole", each.path.partition("/")[0], False) for each in intact}
    paths = {(each.sha256, each.path) for each in intact}
    known = {each.sha256 for each in originals}
    return Image(path, path.stat().st_size, wanted, known, paths, filesystem=True)


def counted(image: Image, result: Result, start: Took) -> dict[str, object]:
    """Return the figures of a tool; ``start`` is what it takes on an image with nothing in it."""
    got = {digest for digest, _ in result.outputs}
    back = [each for digest, each in image.wanted.items() if digest in got]
    broken = [each for each in image.wanted.values() if each[2]]
    right = Counter(proof for digest, proof in result.outputs if digest in image.known)
    every = Counter(proof for _, proof in result.outputs)
    wanted, seconds = image.wanted.values(), result.took.seconds
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(result.took.processor, 2),
        "mb_per_second": round(image.size / 1e6 / seconds, 1),
        "start_seconds": round(start.seconds, 2),
        "mb_per_second_running": round(image.size / 1e6 / max(seconds - start.seconds, seconds / 10), 1),
        "outputs": len(result.outputs),
        "files": len(image.wanted),
        "exact": len(back),
        "recall": share(len(back), len(image.wanted)),
        "fragmented": share(sum(each[2] for each in back), len(broken)),
        "named": share(len(image.paths & result.named), len(image.paths)),
        "precision": share(sum(right.values()), len(result.outputs)),
        "precision_by_proof": {proof: f"{right[proof]}/{every[proof]}" for proof in sorted(every) if proof},
        "scenarios": {name: ratio(back, wanted, 0, name) for name in unique(each[0] for each in wanted)},
        "levels": levels(back, wanted),
        "types": {name: ratio(back, wanted, 1, name) for name in unique(each[1] for each in wanted)},
    }


def is_broken(clusters: Sequence[int]) -> bool:
    """Return whether a file lies in more than one piece."""
    return any(after - before != 1 for before, after in pairwise(clusters))


def share(part: int, whole: int) -> float:
    """Return per cent."""
    return round(100 * part / whole, 1) if whole else 0.0


def ratio(back: Iterable[tuple], wanted: Iterable[tuple], field: int, name: str) -> str:
    """Return how many of the files of a scenario or type came back."""
    some, every = (sum(each[field] == name for each in files) for files in (back, wanted))
    return f"{some}/{every}"


def levels(back: Iterable[tuple], wanted: Iterable[tuple]) -> dict[str, str]:
    """Return how many files of each level of a challenge came back."""
    some, every = ([(level_of(each[0]),) for each in files] for files in (back, wanted))
    return {name: ratio(some, every, 0, name) for name in unique(each[0] for each in every) if name}


def unique(names: Iterable[str]) -> list[str]:
    """Return names once each, in their order."""
    return list(dict.fromkeys(names))


def printed(name: str, figures: dict[str, object]) -> None:
    """Print the figures of a tool."""
    print(
        f"{name:<9} {figures['seconds']:>7} s {figures['mb_per_second']:>7} MB/s,"
        f" {figures['mb_per_second_running']} without the {figures['start_seconds']} s of its start"
        f"  processors {figures['processor_seconds']} s"
        f"  {figures['outputs']:>5} outputs"
        f"  exact {figures['exact']}/{figures['files']} = {figures['recall']} %"
        f"  fragmented {figures['fragmented']} %  named {figures['named']} %"
        f"  precision {figures['precision']} %"
    )
    for key in ("precision_by_proof", "scenarios", "levels", "types"):
        if figures[key]:
            print("         ", key, "  ".join(f"{each}: {value}" for each, value in figures[key].items()))


def differing(files: Sequence[File]) -> list[File]:
    """Return files whose names differ."""
    return list({each.name: each for each in files}.values())


def compared(image: Image, tools: Sequence[str], folder: Path) -> dict[str, dict[str, object]]:
    """Let tools carve an image; return and print the figures of each."""
    table, blank = {}, Image(folder / "blank.img", 1 << 20, {}, set(), set(), filesystem=False)
    blank.path.write_bytes(bytes(blank.size))
    for tool in tools:
        if tool != "unransom" and not shutil.which(tool):
            print(f"{tool:<9} is not installed")
            continue
        results = []
        for each in (blank, image):
            place = folder / tool
            place.mkdir()
            results.append(TOOLS[tool](each, place))
            shutil.rmtree(place)
        table[tool] = counted(image, results[1], results[0].took)
        printed(tool, table[tool])
    return table


def main() -> None:
    """Make the image, let the tools carve it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--files", type=int, help="as many files, whatever the size")
    parser.add_argument("--size", type=int, default=SIZE, help="MiB of the image (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--on", default="raw")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    ctypes.CDLL(None).prctl(ADOPT, 1)

    def choose(count: int) -> list[File]:
        return chosen(wanted.trees, count, wanted.seed) if wanted.trees else list(made_files(count))

    files = choose(wanted.files) if wanted.files else filling(wanted.size << 20, choose)
    table = {}
    with tempfile.TemporaryDirectory() as name:
        for kind in wanted.on.split(","):
            place = Path(name, kind)
            place.mkdir()
            if kind == "raw":
                image = raw(files, wanted.seed, place)
            elif kind in CHALLENGES:
                some = files if wanted.trees else ()
                image = challenge(kind, some, wanted.seed, wanted.rounds, place)
            else:
                image = locked(kind, differing(files), place)
            print(f"{kind}: {image.size / 1e6:,.0f} MB, {len(image.wanted)} files", end=", ")
            print(f"load {os.getloadavg()[0]:.1f}")
            table[kind] = compared(image, wanted.tools.split(","), place)
            image.path.unlink()
    if wanted.json:
        wanted.json.write_text(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
