"""How files begin that the catalogue has no format for: enough to see that their head is not encrypted.

Also what owners encrypt themselves: such a file is random from end to end and yet no locker's work.
"""

from __future__ import annotations

from typing import NamedTuple

from unransom.catalog.formats.identify import extension_of


class Signature(NamedTuple):
    """First bytes of a kind of file.

    Attributes:
        title: What people call it.
        magics: Bytes at `offset`; any of them will do.
        extensions: Of its names, lower case.
        offset: Where the magic stands.
        sealed: Its owner encrypted it.
    """

    title: str
    magics: tuple[bytes, ...]
    extensions: tuple[str, ...] = ()
    offset: int = 0
    sealed: bool = False


SIGNATURES = (
    Signature("LUKS volume", (b"LUKS\xba\xbe",), ("luks",), sealed=True),
    Signature("BitLocker volume", (b"-FVE-FS-",), (), 3, sealed=True),
    Signature("KeePass database", (b"\x03\xd9\xa2\x9a",), ("kdbx", "kdb"), sealed=True),
    Signature("age file", (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED"), ("age",), sealed=True),
    Signature("OpenSSL encrypted file", (b"Salted__",), (), sealed=True),
    Signature("AxCrypt file", (b"\xc0\xb9\x07\x2e\x4f\x93\xf1\x46",), ("axx",), sealed=True),
    Signature("AES Crypt file", (b"AES\x00", b"AES\x01", b"AES\x02"), ("aes",), sealed=True),
    Signature(
        "OpenPGP message",
        (
            b"-----BEGIN PGP",
            b"\x85\x01",
            b"\x85\x02",
            b"\x84\x5e",
            b"\x8c\x0d\x04",
            b"\x98",
            b"\xc6",
            b"\x95",
            b"\xc5",
            b"\x99\x01",
            b"\x99\x02",
        ),
        ("gpg", "pgp"),
        sealed=True,
    ),
    Signature("Java key store", (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"), ("jks", "keystore"), sealed=True),
    Signature("MySQL table definition", (b"\xfe\x01",), ("frm",)),
    Signature("MyISAM index", (b"\xfe\xfe\x07",), ("myi",)),
    Signature("MySQL binary log", (b"\xfebin",), ("binlog",)),
    Signature("Aria index", (b"\xff\xfe\xfe\x09", b"\xfe\xfe\x09"), ("mai",)),
    Signature("Access database", (b"\x00\x01\x00\x00Standard ",), ("mdb", "accdb")),
    Signature("HDF5", (b"\x89HDF\r\n\x1a\n",), ("h5", "hdf5", "he5")),
    Signature("FITS", (b"SIMPLE  =",), ("fits", "fit")),
    Signature("NetCDF", (b"CDF\x01", b"CDF\x02", b"\x89HDF"), ("nc",)),
    Signature("Parquet", (b"PAR1",), ("parquet",)),
    Signature("Arrow", (b"ARROW1", b"FEA1"), ("arrow", "feather")),
    Signature("MATLAB", (b"MATLAB ",), ("mat",)),
    Signature("SPSS", (b"$FL2", b"$FL3"), ("sav", "zsav")),
    Signature("SAS", (b"\0\0\0\0\0\0\0\0\0\0\0\0\xc2\xea\x81\x60",), ("sas7bdat",)),
    Signature(
        "Stata", (b"<stata_dta>", b"s\x01", b"s\x02", b"r\x01", b"r\x02", b"q\x01", b"q\x02"), ("dta",)
    ),
    Signature("R data", (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"X\n\0\0\0"), ("rdata", "rda")),
    Signature("shapefile", (b"\0\0\x27\x0a",), ("shp", "shx")),
    Signature(
        "packet capture", (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a"), ("pcap", "pcapng")
    ),
    Signature("GIMP picture", (b"gimp xcf ",), ("xcf",)),
    Signature("Windows metafile", (b"\xd7\xcd\xc6\x9a", b"\x01\0\x09\0"), ("wmf",)),
    Signature("enhanced metafile", (b"\x01\0\0\0",), ("emf",)),
    Signature("PostScript", (b"%!PS", b"%!", b"\xc5\xd0\xd3\xc6"), ("ps", "eps")),
    Signature("Type 1 font", (b"%!PS-AdobeFont", b"%!FontType1", b"\x80\x01"), ("t1", "pfa", "pfb")),
    Signature("PCX picture", (b"\x0a\x05", b"\x0a\x03", b"\x0a\x02", b"\x0a\x00"), ("pcx",)),
    Signature("portable pixmap", (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), ("pnm", "pbm", "pgm", "ppm")),
    Signature("JPEG 2000", (b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51"), ("jp2", "j2k")),
    Signature("Apple icons", (b"icns",), ("icns",)),
    Signature("DirectDraw surface", (b"DDS ",), ("dds",)),
    Signature("OpenEXR", (b"v/1\x01",), ("exr",)),
    Signature("AutoCAD drawing", (b"AC10",), ("dwg",)),
    Signature("DjVu", (b"AT&TFORM",), ("djvu", "djv")),
    Signature("rich text", (b"{\\rtf",), ("rtf",)),
    Signature("Outlook store", (b"!BDN",), ("pst", "ost")),
    Signature("MIDI", (b"MThd",), ("mid", "midi", "kar")),
    Signature("AIFF", (b"FORM",), ("aif", "aiff", "aifc")),
    Signature("Sun audio", (b".snd",), ("au", "snd")),
    Signature("RIFF file", (b"RIFF", b"RIFX"), ("sf2", "ani", "dls")),
    Signature("Windows Media", (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",), ("wma", "wmv", "asf")),
    Signature("Flash", (b"FWS", b"CWS", b"ZWS", b"FLV\x01"), ("swf", "flv")),
    Signature("MPEG stream", (b"\0\0\x01\xba", b"\0\0\x01\xb3"), ("mpg", "mpeg", "vob")),
    Signature("tracker module", (b"Extended Module: ", b"IMPM"), ("xm", "it")),
    Signature("Qt translation", (b"\x3c\xb8\x64\x18\xca\xef\x9c\x95",), ("qm",)),
    Signature("Mach-O program", (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"), ("dylib",)),
    Signature("Lua bytecode", (b"\x1bLua",), ("luac",)),
    Signature("Windows help", (b"ITSF", b"?_\x03\0"), ("chm", "hlp")),
    Signature("Windows shortcut", (b"L\0\0\0\x01\x14\x02\0",), ("lnk",)),
    Signature("virtual disk", (b"KDMV", b"COWD", b"# Disk DescriptorFile"), ("vmdk",)),
    Signature("virtual disk", (b"vhdxfile",), ("vhdx", "avhdx")),
    Signature("virtual disk", (b"conectix",), ("vhd",)),
    Signature("virtual disk", (b"QFI\xfb",), ("qcow2", "qcow")),
    Signature("VirtualBox disk", (b"<<< ",), ("vdi",)),
    Signature("disk image", (b"EVF\x09\x0d\x0a\xff\0",), ("e01",)),
    Signature("disk image", (b"EVF2\x0d\x0a\x81\0",), ("ex01",)),
    Signature("logical image", (b"LVF\x09\x0d\x0a\xff\0", b"LEF2\x0d\x0a\x81\0"), ("l01", "lx01")),
    Signature("Windows image", (b"MSWIM\0\0\0",), ("wim", "esd")),
    Signature("RPM package", (b"\xed\xab\xee\xdb",), ("rpm",)),
    Signature("zlib stream", (b"x\x9c", b"x\xda", b"x\x01", b"x\x5e"), ("zlib", "glz", "inv")),
    Signature("zlib stream", (b"x\x9c", b"x\xda", b"x\x01", b"x\x5e"), ("rdb", "mmpz"), 4),
    Signature("LZ4", (b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"), ("lz4",)),
    Signature("LZMA", (b"\x5d\0\0",), ("lzma",)),
    Signature("compress", (b"\x1f\x9d",), ("z",)),
    Signature("cpio", (b"070701", b"070707", b"\xc7\x71"), ("cpio",)),
    Signature("SquashFS", (b"hsqs", b"sqsh"), ("squashfs", "sqfs", "snap")),
    Signature("Git index", (b"DIRC", b"PACK", b"\xfftOc"), ("pack",)),
)
HEADERLESS = frozenset({"hc", "tc", "gpg", "pgp", "br", "brotli"})  # encrypted or compressed by their owner
_TEXTS = """
asm awk bib bst cls cmake cs desktop diff dtd el f f90 go hpp hs in info iss kt lisp list lst lua m m4 mk
patch pas pl pm po properties qml r rb rs sed sty swift tcl test ts tsx ui vbs vim vue
"""
TEXTS = frozenset(_TEXTS.split())


def signature_of(head: bytes, path: bytes) -> Signature | None:
    """Return the signature that ``head`` has; short ones count only where the name agrees."""
    extension = extension_of(path)
    for each in SIGNATURES:
        magic = head[each.offset : each.offset + 24]
        length = max((len(found) for found in each.magics if magic.startswith(found)), default=0)
        if length >= 4 or (length and extension in each.extensions):
            return each
    return None


def promised_by(path: bytes) -> str:
    """Return what the name says that the catalogue has no format for, "" where it says nothing."""
    extension = extension_of(path)
    if extension in TEXTS:
        return "text"
    return next((each.title for each in SIGNATURES if extension in each.extensions), "")
