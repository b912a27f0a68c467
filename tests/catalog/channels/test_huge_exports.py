"""Exports of gigabytes that are none, through the command line: told at once, in little memory."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from tests.fixtures.program import UNRANSOM

GIGABYTE = 1 << 30
MOST = 512 << 10  # kilobytes of memory
OWN = b"shop,order_id,status,created_at,currency,total_amount\nw,"
FLAT = b"\t".join(
    b"amazon-order-id purchase-date last-updated-date order-status sku quantity currency item-price".split()
)
JSON = b'{"transaction_details":['
XML = b"<AmazonEnvelope><AmazonOrderID>1</AmazonOrderID><Order>"
LAUGHS = """<?xml version="1.0" encoding="{}"?>{}<!DOCTYPE x [<!ENTITY a "ha">{}]>
<AmazonEnvelope><AmazonOrderID>&y;</AmazonOrderID></AmazonEnvelope>"""
ENTITIES = "".join(
    f'<!ENTITY {name} "{"&" + before + ";" + "&" + before + ";"}">'
    for before, name in zip("abcdefghijklmnopqrstuvwx", "bcdefghijklmnopqrstuvwxy", strict=True)
)


# A program counts what its parent had when it was started: this one has little, the test run may have much.
MEASURE = """
import json, resource, subprocess, sys
run = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = usage.ru_utime + usage.ru_stime
print(json.dumps([run.returncode, run.stdout.decode(), usage.ru_maxrss, seconds]))
"""


def told(path, command="read", *options):
    """Return what the program says about a file, and make sure that it says it soon and in little memory."""
    arguments = [sys.executable, "-c", MEASURE, UNRANSOM, "orders", command, path, *options]
    measured = subprocess.run(arguments, stdout=subprocess.PIPE, check=True)
    code, said, memory, seconds = json.loads(measured.stdout)
    assert memory < MOST, said
    assert seconds < 60, said
    return code, said


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("table.csv", OWN),
        ("quoted.csv", OWN + b'"'),
        ("flat.tsv", FLAT + b"\n"),
        ("pages.json", JSON + b'"'),
        ("orders.xml", XML),
    ],
)
def test_a_line_of_ten_gigabytes_is_refused(tmp_path, name, head):
    path = tmp_path / name
    path.write_bytes(head)
    os.truncate(path, 10 * GIGABYTE)  # the rest has no blocks on the disk, and reads as zeros
    code, said = told(path)
    assert code == 3
    assert f"{name}: not read" in said


@pytest.mark.parametrize(
    ("name", "head", "again"),
    [
        ("digits.csv", OWN, b"1"),
        ("quoted.csv", OWN + b'"', b"abc\n"),
        ("text.json", JSON + b'"', b"A"),
        ("deep.json", JSON, b'{"a":'),
        ("brackets.json", JSON, b"["),
        ("lists.json", JSON, b"[],"),
        ("texts.json", JSON, b'"",'),
        ("text.xml", XML, b"A"),
        ("tag.xml", XML + b"<", b"a"),
        ("attribute.xml", XML + b'<a b="', b"a"),
        ("comment.xml", XML + b"<!--", b"a"),
        ("items.xml", XML, b"<a/>"),
        ("deep.xml", XML, b"<a>"),
    ],
)
def test_what_grows_without_end_is_refused(tmp_path, name, head, again):
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(head)
        for _ in range(96):
            file.write(again * ((1 << 20) // len(again)))
    code, said = told(path)
    assert code == 3
    assert f"{name}: not read" in said


@pytest.mark.soak
def test_a_line_of_digits_of_gigabytes_is_refused(tmp_path):
    path = tmp_path / "digits.csv"
    with path.open("wb") as file:
        file.write(OWN)
        for _ in range(2304):
            file.write(b"1" * (1 << 20))
    assert told(path)[0] == 3
    path.unlink()


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
@pytest.mark.parametrize("padding", [0, (1 << 20) - 45])
def test_entities_are_refused_in_every_encoding_and_across_pieces(tmp_path, encoding, padding):
    path = tmp_path / "laughs.xml"
    path.write_bytes(LAUGHS.format(encoding, " " * padding, ENTITIES).encode(encoding))
    code, said = told(path)
    assert code == 3
    assert "entities" in said or "of no channel" in said


def test_an_entity_outside_is_never_opened(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("TOP SECRET")
    path = tmp_path / "orders.xml"
    path.write_text(
        f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{secret}">]><AmazonEnvelope>'
        "<AmazonOrderID>&a;</AmazonOrderID></AmazonEnvelope>"
    )
    code, said = told(path, "read", "--jsonl")
    assert code == 3
    assert "SECRET" not in said


SHEET = "<worksheet><sheetData>"


@pytest.mark.parametrize(
    "middle",
    [
        "<row><c><v>" + "1" * (64 << 20),
        "<row>" + "<c/>" * (8 << 20),
        "<row>" * (4 << 20),
        '<row><c r="A1"><v>1</v></c></row>' * (1 << 20),
    ],
    ids=["one cell", "cells", "deep", "rows that are cut off"],
)
def test_a_workbook_that_would_fill_the_memory_is_refused(tmp_path, middle):
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", SHEET + middle)
    (tmp_path / "plan.csv").write_text("order,pieces\n1,2\n")
    (tmp_path / "checks.toml").write_text(
        """
[[check]]
name = "production"
[check.left]
file = "plan.csv"
key = ["order"]
[check.right]
file = "bomb.xlsx"
key = ["order"]
[check.measures.pieces]
left = ["pieces"]
right = ["pieces"]
"""
    )
    code, said = told(tmp_path / "checks.toml", "compare")
    assert code == 1
    assert "bomb.xlsx" in said
    assert "Traceback" not in said
