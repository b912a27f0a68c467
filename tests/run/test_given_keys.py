"""Key files of the command line: keys that a search found, and all that may look like such a file."""

import pytest

from unransom.core.errors import UsageError
from unransom.core.keys import KeyKind
from unransom.run.given_keys import load_keys


@pytest.mark.parametrize("begin", [b"{", b"{$", b'{"', b'{"\xff', b"{}", b'{"key": 1}'])
def test_a_raw_key_may_begin_like_a_file_of_found_keys(begin, tmp_path):
    raw = begin + bytes(range(128, 160))[len(begin) :]
    (tmp_path / "file.key").write_bytes(raw)
    for given in (tmp_path / "file.key", tmp_path):
        assert [(key.kind, key.data) for key in load_keys([given])] == [(KeyKind.RAW, raw)]


def test_an_empty_file_has_no_key(tmp_path):
    (tmp_path / "file.key").write_bytes(b"")
    with pytest.raises(UsageError):
        load_keys([tmp_path / "file.key"])
