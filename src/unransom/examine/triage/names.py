"""What a file's name says: a locker's extension, the original's name, a ransom note."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from unransom.catalog.families import families
from unransom.catalog.formats import FORMATS
from unransom.catalog.formats.identify import extension_of
from unransom.core.text import guess_text
from unransom.examine.triage.signatures import HEADERLESS, SIGNATURES, TEXTS

# Extensions that companies' files have, besides those of the formats in the catalogue.
_COMMON = b"""
3ds 7z accdb ai asp aspx avi bak bat bin bmp c cab cdr cer cfg class cpp crt cs csv dat db dbf dll
dmg doc docm docx dot dotx dwg dxf eml eps exe fdb flac frm gif gz h htm html ibd ico iso jar java
jpeg jpg js json jsp key ldf log m4a mdb mdf mkv mov mp3 mp4 mpg mpp msg myd myi nsf odp ods odt ogg
ora ost pdf pem pfx php png ppt pptx ps1 psd pst py qcow2 rar raw rtf sdf sh sln sql sqlite sqlite3
svg swf sys tar tgz tif tiff txt vbk vbm vdi vhd vhdx vib vmdk vmem vmsd vmsn vmx vsd vsdx wav webp
wim wma wmv xls xlsb xlsm xlsx xml xz yml zip zst
"""
COMMON = frozenset(_COMMON.split())
SHARED = frozenset({"locked", "encrypted", "crypted", "crypt", "crypto", "enc", "lock", "encrypt", "cry"})
_BRACKETS = re.compile(rb"\[[^\]/]*\]|\{[^}/]*\}|\([^)/]*\)")
_PREFIX = re.compile(rb"(?:\[[^\]/]*@[^\]/]*\]|\[[0-9A-Fa-f]{6,16}\]|_+)*")  # [mail][id]name.ext.locked
_ADDRESS = re.compile(rb"(?i)[a-z0-9_.+-]+@[a-z0-9.-]+\.[a-z]{2,8}")
_NOTE_WORDS = re.compile(
    r"(?i)read.?(me|it|this)|recover|restore|decrypt|decipher|unlock|how.?to|help|instruction|ransom|attention"
    r"|warning|important|files?.?back|what.?happened|note|расшифр|восстанов|解密|恢复|加密"
)
_NOTE_EXTENSIONS = ("", "txt", "html", "htm", "hta", "rtf", "url", "readme")


class Named(NamedTuple):
    """A family's extension on a name, and the name without it."""

    family: str
    original: bytes


@functools.lru_cache(maxsize=16)
def _notes(described: tuple[bytes, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    known = families(described)
    return tuple((family.name, re.compile(pattern)) for family in known for pattern in family.notes)


@functools.cache
def _known() -> frozenset[bytes]:
    found = {extension for each in FORMATS for extension in each.extensions}
    found.update(extension for each in SIGNATURES for extension in each.extensions)
    return COMMON.union(extension.encode() for extension in found | TEXTS | HEADERLESS)


def locker_extensions(path: bytes, described: tuple[bytes, ...] = ()) -> tuple[Named, ...]:
    """Return each family, built-in or ``described``, whose extension the file's name ends with."""
    named = ((family.name, family.original_name(path)) for family in families(described))
    return tuple(Named(name, original) for name, original in named if original)


def telling(path: bytes, named: dict[str, bytes]) -> dict[str, bytes]:
    """Return those families of ``named`` that the name does name: ``.locked`` alone is what a dozen add.

    Args:
        path: The path of the file.
        named: What it is without the extension of each family.
    """
    bare = path.rpartition(b".")[0] if extension_of(path) in SHARED else b""
    return {family: original for family, original in named.items() if original != bare}


def without_unknown_extension(path: bytes) -> bytes:
    """Return ``path`` without what an unknown locker added; b"" where nothing looks added.

    ``photo.jpg.locked`` and ``plan.xlsx.id-7F.[a@b.com].zz`` end with no extension that anything has, but
    what stands before does.
    """
    folder, slash, name = path.rpartition(b"/")
    masked = _ADDRESS.sub(_blank, _BRACKETS.sub(_blank, name))
    last = re.split(rb"[.\-_ ]", masked.rstrip())[-1]
    if last.lower() in _known() or last.isdigit():
        return b""
    end = -1
    for match in re.finditer(rb"(?<=[^.])\.([A-Za-z0-9]{1,8})(?=[.\-_ \[{(])", masked):
        if match[1].lower() in _known():
            end = match.end()
    start = len(added[0]) if (added := _PREFIX.match(name)) and b"@" in added[0] else 0
    return folder + slash + name[start:end] if end > start and len(name) - end > 1 else b""


def _blank(match: re.Match[bytes]) -> bytes:
    """Return as many placeholders, so that dots in identifiers and addresses do not count."""
    return match[0][:1] + b"?" * (len(match[0]) - 1)


def note_families(path: bytes, described: tuple[bytes, ...] = ()) -> tuple[str, ...]:
    """Return the families, built-in or ``described``, whose ransom notes are called like the file."""
    name = guess_text(path.rpartition(b"/")[2]).text
    return tuple(dict.fromkeys(family for family, pattern in _notes(described) if pattern.fullmatch(name)))


def may_be_a_note(path: bytes, described: tuple[bytes, ...] = ()) -> bool:
    """Return whether ransom notes have such an extension, or a family's are called like this."""
    return extension_of(path) in _NOTE_EXTENSIONS or bool(note_families(path, described))


def called_like_a_note(path: bytes) -> bool:
    """Return whether the name is one that ransom notes have, of whatever family."""
    name = guess_text(path.rpartition(b"/")[2]).text
    return extension_of(path) in _NOTE_EXTENSIONS and bool(_NOTE_WORDS.search(name))
