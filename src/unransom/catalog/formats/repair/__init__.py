"""Repairs of damaged files, one kind of files each; ``REPAIRS`` is in the order of trial."""

from unransom.catalog.formats.repair import ooxml, pdf, sqlite
from unransom.catalog.formats.repair import zip as archives
from unransom.catalog.formats.repair.repair import Repair

REPAIRS: tuple[Repair, ...] = (
    ooxml.REPAIR,
    archives.REPAIR,
    pdf.REPAIR,
    sqlite.REPAIR,
)
