"""The layouts of the carving challenges of DFRWS 2006 and 2007 for ``carve.py``, with files made here.

Films and sounds are made with ffmpeg, where that is installed; pictures, documents and archives by the makers
of the tests, or taken from trees; programs are those of this machine. Scenarios of other kinds are left out.
"""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.makers.challenges import DFRWS_2006, DFRWS_2007, Scenario, challenge_image
from tests.makers.office_files import files as made_files
from tests.makers.raw_image import File, RawImage
from unransom.run.demo.documents import letter

CHALLENGES: dict[str, Sequence[Scenario]] = {"dfrws2006": DFRWS_2006, "dfrws2007": DFRWS_2007}
LEVELS = {  # of 2007: the scenarios of each
    "whole": {str(number) for number in range(1, 14)},
    "in order": {*(str(number) for number in range(14, 38)), "89"},
    "out of order": {str(number) for number in range(38, 58)},
    "beside files with missing pieces": {str(number) for number in range(58, 89)},
}
CODECS = {  # how ffmpeg makes a film or sound of a kind
    "mp3": ("-vn", "-c:a", "libmp3lame", "-b:a", "128k"),
    "mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
    "mov": ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
    "avi": ("-c:v", "mjpeg", "-q:v", "6", "-c:a", "pcm_s16le"),
    "flv": ("-c:v", "flv1", "-c:a", "libmp3lame", "-ar", "44100"),
    "mpg": ("-c:v", "mpeg1video", "-c:a", "mp2"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
}
SMALLEST, LARGEST = 20_000, 400_000  # bytes of a program


def layout(name: str, files: Iterable[File], seed: int, rounds: int) -> RawImage:
    """Return the image of a challenge, each scenario ``rounds`` times.

    Args:
        name: Of `CHALLENGES`.
        files: Pictures, documents and archives, named ``TYPE/NAME``; none to make them here.
        seed: Of what is drawn.
        rounds: How often each scenario is placed.
    """
    given = list(files) or list(made_files(8 * 40 * rounds))
    by_type: dict[str, list[File]] = {}
    for each in given:
        by_type.setdefault(each.name.partition("/")[0], []).append(each)
    kinds = {word for each in CHALLENGES[name] for word in each.kinds.split()}
    with tempfile.TemporaryDirectory() as folder:
        pools: Mapping[str, Iterator[File]] = {
            "jpg": iter(by_type.get("jpg", [])),
            "pdf": iter(by_type.get("pdf", [])),
            "office": iter(by_type.get("ole2", [])),
            "zip": itertools.chain(by_type.get("zip", []), by_type.get("ooxml", [])),
            "html": _pages(seed),
            "mbox": _mails(seed),
            "exec": _programs(seed),
            "scrap": itertools.cycle(made_files(16)),
            **{kind: _media(kind, seed, Path(folder)) for kind in CODECS if kind in kinds},
        }
        return challenge_image(CHALLENGES[name], pools, seed, rounds)


def _pages(seed: int) -> Iterator[File]:
    for number in itertools.count(seed * 1000):
        text = letter(f"Page {number}", 300).decode()
        head = f"<!DOCTYPE html>\n<html><head><title>{number}</title></head>\n"
        page = f"{head}<body><pre>{text}</pre></body></html>\n"
        yield File(f"html/{number}.html", page.encode())


def _mails(seed: int) -> Iterator[File]:
    for number in itertools.count(seed * 1000):
        lines = (
            f"From shop@example.com Mon Mar  2 08:00:{each:02} 2026\nSubject: {number}-{each}\n\n"
            f"{letter(f'Order {number}.{each}', 40).decode()}\n"
            for each in range(12)
        )
        yield File(f"mbox/{number}.mbox", "".join(lines).encode())


def _programs(seed: int) -> Iterator[File]:
    paths = [path for path in sorted(Path("/usr/bin").iterdir()) if path.is_file() and not path.is_symlink()]
    random.Random(seed).shuffle(paths)
    for path in paths:
        if SMALLEST < path.stat().st_size < LARGEST and (data := path.read_bytes()).startswith(b"\x7fELF"):
            yield File(f"exec/{path.name}", data)


def _media(kind: str, seed: int, folder: Path) -> Iterator[File]:
    """Yield films or sounds of a kind, all different; none without ffmpeg."""
    program = shutil.which("ffmpeg")
    for number in itertools.count(seed * 1000) if program else ():
        path = folder / f"{number}.{kind}"
        seconds = 4 + number % 5
        picture = f"testsrc2=size=320x240:rate=25:duration={seconds},noise=alls={5 + number % 20}:allf=t"
        sound = f"sine=frequency={200 + number % 700}:duration={seconds}:beep_factor=4"
        sources = f"-f lavfi -i {picture} -f lavfi -i {sound}"
        command = [
            str(program),
            "-v",
            "error",
            "-threads",
            "1",
            *sources.split(),
            *CODECS[kind],
            "-y",
            str(path),
        ]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        yield File(f"{kind}/{number}.{kind}", path.read_bytes())
        path.unlink()


def level_of(scenario: str) -> str:
    """Return the level of a scenario of 2007; "" for one of 2006."""
    return next((name for name, numbers in LEVELS.items() if scenario in numbers), "")
