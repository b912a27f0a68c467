"""No damage breaks a repair: it gives a file or nothing, and ends."""

import gzip
import io
import json
import sqlite3
import tarfile
import tempfile
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.catalog.formats.repair.damage import chance
from tests.soak import LONGER
from unransom.catalog.formats.repair import REPAIRS
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

FUZZ = settings(max_examples=12 * LONGER, deadline=None, suppress_health_check=list(HealthCheck))


def workbook():
    book = openpyxl.Workbook()
    for row in range(60):
        book.active.append([row, f"text {row}", row / 7])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(5):
            file.writestr(f"{number}.txt", f"{number} " * 300)
    return out.getvalue()


def database():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.db")
        connection = sqlite3.connect(path)
        connection.execute("create table t(id integer primary key, a text, b blob)")
        connection.executemany(
            "insert into t values(?,?,?)", [(n, "x" * n, bytes(n * 9)) for n in range(200)]
        )
        connection.commit()
        connection.close()
        return path.read_bytes()


def picture(kind):
    out = io.BytesIO()
    Image.frombytes("RGB", (64, 48), chance(3).randbytes(64 * 48 * 3)).save(out, kind)
    return out.getvalue()


def document():
    stream = zlib.compress(b"BT (text) Tj ET " * 50)
    body = b"%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    body += b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\n"
    body += b"endobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/Contents 4 0 R>>\nendobj\n4 0 obj\n<</Length %d"
    return body % len(stream) + b"/Filter/FlateDecode>>\nstream\n" + stream + b"\nendstream\nendobj\n"


def mail():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@shop.example", "b@shop.example", "bill"
    message.set_content("two lamps, paid\n" * 40)
    message.add_attachment(chance(4).randbytes(4000), maintype="image", subtype="png", filename="a.png")
    return message.as_bytes()


def packages():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as file:
        for number in range(6):
            info = tarfile.TarInfo("é" * number * 30 + f"{number}.txt")
            info.size = 700 * number
            file.addfile(info, io.BytesIO(b"y" * info.size))
    return out.getvalue()


SEEDS = {
    "tar": packages,
    "mail": mail,
    "wide text": lambda: "order,2 lamps,paid\n".encode("utf-16") * 200,
    "workbook": workbook,
    "archive": archive,
    "database": database,
    "document": document,
    "png": lambda: picture("PNG"),
    "jpeg": lambda: picture("JPEG"),
    "gzip": lambda: gzip.compress(b"line of text\n" * 900),
    "json": lambda: json.dumps([{"a": [{}] * 3, "b": n} for n in range(200)]).encode(),
}
MADE = {}


def seed(name):
    if name not in MADE:
        MADE[name] = SEEDS[name]()
    return MADE[name]


@pytest.mark.parametrize("name", SEEDS)
@FUZZ
@given(number=st.integers(0, 2**32))
def test_any_damage_is_survived(name, number):
    draw = chance(number)
    data = bytearray(seed(name))
    for _ in range(draw.randrange(1, 12)):
        start = draw.randrange(len(data))
        length = min(draw.choice([1, 2, 4, 64, 1024]), len(data) - start)
        data[start : start + length] = draw.randbytes(length)
    if draw.random() < 0.3:
        del data[draw.randrange(len(data)) :]
    lost = (Span(0, draw.randrange(1, 999)),) if draw.random() < 0.3 else ()
    for each in REPAIRS:
        repaired = each.repair(Damaged(BytesReader(bytes(data)), b"a.json", lost))
        if repaired is None:
            continue
        assert sum(len(piece) for piece, _ in repaired.pieces) < 1 << 26
        for table in repaired.tables.tables if repaired.tables else ():
            assert sum(1 for _ in table.rows()) < 1 << 20
