"""What noise in the place of decrypted bytes would prove as well, the key does not."""

import pytest

from tests.catalog.formats.samples import SAMPLES, made
from tests.lockers import drawn
from unransom.catalog.control import Blind, bits_beside_known, bits_of_key
from unransom.catalog.formats import FORMATS
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.family import PROVEN
from unransom.core.records import Grade
from unransom.core.spans import ByteMap, Origin
from unransom.core.streams import BytesReader


def owed(data, origins):
    """Return what the judge says about ``data``, and how many bits of it are due to the key."""
    judgement = judge(BytesReader(data))
    return judgement.validation, bits_of_key(BytesReader(data), origins, judgement)


def decrypted(size, *spans):
    """Return a map of ``size`` bytes that were plain but for ``spans``."""
    origins = ByteMap()
    for start, end in spans:
        origins.append(start - origins.size, Origin.PLAIN)
        origins.append(end - start, Origin.UNLOCKED)
    origins.append(size - origins.size, Origin.PLAIN)
    return origins


def areas(size):
    """Yield spans that lockers leave the head of a file plain with: the rest, one area, and several."""
    head = min(4096, size // 2)
    yield ((head, size),)
    yield ((size // 2 - size // 2 % 16, size // 2 + size // 4),)
    step = max(size // 8, 32)
    yield tuple((start, min(start + step // 2, size)) for start in range(head, size, step))


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_wrong_key_is_proven_in_no_format_that_lockers_leave_the_head_of(name):
    data = made(name)
    for number, spans in enumerate(areas(len(data))):
        noisy = bytearray(data)
        for start, end in spans:
            noisy[start:end] = drawn(f"{name} {number} {start}", end - start)
        validation, bits = owed(bytes(noisy), decrypted(len(data), *spans))
        assert bits < PROVEN, (number, validation)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_right_key_is_as_proven_as_before_where_the_head_was_locked(name):
    data = made(name)
    for end in (len(data), min(4096, len(data))):
        validation, bits = owed(data, decrypted(len(data), (0, end)))
        assert (validation.grade, bits) == (Grade.GOOD, validation.bits)


@pytest.mark.parametrize("name", ["png", "zip", "gzip", "jpeg", "sqlite", "pdf", "ooxml", "text", "wav"])
def test_a_right_key_is_proven_where_a_format_looks_behind_its_head(name):
    name = next(each for each in sorted(SAMPLES) if name in {each, SAMPLES[each].format})
    data = made(name)
    head = min(4096, len(data) // 2)
    validation, bits = owed(data, decrypted(len(data), (head, len(data))))
    assert validation.grade is Grade.GOOD
    assert bits == validation.bits


def test_what_nothing_looks_at_proves_no_key():
    data = made("webp")
    validation, bits = owed(data, decrypted(len(data), (len(data) // 2, len(data) // 2 + 1024)))
    assert (validation.grade, bits) == (Grade.GOOD, 0)


def test_noise_is_the_same_however_it_is_read():
    blind = Blind(BytesReader(bytes(70_000)), decrypted(70_000, (7, 60_000)), bytes(16))
    whole = blind.read_at(0, 70_000)
    assert b"".join(blind.read_at(at, 333) for at in range(0, 70_000, 333)) == whole
    assert whole[:7] == bytes(7)
    assert whole[60_000:] == bytes(10_000)
    assert len(set(whole[7:60_000])) == 256


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_key_that_only_makes_the_head_of_a_format_is_proven_in_none(name):
    data = made(name)
    judgement = judge(BytesReader(data))
    (form,) = (each for each in FORMATS if each.name == judgement.format)
    content, origins = bytearray(len(data)), ByteMap()  # what such a key does not tell is lost
    for known in sorted(form.known, key=lambda each: each.offset % len(data)):
        start = known.offset % len(data)
        if start >= origins.size and data[start : start + len(known.data)] == known.data:
            content[start : start + len(known.data)] = known.data
            origins.append(start - origins.size, Origin.LOST)
            origins.append(len(known.data), Origin.UNLOCKED)
    origins.append(len(data) - origins.size, Origin.LOST)
    reader = BytesReader(bytes(content))
    assert bits_beside_known(reader, origins, judge(reader)) < PROVEN


@pytest.mark.parametrize("name", ["zip", "sqlite", "jpeg", "gzip", "text"])
def test_what_a_key_opens_beside_the_head_counts(name):
    reader, origins = BytesReader(made(name)), ByteMap()
    origins.append(reader.size, Origin.UNLOCKED)
    assert bits_beside_known(reader, origins, judge(reader)) >= PROVEN
