"""Which hash of a manifest belongs to which output."""

import pytest

from unransom.case import manifests
from unransom.case.case import Case
from unransom.core.hashing import Digests
from unransom.core.messages import say
from unransom.core.records import Output

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 32


@pytest.fixture
def database(tmp_path):
    with Case(tmp_path / "case", create=True) as case:
        entries = [(b"srv/shop-1/a.png", ONE), (b"srv/shop-2/a.png", TWO), (b"b.png", THREE)]
        manifests.add(case.database, "before.sha256", entries)
        yield case.database


def promised(database, path, md5="", sha256=""):
    digests = Digests(1, md5, sha256, "")
    output = Output(path=path, digests=digests, derived_from=1, method="unlock", why=say("empty"))
    return manifests.expected_digest(database, output)[0]


def test_the_path_decides_between_files_of_one_name(database):
    assert promised(database, b"recovered/fs01/shop-2/a.png") == TWO
    assert promised(database, b"recovered/fs01/volume-1/srv/shop-1/a.png") == ONE


def test_a_bare_name_in_a_manifest_fits_everywhere(database):
    assert promised(database, b"recovered/fs01/deep/er/b.png") == THREE


def test_a_hash_that_agrees_wins_over_paths(database):
    assert promised(database, b"recovered/fs01/a.png", sha256=ONE) == ONE


def test_nothing_is_promised_for_other_names(database):
    assert promised(database, b"recovered/fs01/c.png") == ""
    assert promised(database, b"recovered/fs01/other/a.png") == ""
