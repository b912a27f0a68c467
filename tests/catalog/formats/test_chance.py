"""No format claims more bits of random bytes than chance allows: 2**-b of them may show b."""

import numpy as np
import pytest

from unransom.catalog.formats import FORMATS
from unransom.catalog.formats.format import HEAD

LUCK = 4  # heads more than twice those expected that are no sign of anything


def claims(form, heads):
    return sorted(filter(None, map(form.recognise, heads)))


def excess(claimed, count, given=0):
    """Return the first number of bits that is claimed too often, None where chance explains all."""
    for index, bits in enumerate(claimed):
        if bits > given and len(claimed) - index > LUCK + 2 * count * 2.0 ** (given - bits):
            return bits
    return None


@pytest.mark.parametrize(("size", "count"), [(16, 2000), (24, 2000), (32, 4000), (64, 4000), (4096, 1500)])
def test_random_heads_show_no_format_more_often_than_by_chance(size, count):
    draw = np.random.default_rng(20261122 + size)
    heads = [draw.bytes(size) for _ in range(count)]
    over = {form.name: excess(claims(form, heads), count) for form in FORMATS}
    assert {name: bits for name, bits in over.items() if bits} == {}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_what_stands_behind_a_signature_counts_as_often_as_chance_has_it(form):
    draw, count = np.random.default_rng(20261122), 60
    begins = {known.data for known in form.known if not known.offset and len(known.data) <= 32}
    for begin in {data[:size] for data in begins for size in range(2, len(data) + 1)}:
        heads = [begin + draw.bytes(512 - len(begin)) for _ in range(count)]
        assert excess(claims(form, heads), count, 8 * len(begin)) is None, begin


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit", [b"a", b"a b ", b" ", b"\n", b"\r", b",", b'"', b"<", b"{", b"\0", b"\xe4\xb8"]
)
def test_a_head_of_one_thing_takes_no_format_long(unit):
    head = (unit * HEAD)[:HEAD]
    for form in FORMATS:
        for each in [head, bytes(HEAD)] * 3000:  # two, for some keep what they found in the last one
            form.recognise(each)
