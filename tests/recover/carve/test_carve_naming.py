"""Names for carved files: by sizes and what a locker adds to them, by order, and never by a guess."""

import io
import random
import zipfile

import numpy as np
import pytest

from tests.makers.office_files import archive, document, table
from unransom.core.records import FileRef
from unransom.core.streams import BytesReader
from unransom.recover.carve.alignment import aligned
from unransom.recover.carve.candidates import UNKNOWN, Candidate, candidates_of, original_of, with_gone
from unransom.recover.carve.kinds import extension_of, may_be
from unransom.recover.carve.naming import Nameless, match, older

SIZES = random.Random(3).sample(range(5000, 19_000), 40)


def pictures(sizes=SIZES):
    return [Nameless("png", size, 100_000 * number, extension="png") for number, size in enumerate(sizes)]


def locked(sizes, to=lambda size: size):
    return [Candidate(b"a/%d.png" % number, to(size), number, own=False) for number, size in enumerate(sizes)]


@pytest.mark.parametrize(
    "to",
    [lambda size: size, lambda size: size + 528, lambda size: -(-size // 16) * 16 + 40],
    ids=["same", "tail", "blocks"],
)
def test_what_a_locker_adds_is_told_by_the_sizes(to):
    found = match(pictures(), locked(SIZES, to))
    assert {number: each.candidate for number, each in found.items()} == {n: n for n in range(len(SIZES))}
    assert {each.how for each in found.values()} == {"size"}


def test_equal_sizes_are_told_apart_by_their_neighbours():
    sizes = [size if number % 5 else 9999 for number, size in enumerate(SIZES)]
    found = match(pictures(sizes), locked(sizes))
    assert {number: each.candidate for number, each in found.items()} == {n: n for n in range(len(sizes))}
    assert {each.how for number, each in found.items() if number % 5 == 0} == {"order"}


def test_without_order_equal_sizes_stay_without_names():
    sizes = [size if number % 5 else 9999 for number, size in enumerate(SIZES)]
    order = random.Random(1).sample(range(len(sizes)), len(sizes))
    names = [each._replace(order=order[number]) for number, each in enumerate(locked(sizes))]
    found = match(pictures(sizes), names)
    assert set(found) == {number for number in range(len(sizes)) if number % 5}


def test_files_between_two_known_ones_have_the_names_between_theirs_in_order():
    sizes = [SIZES[number] if number % 8 == 0 else 9001 + number % 8 % 3 for number in range(40)]
    files = pictures(sizes)
    gone = {3, 13, 26, 29, 37}  # other files lie in their place
    there = [number for number in range(40) if number not in gone]
    found = match([files[number] for number in there], locked(sizes))
    named = {there[number]: each.candidate for number, each in found.items()}
    assert {number: name for number, name in named.items() if number != name} == {}
    assert set(range(8)) - gone <= set(named)


def test_files_that_lie_backwards_have_the_names_backwards():
    sizes = [SIZES[number] if number % 6 == 0 else 9001 for number in range(37)]
    files = [each._replace(start=10_000_000 - each.start) for each in pictures(sizes)]
    found = match(files, locked(sizes))
    assert {number: each.candidate for number, each in found.items()} == {n: n for n in range(37)}


def test_what_an_alignment_leaves_open_is_not_told():
    fits = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], np.bool_)
    assert list(aligned(fits)) == [(0, 0), (2, 3)]
    assert list(aligned(fits[::-1])) == []
    for shape in ((2, 3), (2, 0)):
        assert list(aligned(np.zeros(shape, np.bool_))) == []


def test_a_type_is_no_other():
    names = [Candidate(b"%d.pdf" % number, size, number, own=False) for number, size in enumerate(SIZES)]
    assert match(pictures(), names) == {}


def test_a_path_that_is_known_counts_and_a_name_finds_its_folder():
    files = [
        Nameless("png", 7, 0, b"a/1.png"),
        Nameless("png", 8, 1, b"2.png"),
        Nameless("png", 9, 2, b"3.png"),
    ]
    found = match(files, locked([70, 80, 90]))
    assert {number: (each.candidate, each.how) for number, each in found.items()} == {
        0: (1, "name"),
        1: (2, "name"),
    }


def test_of_older_versions_the_newest_that_fits_was_locked():
    files = [
        Nameless("png", 6, 0, b"a/1.png", modified=1),
        Nameless("png", 8, 1, b"a/1.png", modified=2),
        Nameless("png", 7, 2, b"a/1.png", modified=3),
        Nameless("png", 90, 3, b"a/1.png", modified=4),
    ]
    names = locked([70, 9])
    found = match(files, names)
    assert {number: each.candidate for number, each in found.items()} == {2: 1}
    assert list(older(files, names, found)) == [0, 1, 3]


