"""A healthy sample of every format, made here: what the contract of formats is tested on.

A new format adds its sample to ``SAMPLES``; the gate fails for a format without one.
"""

from __future__ import annotations

import bz2
import functools
import gzip as gzip_writer
import io
import lzma
import tarfile
from collections.abc import Callable
from typing import NamedTuple

import openpyxl

from tests.catalog.formats import archive_maker as archive
from tests.catalog.formats import database_samples as databases
from tests.catalog.formats import film_samples as films
from tests.catalog.formats import media_samples as media
from tests.catalog.formats import program_samples as programs
from tests.catalog.formats import small_samples as small
from tests.catalog.formats import stream_samples as streams
from tests.catalog.formats import system_samples as system
from tests.catalog.formats.compound_maker import biff, make_compound
from tests.catalog.formats.pdf_maker import make_pdf
from tests.catalog.formats.test_zip import make_zip
from unransom.catalog.formats import FORMATS
from unransom.catalog.formats.format import Format


class Sample(NamedTuple):
    """A healthy file, and what its format cannot see.

    Attributes:
        format: Name of the format.
        make: Makes the file.
        unseen: Ways of locking of which a part of the file has no trace that the format checks.
        cut_unseen: What is cut off looks whole.
        continued: A second file right behind the first belongs to it.
        weak: The format has fewer checks than prove 64 bits in a small file.
        open_ended: Zeros behind the end belong to it, or the end is not told.
    """

    format: str
    make: Callable[[], bytes]
    unseen: frozenset[str] = frozenset()
    cut_unseen: bool = False
    continued: bool = False
    weak: bool = False
    open_ended: bool = False

    @property
    def form(self) -> Format:
        """The format."""
        return next(each for each in FORMATS if each.name == self.format)


OTHER = frozenset({"other blocks"})
TEXTS = [archive.text(7919, 40_000), archive.text(31, 30_000), b"", archive.text(977, 25_000)]
BLOCKS = [archive.text(seed, 3000) for seed in range(3, 15)]


