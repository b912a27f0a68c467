from __future__ import annotations

import base64
import io
import random
import struct

import pytest

from tests.catalog.formats import small_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import dbf, der, dex, icc, javaclass, mo, npy, pyc
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def pem(kind: bytes = b"CERTIFICATE") -> bytes:
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (kind, base64.encodebytes(samples.der()), kind)


def test_a_module_of_an_old_python_is_read() -> None:
    body = b"c" + struct.pack("<4i", 0, 0, 1, 64) + b"s\4\0\0\0d\0\0S" + b"(\1\0\0\0N" + b"(\0\0\0\0" * 4
    data = (
        struct.pack("<HH", 62211, 0x0A0D)
        + bytes(4)
        + body
        + b"s\1\0\0\0x"
        + b"t\1\0\0\0y"
        + bytes(4)
        + b"s\0\0\0\0"
    )
    verdict = pyc.validate(BytesReader(data))
    assert (verdict.grade, verdict.length) == (Grade.GOOD, len(data))


def test_nesting_without_end_is_refused() -> None:
    data = samples.pyc()[:16] + b"\xe3" + bytes(20) + b")\1" * 5000 + b"N"
    assert pyc.validate(BytesReader(data)).grade is Grade.PARTIAL


def test_a_dictionary_ends_with_a_null() -> None:
    head = samples.pyc()
    assert pyc.validate(BytesReader(head[:16] + b"c")).grade is Grade.PARTIAL


def test_a_string_of_a_catalogue_that_has_no_end_is_found() -> None:
    data = samples.mo()
    place = data.index(b"\0message 99\0") + 11
    verdict = mo.validate(BytesReader(data[:place] + b"x" + data[place + 1 :]))
    assert [span.start for span in verdict.damage] == [place]


def test_a_catalogue_in_the_other_byte_order_is_read() -> None:
    data = struct.pack(">7I", 0x950412DE, 0, 1, 28, 36, 0, 0) + struct.pack(">4I", 1, 44, 1, 46) + b"a\0b\0"
    verdict = mo.validate(BytesReader(data))
    assert (verdict.grade, verdict.length) == (Grade.GOOD, len(data))


def test_records_of_a_table_are_located() -> None:
    data = samples.dbf()
    start = 32 + 96 + 1 + 53 * 100
    verdict = dbf.validate(BytesReader(scramble(data, (start, start + 53 * 20))))
    assert verdict.grade is Grade.PARTIAL
    assert abs(verdict.damage[0].start - start) < 128
    assert abs(verdict.damage[-1].end - start - 53 * 20) < 128


@pytest.mark.parametrize("front", [b"", b"Certificate:\n    Data:\n", b"\r\n"])
def test_pem_blocks_are_decoded(front: bytes) -> None:
    data = front + pem() + pem(b"X509 CRL")
    assert der.recognise(data[:4096]) == 88
    assert der.validate(BytesReader(data)).grade is Grade.GOOD
    assert der.measure(BytesReader(data + bytes(900))).length == len(data)


@pytest.mark.parametrize("change", [(b"\nMI", b"\n!I"), (b"-----END", b"-----SEND")])
def test_a_broken_pem_block_is_noticed(change: tuple[bytes, bytes]) -> None:
    data = pem() + pem()
    place = data.rindex(change[0]) if change[0] in data else data.index(b"\n", 40)
    changed = data[:place] + change[1] + data[place + len(change[1]) :]
    assert der.validate(BytesReader(changed)).grade is Grade.PARTIAL


def test_a_wrong_length_in_der_is_located() -> None:
    data = bytearray(samples.der())
    place = data.index(b"\x17\x0d", 3000)
    data[place + 1] = 99
    verdict = der.validate(BytesReader(bytes(data)))
    assert verdict.damage[0].start == place


def test_zeros_in_a_constant_of_a_class_are_found() -> None:
    data = samples.java_class()
    place = data.index(b"method_500")
    verdict = javaclass.validate(BytesReader(data[:place] + b"\0" + data[place + 1 :]))
    assert (verdict.grade, verdict.damage[0].start) == (Grade.PARTIAL, place - 3)


def test_an_md5_that_fits_adds_proof_and_one_that_does_not_is_let_pass() -> None:
    data = samples.icc()
    strong, weak = (
        icc.validate(BytesReader(data)),
        icc.validate(BytesReader(data.replace(b"A colour", b"B colour", 1))),
    )
    assert (strong.grade, weak.grade) == (Grade.GOOD, Grade.GOOD)
    assert (strong.bits, weak.bits) == (224, 96)
    assert (
        icc.validate(BytesReader(scramble(samples.icc(identity=False), (8192, 12288)))).grade is Grade.PARTIAL
    )


def test_one_sum_of_android_classes_is_enough() -> None:
    data = bytearray(samples.dex())
    data[8] ^= 1
    assert dex.validate(BytesReader(bytes(data))).grade is Grade.GOOD
    data[500] ^= 1
    assert dex.validate(BytesReader(bytes(data))).grade is not Grade.GOOD


@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", ">f4"])
def test_a_locked_block_among_floats_is_found(kind: str) -> None:
    data = samples.npy(kind)
    verdict = npy.validate(BytesReader(scramble(data, (4096, 8192))))
    assert [(span.start, span.end) for span in verdict.damage] == [(4096, 8192)]


@pytest.mark.parametrize("shape", [(), (0,), (3, 4)])
def test_shapes_of_arrays(shape: tuple[int, ...]) -> None:
    import numpy as np

    out = io.BytesIO()
    np.save(out, np.full(shape, "Größe"))
    data = out.getvalue()
    assert npy.measure(BytesReader(data + bytes(77))).length == len(data)
    assert npy.validate(BytesReader(data)).grade is Grade.GOOD


def test_a_description_that_is_no_description_is_refused() -> None:
    head = b"\x93NUMPY\1\0\x40\0" + b"{'descr': " + b"(" * 54
    assert npy.validate(BytesReader(head + bytes(99))).grade is Grade.BAD


def test_random_bytes_behind_a_date_are_no_table_of_dbase() -> None:
    chance = random.Random(3)
    heads = (b"\x30\x7e\x05\x07" + chance.randbytes(4092) for _ in range(3000))
    assert max(dbf.recognise(head) for head in heads) < 30
