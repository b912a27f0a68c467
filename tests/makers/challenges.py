"""The fragment layouts of the carving challenges of DFRWS 2006 and 2007, with files of the caller's own.

Source: "DFRWS 2006 Forensics Challenge File Image Layout" and "DFRWS 2007 File Image Layout", the lists of
scenarios and the order of fragments in the images. Sizes of fragments and of what lies between are drawn:
pieces end at sectors of 512 bytes, and between them lie random bytes, text, or small pieces of other files.

A layout is a row of words: ``A2`` the second piece of the first file, ``A1/3`` the first of three where the
last is nowhere, ``~`` anything between, ``random``, ``text``, ``unicode`` that; ``ffd8`` and ``ffd9`` a
sector that begins so; the name of a kind a whole other file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.makers.raw_image import File, RawImage

SECTOR = 512
BETWEEN = 600  # sectors between two pieces at most
WORDS = ("~", "random", "text", "unicode", "ffd8", "ffd9")


class Scenario(NamedTuple):
    """A scenario: its name in the challenge, the kinds of its files in order, and its layout."""

    name: str
    kinds: str
    layout: str


def _scenarios(kinds: str, *rows: tuple[str, str]) -> tuple[Scenario, ...]:
    return tuple(Scenario(name, kinds, layout) for name, layout in rows)


DFRWS_2006 = (
    *_scenarios("html", ("1a", "A1"), ("1b", "A1 jpg A2"), ("1c", "A1 unicode A2"), ("1d", "A1 B1 A2 B2")),
    *_scenarios("office", ("2a", "A1"), ("2b", "A1 random A2 random A3"), ("2c", "A1 random A2")),
    *_scenarios("office", ("2d", "A1 jpg A2"), ("2e", "A1 text A2")),
    *_scenarios("jpg", ("3a", "A1"), ("3b", "A1"), ("3c", "ffd8 A1"), ("3d", "A1 text A2")),
    *_scenarios("jpg", ("3e", "A1 office A2"), ("3f", "A1 random A2"), ("3g", "A1 jpg A2")),
    *_scenarios("jpg", ("3h", "A1 B1 A2 B2"), ("3i", "A1"), ("3j", "A1 ffd9 A2")),
    *_scenarios("zip", ("4a", "A1"), ("4b", "A1 html A2"), ("4c", "A1 random A2")),
)
_WHOLE = ("office", "jpg", "zip", "mp3", "mp4", "avi", "mov", "flv", "mbox", "exec", "pdf", "mpg", "wmv")
_TWO, _TURNS, _SWAPPED, _NO_END = "A1 ~ A2", "A1 B1 A2 B2", "A2 A1", "A1/2"
_NO_MIDDLE, _NO_LAST, _FIRST_CUT = "A1 ~ A3", "A1 ~ A2/3", "A1/2 B1 ~ B2"
DFRWS_2007 = (
    *(Scenario(str(number), kind, "A1") for number, kind in enumerate(_WHOLE, start=1)),
    *_scenarios("office", ("14", _TWO), ("43", _SWAPPED), ("44", "A2 A1 A3"), ("58", _NO_END)),
    *_scenarios("office", ("59", _NO_MIDDLE)),
    *_scenarios("jpg", ("15", _TWO), ("16", "A1 B1 A2 B2 C1 B3 C2"), ("17", "A1 B1 C1 A2 D1 B2 C2 D2")),
    *_scenarios("jpg", ("38", _SWAPPED), ("39", "A3 A1 A2"), ("40", "A3 A2 A1"), ("41", "A1 A3 A2")),
    *_scenarios("jpg", ("42", "A1 A3 A2 A4"), ("60", _NO_END), ("61", "A1 A3"), ("62", _NO_LAST)),
    *_scenarios("jpg", ("63", "A3 A1")),
    *_scenarios("zip", ("18", _SWAPPED)),
    *_scenarios("mp3", ("19", _TWO), ("20", _TURNS), ("21", "A1 B1 C1 A2 D1 B2 D2 C2 D3")),
    *_scenarios("mp3", ("48", _SWAPPED), ("49", "A1 A3 A2"), ("50", "A2 B2 A1 B1"), ("64", _NO_END)),
    *_scenarios("mp3", ("65", _NO_LAST), ("66", "A1 A3"), ("67", "A2/3 A1"), ("68", "A1 B1/2 A2")),
    *_scenarios("mp3", ("69", "A1/2 B2"), ("70", "A1/2 ~ B2"), ("71", "A1/2 B2 B1"), ("72", "A1 B2 A2")),
    *_scenarios("mp4", ("22", _TWO), ("23", _TURNS), ("73", _NO_END), ("87", _FIRST_CUT)),
    *_scenarios("avi", ("24", _TWO)),
    *_scenarios("mov", ("25", _TWO), ("26", "A1 B1 A2 B2 C1 B3 C2"), ("55", _SWAPPED), ("74", _NO_END)),
    *_scenarios("flv", ("27", _TWO)),
    *_scenarios("mbox", ("28", "A1 mbox A2"), ("29", _TURNS), ("30", "A1 B1 C1 A2 C2 B2 C3")),
    *_scenarios("mbox", ("45", _SWAPPED), ("46", "A3 A2 A1"), ("47", "A1 A3 A2"), ("75", _NO_END)),
    *_scenarios("exec", ("31", _TWO), ("32", _TURNS), ("56", _SWAPPED), ("57", "A2 A1 A3")),
    *_scenarios("exec", ("76", _NO_END), ("86", _FIRST_CUT)),
    *_scenarios("pdf", ("33", _TWO), ("34", _TURNS), ("51", _SWAPPED), ("52", "A2 A3 A1")),
    *_scenarios("pdf", ("77", _NO_END), ("78", _NO_MIDDLE), ("79", _NO_LAST), ("80", "A2/3 A1")),
    *_scenarios("pdf", ("85", _FIRST_CUT), ("89", "A1 mbox A2")),
    *_scenarios("mpg", ("35", _TWO), ("36", _TURNS), ("53", _SWAPPED), ("54", "A3 A2 A1")),
    *_scenarios("mpg", ("81", _NO_END), ("82", _NO_LAST), ("83", _NO_MIDDLE), ("84", _FIRST_CUT)),
    *_scenarios("wmv", ("37", _TWO)),
    Scenario("88", "mp4 mov", "A1/2 B2"),
)


class Layouts:
    """Places scenarios in an image.

    Attributes:
        image: The image; scenario "decoy" are files of which a part is nowhere.
    """

    def __init__(self, pools: Mapping[str, Iterator[File]], seed: int = 0) -> None:
        """Take files of each kind from ``pools``."""
        self.image = RawImage(seed, SECTOR)
        self._pools = pools

    def place(self, scenario: Scenario) -> bool:
        """Place a scenario; return False where files of its kinds have run out."""
        words = scenario.layout.split()
        letters = sorted({word[0] for word in words if word[0] in "ABCD"})
        kinds = scenario.kinds.split()
        files = {
            letter: self._next(kinds[min(index, len(kinds) - 1)]) for index, letter in enumerate(letters)
        }
        inside = {word: self._next(word) for word in words if word[0] not in "ABCD" and word not in WORDS}
        if None in files.values() or None in inside.values():
            return False
        self.image.fill(1, BETWEEN, random_only=True)
        self._lay(scenario.name, words, files | inside)
        return True

    def _next(self, kind: str) -> File | None:
        return next(self._pools.get(kind, iter(())), None)

    def _lay(self, name: str, words: Sequence[str], files: dict[str, File]) -> None:
        counts = {letter: _pieces(words, letter) for letter in files if len(letter) == 1}
        pieces = {
            letter: self.image.cut(self.image.clusters(files[letter].data), count)
            for letter, count in counts.items()
        }
        places: dict[str, dict[int, list[int]]] = {letter: {} for letter in counts}
        for word in words:
            if word[0] in counts:
                number = int(word[1:].partition("/")[0]) - 1
                places[word[0]][number] = self.image.put(pieces[word[0]][number])
            elif word in WORDS:
                self._between(word)
            else:
                self.image.whole(files[word], name)
        for letter, found in places.items():
            whole = len(found) == counts[letter]
            clusters = [each for number in sorted(found) for each in found[number]]
            self.image.note(files[letter], name if whole else "decoy", clusters)

    def _between(self, word: str) -> None:
        match word:
            case "random":
                self.image.fill(1, BETWEEN // 8, random_only=True)
            case "text":
                self.image.put(
                    [b"what lies between them is text, and more of it\r\n".ljust(SECTOR, b".")] * 40
                )
            case "unicode":
                self.image.put(
                    ["was dazwischen liegt, ist Text\n".encode("utf-16-le").ljust(SECTOR, b" ")] * 40
                )
            case "ffd8" | "ffd9":
                self.image.put([bytes.fromhex(word).ljust(SECTOR, b"\0")])
            case _:
                self._scraps()

    def _scraps(self) -> None:
        """Put random bytes, or some sectors out of the middle of a file."""
        file = self._next("scrap")
        if file is None or self.image.draws(2):
            self.image.fill(1, BETWEEN // 2, random_only=True)
            return
        sectors = self.image.clusters(file.data)
        self.image.put(sectors[len(sectors) // 3 :][: BETWEEN // 2])


def _pieces(words: Sequence[str], letter: str) -> int:
    """Return how many pieces a file has, those that are nowhere included."""
    stated = [word[1:].split("/") for word in words if word[0] == letter]
    return max(int(number) for row in stated for number in row)


def challenge_image(
    scenarios: Sequence[Scenario], pools: Mapping[str, Iterator[File]], seed: int = 0, rounds: int = 1
) -> RawImage:
    """Return an image with every scenario ``rounds`` times, save those of whose kinds there are no files."""
    layouts = Layouts(pools, seed)
    for _ in range(rounds):
        for scenario in scenarios:
            layouts.place(scenario)
    layouts.image.fill(1, BETWEEN, random_only=True)
    return layouts.image
