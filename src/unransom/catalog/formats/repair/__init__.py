"""Repairs of damaged files, one kind of files each; ``REPAIRS`` is in the order of trial."""

from unransom.catalog.formats.repair import (
    gzip,
    jpeg,
    mail,
    mp4,
    odf,
    ole2,
    ooxml,
    pdf,
    png,
    sqlite,
    tar,
    text,
)
from unransom.catalog.formats.repair import zip as archives
from unransom.catalog.formats.repair.repair import Repair

REPAIRS: tuple[Repair, ...] = (
    ooxml.REPAIR,
    odf.REPAIR,
    archives.REPAIR,
    ole2.REPAIR,
    pdf.REPAIR,
    sqlite.REPAIR,
    png.REPAIR,
    jpeg.REPAIR,
    mp4.REPAIR,
    gzip.REPAIR,
    tar.REPAIR,
    mail.REPAIR,
    text.REPAIR,
)
