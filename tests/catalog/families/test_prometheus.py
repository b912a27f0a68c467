"""The record behind Prometheus' files tells the family under any name, and is decrypted like the rest."""

from tests.examine.test_identification import triaged
from tests.lockers import content, drawn
from tests.lockers.prometheus import record, seal
from unransom.catalog.families import prometheus
from unransom.catalog.schemes.assemble import assembled
from unransom.core.keys import Key, KeyKind
from unransom.core.streams import BytesReader, Salvage

KEY = bytes(33 + byte % 2 for byte in drawn("characters", 32)).replace(b'"', b"#")


def test_a_record_tells_the_family_without_a_name():
    locked = seal(content("orders", 5000), KEY) + record("orders")
    assert triaged(b"evidence.bin", locked).family == "prometheus"
    assert triaged(b"evidence.bin", locked[:-1]).family is None


def test_the_record_comes_out_as_the_public_decryptor_gives_it():
    locked = seal(content("orders", 5000), KEY) + record("orders")
    reader = Salvage(BytesReader(locked), b"a")
    mark = prometheus.read(reader)
    key = prometheus.unwrap(mark, Key(KeyKind.RAW, KEY, ""))
    assert mark.wrapped is not None
    assert assembled(reader, prometheus.plan(reader, mark, key))[0] == seal(locked, KEY)
