"""File formats, one per file; ``FORMATS`` is in the order of trial."""

from unransom.catalog.formats.format import Format

FORMATS: tuple[Format, ...] = ()