def workbook() -> bytes:
    """Return an Excel workbook of 600 rows."""
    book = openpyxl.Workbook()
    for row in range(600):
        book.active.append([row, row * 7919 % 1000 / 7, f"order {row * 31337 % 99991}"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


SAMPLES: dict[str, Sample] = {
    "ar": Sample("ar", lambda: archive.make_deb(60_000)),
    "asf": Sample("asf", streams.asf),
    "avi": Sample("avi", films.avi),
    "bmp": Sample("bmp", lambda: media.saved("BMP")),
    "bzip2": Sample("bzip2", lambda: bz2.compress(b"".join(TEXTS)), continued=True),
    "cab": Sample("cab", lambda: archive.make_cab(TEXTS)),
    "cab stored": Sample("cab", lambda: archive.make_cab(TEXTS, packed=False)),
    "csv": Sample("csv", system.csv_text, continued=True, cut_unseen=True),
    "dbf": Sample("dbf", small.dbf),
    "der": Sample("der", small.der),
    "dex": Sample("dex", small.dex),
    "elf": Sample("elf", programs.elf),
    "evtx": Sample("evtx", programs.evtx),
    "flac": Sample("flac", films.flac),
    "flv": Sample("flv", streams.flv, continued=True),
    "font": Sample("font", programs.font),
    "gif": Sample("gif", media.gif),
    "gzip": Sample("gzip", lambda: gzip_writer.compress(b"".join(TEXTS)), continued=True),
    "html": Sample("html", system.html),
    "icc": Sample("icc", small.icc),
    "ico": Sample("ico", lambda: media.saved("ICO", bitmap_format="bmp", sizes=[(16, 16), (96, 96)])),
    "ico of png": Sample("ico", lambda: media.saved("ICO", sizes=[(16, 16), (64, 64), (128, 128)])),
    "innodb": Sample("innodb", databases.innodb),
    "javaclass": Sample("javaclass", small.java_class),
    "jpeg": Sample("jpeg", media.jpeg),
    "jpeg progressive": Sample("jpeg", lambda: media.jpeg(progressive=True)),
    "json": Sample("json", system.json_text, continued=True),
    "mail": Sample("mail", streams.mail),
    "mail folder": Sample("mail", streams.mbox, continued=True, cut_unseen=True),
    "matroska": Sample("matroska", films.matroska),
    "matroska live": Sample("matroska", lambda: films.matroska(live=True), continued=True, cut_unseen=True),
    "mo": Sample("mo", small.mo),
    "mp3": Sample("mp3", films.mp3, continued=True),
    "mp3 without tag": Sample("mp3", lambda: films.mp3(tag=False), continued=True),
    "mp4": Sample("mp4", films.mp4),
    "mp4 fast": Sample("mp4", lambda: films.mp4(tables_first=True)),
    "mp4 fragmented": Sample("mp4", films.fragmented_mp4),
    "mp4 of pictures": Sample("mp4", films.heif, unseen=OTHER),  # coded pictures are not decoded
    "mpeg": Sample("mpeg", streams.mpeg, continued=True),
    "mpeg 1": Sample("mpeg", lambda: streams.mpeg(second=False), continued=True),
    "mpegts": Sample("mpegts", streams.mpegts, continued=True),
    "mpegts timed": Sample("mpegts", lambda: streams.mpegts(timed=True), continued=True),
    "mssql": Sample("mssql", databases.mssql),
    "npy": Sample("npy", small.npy),
    "ogg": Sample("ogg", films.ogg, continued=True, cut_unseen=True),
    "ole2": Sample("ole2", lambda: make_compound({"Workbook": biff(31, 4000), "small": b"x" * 300})),
    "ooxml": Sample("ooxml", workbook),
    "pdf": Sample("pdf", lambda: make_pdf(pages=12)),
    "pdf stream": Sample("pdf", lambda: make_pdf(pages=12, table="stream")),
    "pe": Sample("pe", programs.pe),
    "png": Sample("png", media.png),
    "png animated": Sample("png", media.apng),
    "psd": Sample("psd", films.psd),
    "pst": Sample("pst", streams.pst),
    "pst narrow": Sample("pst", lambda: streams.pst(wide=False)),
    "pyc": Sample("pyc", small.pyc),
    "rar 4": Sample("rar", lambda: archive.make_rar4(TEXTS)),
    "rar 5": Sample("rar", lambda: archive.make_rar5(TEXTS)),
    "registry": Sample("registry", programs.registry),
    "rtf": Sample("rtf", streams.rtf),
    "vcard": Sample("vcard", streams.vcard, continued=True),
    "sevenzip": Sample("sevenzip", lambda: archive.make_7z(TEXTS)),
    "sevenzip copy": Sample("sevenzip", lambda: archive.make_7z(TEXTS, method="copy", pack_header=False)),
    "sqlite": Sample("sqlite", databases.sqlite),
    "svg": Sample("svg", system.svg),
    "tar": Sample("tar", archive.make_tar),
    "tar gnu": Sample("tar", lambda: archive.make_tar(form=tarfile.GNU_FORMAT)),
    "text": Sample("text", system.text, continued=True, cut_unseen=True),
    "tiff": Sample("tiff", media.tiff),
    "tiff deflated": Sample("tiff", lambda: media.tiff("tiff_adobe_deflate")),
    "tiff of jpeg": Sample("tiff", lambda: media.tiff("jpeg", quality=90)),
    "tiff packed": Sample("tiff", lambda: media.tiff("packbits")),
    "tiff plain": Sample("tiff", lambda: media.tiff("raw")),
    "wal": Sample("wal", streams.wal),
    "wav": Sample("wav", films.wave),
    "webp": Sample("webp", lambda: media.saved("WEBP", quality=90), unseen=OTHER),  # pixels are not decoded
    "webp animated": Sample("webp", media.animated_webp),
    "webp lossless": Sample("webp", lambda: media.saved("WEBP", lossless=True), unseen=OTHER),
    "xml": Sample("xml", system.xml),
    "xz": Sample("xz", lambda: lzma.compress(b"".join(TEXTS)), continued=True),
    "zip": Sample("zip", lambda: make_zip(members=4)),
    "zstd": Sample("zstd", lambda: archive.zstd_frame(BLOCKS, check=True), continued=True),
}


@functools.cache
def made(name: str) -> bytes:
    """Return the sample, made once."""
    return SAMPLES[name].make()
