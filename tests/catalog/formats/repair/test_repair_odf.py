"""Of a partly locked OpenDocument file what is in front of the hole is in the rebuilt one, which opens."""

import io
import re
import zipfile
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats.repair.damage import chance, damaged, heads_left, holes, written
from unransom.catalog.formats.repair import odf
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.repair.step import fitting

SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
    for short in ("office", "table", "text")
)
NAMES = ["数量", "Größe", "order", "stock &amp; price"]


def body(kind, count, seed=4):
    draw = chance(seed)
    drawn = [f"{draw.choice(NAMES)} {draw.getrandbits(60):x}" for _ in range(count)]
    if kind == "text":
        return "".join(
            f"<text:p><text:span>{each}</text:span><text:tab/>{n}</text:p>" for n, each in enumerate(drawn)
        )
    opened, closed = "<table:table-cell office:value-type=", "</table:table-cell>"
    rows = "".join(
        f'<table:table-row>{opened}"float" office:value="{n}"><text:p>{n}</text:p>{closed}'
        f'{opened}"string"><text:p>{each}</text:p>{closed}<table:table-cell/></table:table-row>'
        for n, each in enumerate(drawn)
    )
    return f'<table:table table:name="Orders">{rows}</table:table>'


def made(kind, count=12_000, last=True):
    """Return a document; its content is the last of its parts or the third."""
    content = (
        f"<?xml version='1.0'?><office:document-content {SPACES}><office:body><office:{kind}>"
        f"{body(kind, count)}</office:{kind}></office:body></office:document-content>"
    )
    parts = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "META-INF/manifest.xml": f'<m><e media-type="application/vnd.oasis.opendocument.{kind}"/></m>',
        "content.xml": content,
        "styles.xml": "<s>" + "x" * 500 + "</s>",
        "Pictures/1.png": chance(2).randbytes(40_000),
    }
    if last:
        parts["content.xml"] = parts.pop("content.xml")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def texts(content):
    return re.findall(rb">([^<]+)</text:", content)


@pytest.mark.parametrize("told", [False, True], ids=["found", "told"])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
@pytest.mark.parametrize("kind", ["text", "spreadsheet"])
def test_every_text_that_is_left_is_in_the_rebuilt_document(kind, how, told):
    data = made(kind)
    spans = holes(len(data), how)
    heads = {name: head for name, head, _ in heads_left(data, spans)}
    left = texts(heads["content.xml"])
    assert left or how in {"head", "even"}
    name = b"a.odt" if kind == "text" else b"a.ods"
    repaired = odf.repair(damaged(data, spans, name, told=told))
    if not left:
        return
    archive = zipfile.ZipFile(io.BytesIO(written(repaired)))
    first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert archive.read("mimetype").decode() == f"application/vnd.oasis.opendocument.{kind}"
    content = archive.read("content.xml")
    ElementTree.fromstring(content)
    assert texts(content)[: len(left)] == left
    assert len(texts(content)) <= len(left) + 1
    listed = re.findall(rb'full-path="([^"]*)"', archive.read("META-INF/manifest.xml"))
    assert {each.decode() for each in listed} == {*archive.namelist(), "/"} - {
        "mimetype",
        "META-INF/manifest.xml",
    }
    assert repaired.beside[0].data.decode().count("\n") >= len(left) // 3


def test_a_table_ends_behind_its_last_whole_cell():
    data = made("spreadsheet")
    repaired = odf.repair(damaged(data, holes(len(data), "tail"), b"a.ods", told=True))
    content = zipfile.ZipFile(io.BytesIO(written(repaired))).read("content.xml")
    assert re.search(
        rb"</table:table-cell></table:table-row></table:table>|<table:table-cell/></table:table-row>", content
    )
    (cells,) = [count.left for count in repaired.counts if count.what == "cells"]
    assert cells == len(re.findall(rb"value-type", content)) > 1000
    assert "Orders" in str(repaired.missing[0])


def test_the_kind_is_known_though_only_the_content_tells_it():
    data = made("spreadsheet", last=False)
    start = data.index(b"content.xml") - 30
    repaired = odf.repair(damaged(data, [Span(0, start)], b"a"))
    archive = zipfile.ZipFile(io.BytesIO(written(repaired)))
    assert archive.read("mimetype").endswith(b".spreadsheet")
    assert {"styles.xml", "Pictures/1.png"} <= set(archive.namelist())


def test_without_its_content_it_is_an_archive_of_its_parts():
    data = made("text", last=False)
    repaired = odf.repair(damaged(data, holes(len(data), "head"), b"a.odt"))
    assert repaired.extension == ".zip"
    assert "Pictures/1.png" in zipfile.ZipFile(io.BytesIO(written(repaired))).namelist()


def test_it_is_found_without_a_name():
    found = damaged(made("text", 50), name=b"")
    assert odf.REPAIR in list(fitting(found))
    assert not odf.finds(BytesReader(b"PK\3\4" + bytes(100)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_no_damage_breaks_it(seed):
    draw = chance(seed)
    data = bytearray(made("spreadsheet", 40))
    for _ in range(draw.randrange(1, 60)):
        data[draw.randrange(len(data))] = draw.randrange(256)
    data = bytes(data[: draw.randrange(1, len(data) + 1)])
    repaired = odf.repair(damaged(data, name=b"a.ods"))
    assert repaired is None or written(repaired)
