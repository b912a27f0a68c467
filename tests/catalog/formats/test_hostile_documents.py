"""Documents that repeat what a parser looks for end soon."""

from __future__ import annotations

import gzip as gz

import pytest

from tests.catalog.formats.test_format_contract import check
from tests.catalog.formats.test_zip import make_zip
from unransom.catalog.formats import gzip, pdf
from unransom.catalog.formats import zip as archives


@pytest.mark.timeout(60)
def test_hostile_repetitions_end_soon():
    size = 1 << 19
    repeated = {
        archives: [b"PK\3\4" + bytes(26), b"PK\5\6" + bytes(18), make_zip(members=1)[:40]],
        pdf: [
            b"1 0 obj\n",
            b"1 0 obj<</Length 9>>stream\n",
            b"(((",
            b"%",
            b"9 9 obj endobj xref trailer startxref ",
        ],
        gzip: [gz.compress(b"")[:10] + b"\0\0\0\xff\xff", gz.compress(b"")],
    }
    for module, units in repeated.items():
        for unit in units:
            check(module.FORMAT, unit * (size // len(unit)))
