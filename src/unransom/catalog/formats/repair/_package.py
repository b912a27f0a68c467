"""Office Open XML packages: members by name, links between them, and what is left out with a lost one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import partial
from xml.sax.saxutils import quoteattr

from unransom.catalog.formats.repair._members import Member, inflated, members
from unransom.catalog.formats.repair._zip_writer import New, archive
from unransom.catalog.formats.repair.repair import Beside, Damaged

TYPES = b"[Content_Types].xml"
ROOT = b"_rels/.rels"
HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^<>]*>(?:</(?:\w+:)?Relationship>)?")
OVERRIDE = re.compile(rb"<(?:\w+:)?Override\b[^<>]*>(?:</(?:\w+:)?Override>)?")
ATTRIBUTE = re.compile(rb"""\b([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
LINK = re.compile(rb'\br:(?:id|embed|link|pict|dm|lo|qs|cs)="([^"]+)"')
ID = re.compile(rb'\bId="([^"]*)"')
MOST_LEFT_OUT = 1 << 26  # bytes of parts that are left out and put beside
DEEP = 16  # links that are followed from part to part
DEFAULTS = {
    "rels": "application/vnd.openxmlformats-package.relationships+xml",
    "xml": "application/xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "emf": "image/x-emf",
    "wmf": "image/x-wmf",
    "bin": "application/vnd.openxmlformats-officedocument.oleObject",
    "vml": "application/vnd.openxmlformats-officedocument.vmlDrawing",
}


def attributes(tag: bytes) -> dict[bytes, bytes]:
    """Return the attributes of a tag."""
    return {found[1]: found[2] or found[3] or b"" for found in ATTRIBUTE.finditer(tag)}


class Package:
    """What is left of a package, part by part; parts are changed, added and left out, and then written.

    Attributes:
        damaged: The file.
        found: Members of the archive, by name without a leading slash.
        new: Parts that were rebuilt, by name.
        dropped: Names of parts that are left out.
    """

    def __init__(self, damaged: Damaged, normal: Callable[[bytes], bytes] = bytes) -> None:
        """Find the parts.

        Args:
            damaged: The file.
            normal: Returns a part as its kind is usually written.
        """
        self.damaged = damaged
        self._normal = normal
        self._texts: dict[bytes, bytes] = {}  # parts that are written in another way
        self.found: dict[bytes, Member] = {}
        for member in members(damaged):
            name = member.name.lstrip(b"/")
            if name not in self.found or (member.whole and not self.found[name].whole):
                self.found[name] = member
        self.new: dict[bytes, bytes] = {}
        self.dropped: set[bytes] = set()

    def whole(self, name: bytes) -> bool:
        """Return whether the part is there as it was."""
        return name in self.found and self.found[name].whole

    def text(self, name: bytes) -> bytes:
        """Return a part as it will be written, of a damaged one what is left in front of the first hole."""
        if name in self.new:
            return self.new[name]
        if name in self._texts:
            return self._texts[name]
        head = inflated(self.damaged, self.found[name]).head if name in self.found else b""
        text = self._normal(head) if name.endswith(b".xml") else head
        if text is not head:
            self._texts[name] = text
        return text

    def named(self, pattern: str) -> list[bytes]:
        """Return the names of parts that match, in the order of the numbers in them."""
        matching = [name for name in self.found if re.fullmatch(pattern.encode(), name)]
        return sorted(matching, key=lambda name: [int(number) for number in re.findall(rb"\d+", name)])

    def drop(self, name: bytes) -> None:
        """Leave a part out."""
        self.dropped.add(name)

    def put(self, name: bytes, data: bytes) -> None:
        """Write a part anew, also one that was left out."""
        self.new[name] = data
        self.dropped.discard(name)

    def relations_of(self, name: bytes) -> bytes:
        """Return the name of the part that holds the links from ``name``."""
        folder, _, last = name.rpartition(b"/")
        return (folder + b"/" if folder else b"") + b"_rels/" + last + b".rels"

    def targets(self, name: bytes) -> dict[bytes, bytes]:
        """Return the parts that ``name`` links to, by the links' identifiers."""
        folder = name.rpartition(b"/")[0]
        found: dict[bytes, bytes] = {}
        for tag in RELATION.findall(self.text(self.relations_of(name))):
            fields = attributes(tag)
            if fields.get(b"TargetMode") != b"External":
                found[fields.get(b"Id", b"")] = _joined(folder, fields.get(b"Target", b""))
        return found

    def drop_dangling(self, own: set[bytes]) -> list[bytes]:
        """Leave out parts that link to what is left out or not there, but those in ``own``; return which."""
        gone: list[bytes] = []
        for _ in range(DEEP):
            kept = (self.found.keys() | self.new.keys()) - self.dropped - own
            dangling = [name for name in kept if name.endswith(b".xml") and self._dangles(name)]
            if not dangling:
                break
            self.dropped.update(dangling)
            gone += dangling
        return gone

    def _dangles(self, name: bytes) -> bool:
        wanted = set(LINK.findall(self.text(name)))
        if not wanted:
            return False
        links = self.relations_of(name)
        known = set(ID.findall(self.text(links))) if self.whole(links) else set()
        there = (self.found.keys() | self.new.keys()) - self.dropped
        targets = self.targets(name)
        return any(link not in known or targets.get(link, links) not in there for link in wanted)

    def settle(self) -> None:
        """Take the links to parts that are left out from the parts that have them."""
        kept = (self.found.keys() | self.new.keys()) - self.dropped
        for name in [each for each in kept if each.endswith(b".rels")]:
            owner = re.sub(rb"_rels/([^/]*)\.rels\Z", rb"\1", name)
            if owner and owner not in kept:
                self.dropped.add(name)
                continue
            folder = owner.rpartition(b"/")[0]
            self._without(name, RELATION, partial(_relation_target, folder))
        if TYPES in kept:
            self._without(TYPES, OVERRIDE, lambda fields: fields.get(b"PartName", b"").lstrip(b"/"))

    def _without(
        self, name: bytes, tags: re.Pattern[bytes], target_of: Callable[[dict[bytes, bytes]], bytes]
    ) -> None:
        kept = (self.found.keys() | self.new.keys()) - self.dropped
        text = self.text(name)

        def keep(found: re.Match[bytes]) -> bytes:
            target = target_of(attributes(found[0]))
            return found[0] if not target or target in kept else b""

        changed = tags.sub(keep, text)
        if changed != text:
            self.new[name] = changed

    def left_out(self) -> tuple[Beside, ...]:
        """Return an archive of the whole parts that are left out, as nothing that is left shows them."""
        parts = [self.found[name] for name in sorted(self.dropped) if self.whole(name)]
        if not parts or sum(part.entry.packed for part in parts) > MOST_LEFT_OUT:
            return ()
        return (Beside(".parts.zip", b"".join(data for data, _ in archive(self.damaged, parts))),)

    def contents(self) -> list[Member | New]:
        """Return the members of the new archive, the list of types first."""
        names = [name for name in (*self.found, *self.new) if name not in self.dropped]
        ordered = sorted(dict.fromkeys(names), key=lambda name: (name != TYPES, name != ROOT))
        return [New(name, self.new[name]) if name in self.new else self.found[name] for name in ordered]


def _joined(folder: bytes, target: bytes) -> bytes:
    """Return the part that a link in ``folder`` names."""
    if target.startswith(b"/"):
        return target.lstrip(b"/")
    return posixpath.normpath(posixpath.join(folder, target)).lstrip(b"/")


def _relation_target(folder: bytes, fields: dict[bytes, bytes]) -> bytes:
    external = fields.get(b"TargetMode") == b"External"
    return b"" if external else _joined(folder, fields.get(b"Target", b""))


def relations(links: dict[str, tuple[str, str]]) -> bytes:
    """Return a part of links: by identifier their type behind ``OFFICE`` and their target."""
    tags = "".join(
        f"<Relationship Id={quoteattr(key)} Type={quoteattr(f'{OFFICE}/{kind}')} Target={quoteattr(target)}/>"
        for key, (kind, target) in links.items()
    )
    space = f"{PACKAGE}/relationships"
    return HEAD + f'<Relationships xmlns="{space}">{tags}</Relationships>'.encode()


def types(overrides: dict[str, str]) -> bytes:
    """Return the list of types: by part its type, besides those that go by extension."""
    tags = "".join(
        f'<Default Extension="{key}" ContentType="{value}"/>' for key, value in DEFAULTS.items()
    ) + "".join(
        f"<Override PartName={quoteattr('/' + part)} ContentType={quoteattr(kind)}/>"
        for part, kind in overrides.items()
    )
    return HEAD + f'<Types xmlns="{PACKAGE}/content-types">{tags}</Types>'.encode()
