"""Names of outputs: whatever a file system or a locker's footer says, an output stays below its folder."""

from __future__ import annotations

RESERVED = frozenset(
    [b"CON", b"PRN", b"AUX", b"NUL", b"CLOCK$", b"CONIN$", b"CONOUT$"]
    + [name + digit for name in (b"COM", b"LPT") for digit in (b"0", b"1", b"2", b"3", b"4", b"5")]
    + [name + digit for name in (b"COM", b"LPT") for digit in (b"6", b"7", b"8", b"9")]
)
MAX_NAME = 255  # bytes, of ext4, XFS and NTFS through Linux
FORBIDDEN = bytes(range(32)) + b'<>:"|?*\\\x7f'  # by Windows, where cases are copied to


def safe_name(name: bytes) -> bytes:
    """Return ``name`` as a single path component that Linux and Windows both take.

    Separators, drive letters, device names, control characters and trailing dots are replaced by
    ``_``; a name that is too long keeps its extension.
    """
    clean = bytes(ord("_") if byte in FORBIDDEN or byte == ord("/") else byte for byte in name)
    if clean.rstrip(b". ") != clean:
        clean = clean.rstrip(b". ") + b"_"
    if _is_device(clean):
        clean = b"_" + clean
    if len(clean) > MAX_NAME:
        stem, dot, extension = clean.rpartition(b".")
        keep = extension if dot and len(extension) <= 16 else b""
        clean = (stem or clean)[: MAX_NAME - len(keep) - 1] + dot[: len(keep)] + keep
    return clean or b"_"


def safe_path(path: bytes) -> bytes:
    """Return ``path`` as a relative path whose every component is a ``safe_name``; never empty."""
    parts = [part for part in path.replace(b"\x00", b"_").split(b"/") if part not in {b"", b".", b".."}]
    return b"/".join(safe_name(part) for part in parts) or b"_"


def as_named(path: bytes, original: bytes) -> bytes:
    """Return ``path`` with the names of ``original`` where ``safe_path`` has changed them only for Windows.

    Args:
        path: Of an output, whose last name may have lost an ending that the original's has.
        original: Of the file that it is of; its backslashes, control characters and devices stay replaced.
    """
    names = path.split(b"/")
    originals = [part for part in original.split(b"/") if part not in {b"", b".", b".."}]
    if len(names) != len(originals):
        return path
    originals[-1] = (
        originals[-1][: len(names[-1])] if safe_name(originals[-1]) != names[-1] else originals[-1]
    )
    told = (_own(name, each) for name, each in zip(names, originals, strict=True))
    return b"/".join(told)


def _own(name: bytes, original: bytes) -> bytes:
    is_it = safe_name(original) == name and len(original) <= MAX_NAME
    return original if is_it and stays_below(original) else name


def stays_below(path: bytes) -> bool:
    """Return whether a relative path leads nowhere else, on any system, and holds no control characters."""
    odd = any(byte < 32 or byte in b"\\\x7f" for byte in path)
    return not odd and not any(part in {b"", b".", b".."} or _is_device(part) for part in path.split(b"/"))


def _is_device(name: bytes) -> bool:
    return name.split(b".")[0].rstrip(b" ").upper() in RESERVED


def base_name(name: bytes) -> bytes:
    """Return the last component of a path as either Windows or POSIX writes it."""
    return name.replace(b"\\", b"/").rstrip(b"/").rpartition(b"/")[2]