def test_a_file_may_end_behind_its_structure():
    files = pictures([*SIZES, 20_000])
    found = match(files, locked([*SIZES, 20_007]), 4096)
    assert (found[40].candidate, found[40].more) == (40, 7)
    assert 40 not in match(files, locked([*SIZES, 20_481]), 4096)  # in another cluster


@pytest.mark.parametrize(("slack", "more"), [(700, 700), (0, 1)], ids=["slack", "padding"])
def test_what_stands_behind_a_structure_tells_where_the_file_ends(slack, more):
    file = Nameless("png", 5000, 0, extension="png", slack=slack)
    names = [Candidate(b"%d.png" % size, size, UNKNOWN, own=False) for size in (5001, 5700, 6000)]
    (found,) = match([file], names, cluster=4096).values()
    assert (names[found.candidate].size, found.more) == (5000 + more, more)


def test_names_of_gaps_have_the_size_of_the_original():
    names = [Candidate(b"b/gone.png", 5000, 0, own=True), *locked(SIZES[1:], lambda size: size + 100)]
    assert match(pictures([5000, *SIZES[1:]]), names)[0].candidate == 0


@pytest.mark.parametrize(
    ("path", "original"),
    [
        (b"a/bill.pdf.locked", b"a/bill.pdf"),
        (b"bill.PDF.id[12-34].[a@b.c].eking", b"bill.PDF"),
        (b"bill.2026.xlsx.INC", b"bill.2026.xlsx"),
        (b"bill.pdf", b""),
        (b"README.locked", b""),
    ],
)
def test_originals_are_read_off_names(path, original):
    assert original_of(path) == original
    every = list(candidates_of([FileRef(source="s", path=path, size=9, modified=3)]))
    assert every == ([Candidate(original, 9, 3, own=False)] if original else [])


def test_office_files_have_the_extension_of_their_parts():
    assert extension_of("ooxml", BytesReader(table(1))) == "xlsx"
    assert extension_of("ole2", BytesReader(document(1))) == "xls"
    assert extension_of("zip", BytesReader(archive(1))) == "zip"
    assert extension_of("", BytesReader(b"")) == "bin"
    assert may_be("xlsx", "xlsm")
    assert not may_be("xlsx", "docx")
    assert may_be("zip", "cbz")


def refs(*paths):
    return [
        FileRef(source="s", path=path, size=100 + number, modified=number)
        for number, path in enumerate(paths)
    ]


def test_what_many_names_end_with_is_what_the_locker_appended():
    paths = [b"%d.pdf" % number for number in range(20)]
    odd = [b"notes.txt.bak", b"a/README", b"b.tar.gz", b"bill.pdf.gz"]
    every = list(candidates_of(refs(*(path + b".locked" for path in (*paths, *odd)), b"other.pdf")))
    assert [each.path for each in every] == [*paths, *odd]


def test_a_name_with_two_extensions_keeps_both():
    assert original_of(b"orders.csv.gz.id-7.[a@b.c].INC") == b"orders.csv.gz"


def test_names_of_gaps_tell_the_size_of_a_locked_copy_and_are_not_given_twice():
    sizes = [size if number % 5 else 9999 for number, size in enumerate(SIZES)]
    names = locked(sizes, lambda size: -(-size // 512) * 512)
    gone = [Candidate(b"a/1.png", sizes[1], 0, own=True), Candidate(b"gone.png", 77, 0, own=True)]
    every = with_gone(names, gone)
    assert [each.path for each in every] == [*(each.path for each in names), b"gone.png"]
    assert every[1].exact == sizes[1]
    assert [each.exact for each in with_gone(names, [gone[0], gone[0]._replace(size=sizes[1] - 1)])][1] == 0


def test_a_presentation_with_a_workbook_in_it_is_a_presentation():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        made.writestr("ppt/embeddings/Sheet1.xlsx", table(1))
        made.writestr("ppt/presentation.xml", "<p/>")
    assert extension_of("ooxml", BytesReader(out.getvalue())) == "pptx"


def test_a_name_without_a_size_goes_to_the_only_file_of_its_type_between_its_neighbours():
    files = [*pictures(), Nameless("pdf", 4321, 100_000 * 7 + 50, extension="pdf")]
    gone = [Candidate(b"bill.pdf", 0, 7, own=True), Candidate(b"other.pdf", 0, 30, own=True)]
    found = match(files, [*locked(SIZES), *gone])
    assert (found[40].candidate, found[40].how) == (40, "order")
    found = match(files, [*locked(SIZES), *gone, Candidate(b"third.pdf", 0, 7, own=True)])
    assert 40 not in found
    found = match(files, [*locked(SIZES), gone[0]._replace(order=UNKNOWN)])
    assert 40 not in found
