"""Repairs of damaged files, one kind of files each; ``REPAIRS`` is in the order of trial."""

from unransom.catalog.formats.repair import gzip, jpeg, ooxml, pdf, png, sqlite, text
from unransom.catalog.formats.repair import zip as archives
from unransom.catalog.formats.repair.repair import Repair

REPAIRS: tuple[Repair, ...] = (
    ooxml.REPAIR,
    archives.REPAIR,
    pdf.REPAIR,
    sqlite.REPAIR,
    png.REPAIR,
    jpeg.REPAIR,
    gzip.REPAIR,
    text.REPAIR,
)
