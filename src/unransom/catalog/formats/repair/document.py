"""Word documents and presentations (docx, pptx): the text that is left, in a document that opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from unransom.catalog.formats.repair._holes import BEHIND, marked
from unransom.catalog.formats.repair._markup import close, words
from unransom.catalog.formats.repair._members import inflated
from unransom.catalog.formats.repair._package import (
    HEAD,
    ROOT,
    TYPES,
    Package,
    relations,
    types,
)
from unransom.catalog.formats.repair._presentation import SHOW, hold_presentation
from unransom.catalog.formats.repair._zip_writer import archive
from unransom.catalog.formats.repair.repair import Beside, Count, Damaged, Repaired
from unransom.core.messages import Message, say

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml."
BODY = b"word/document.xml"
BODY_LINKS = b"word/_rels/document.xml.rels"
SPACE = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
EMPTY = b'<w:document xmlns:w="' + SPACE + b'"><w:body><w:p/></w:body></w:document>'
NEEDS = {b"w:tc": b"<w:p/>", b"w:body": b""}
TEXTS = (
    r"word/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml"
    r"|ppt/(?:slides/slide|notesSlides/notesSlide)\d+\.xml"
)
REQUIRED = r"ppt/(?:presentation|theme/|slideMasters/|slideLayouts/).*"
LINK = re.compile(rb"""\s+r:(?:embed|id|link|pict)="([^"]*)\"""")
PICTURE = re.compile(rb"<w:(drawing|pict|object)\b.*?</w:\1>", re.DOTALL)
OTHER_TYPES = {
    r"word/styles\.xml": f"{WORD}styles+xml",
    r"word/settings\.xml": f"{WORD}settings+xml",
    r"word/numbering\.xml": f"{WORD}numbering+xml",
    r"word/fontTable\.xml": f"{WORD}fontTable+xml",
    r"word/webSettings\.xml": f"{WORD}webSettings+xml",
    r"word/header\d*\.xml": f"{WORD}header+xml",
    r"word/footer\d*\.xml": f"{WORD}footer+xml",
    r"word/footnotes\.xml": f"{WORD}footnotes+xml",
    r"word/endnotes\.xml": f"{WORD}endnotes+xml",
    r"word/comments\.xml": f"{WORD}comments+xml",
    r"(?:word|ppt)/theme/[^/]+\.xml": "application/vnd.openxmlformats-officedocument.theme+xml",
    r"ppt/presentation\.xml": f"{SLIDES}presentation.main+xml",
    r"ppt/slides/[^/]+\.xml": f"{SLIDES}slide+xml",
    r"ppt/slideLayouts/[^/]+\.xml": f"{SLIDES}slideLayout+xml",
    r"ppt/slideMasters/[^/]+\.xml": f"{SLIDES}slideMaster+xml",
    r"ppt/notesMasters/[^/]+\.xml": f"{SLIDES}notesMaster+xml",
    r"ppt/notesSlides/[^/]+\.xml": f"{SLIDES}notesSlide+xml",
    r"docProps/core\.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    r"docProps/app\.xml": "application/vnd.openxmlformats-officedocument.extended-properties+xml",
}
LINKS = {
    "styles": "styles.xml",
    "settings": "settings.xml",
    "numbering": "numbering.xml",
    "fontTable": "fontTable.xml",
}


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild a document or a presentation; None where no text is left."""
    package = Package(damaged)
    sound = sum(member.whole for member in package.found.values())
    missing: list[Message] = []
    _texts(package, missing)
    _others(package, missing)
    if any(name.startswith(b"word/") for name in package.found):
        _hold_together(package, missing)
    elif any(name.startswith(b"ppt/") for name in package.found):
        _hold_slides(package, missing)
    package.settle()
    _unlink_pictures(package)
    text = "\n".join(_words(package, name) for name in package.named(TEXTS))
    if not text.strip():
        return None
    lost = [name.decode("utf-8", "replace") for name, member in package.found.items() if not member.whole]
    return Repaired(
        archive(damaged, package.contents()),
        say("the document was put together anew; {count} parts were rebuilt", count=len(package.new)),
        (Count("members", sound, len(package.found)), Count("characters", len(text))),
        tuple(missing),
        tuple(lost),
        (Beside(".txt", text.encode()), *_behind(package), *package.left_out()),
    )


def _behind(package: Package) -> Iterator[Beside]:
    """Yield what is behind the holes of the texts, with a mark for each byte that is a copy of a lost one."""
    found = [
        stretch
        for name in package.named(TEXTS)
        if not package.whole(name)
        for stretch in inflated(package.damaged, package.found[name]).stretches
    ]
    if found:
        yield Beside(BEHIND, b"\n".join(marked(each.symbols) for each in found))


def _words(package: Package, name: bytes) -> str:
    paragraph, run = (b"w:p", b"w:t") if name.startswith(b"word/") else (b"a:p", b"a:t")
    return words(package.text(name), paragraph, run)


def _texts(package: Package, missing: list[Message]) -> None:
    """Close the parts that hold text where they break off."""
    for name in package.named(TEXTS):
        if package.whole(name):
            continue
        shown = name.decode("utf-8", "replace")
        head = package.text(name)
        if not re.search(rb"<(?:w:t|a:t)\b", head):
            missing.append(say("part {name} is lost", name=shown))
            if name != BODY:
                package.drop(name)
            continue
        package.new[name] = close(head, NEEDS)
        missing.append(
            say("the text of part {name} breaks off after {count} bytes", name=shown, count=len(head))
        )


def _others(package: Package, missing: list[Message]) -> None:
    """Leave out other damaged parts."""
    own = {BODY, BODY_LINKS, TYPES, ROOT, *package.named(TEXTS)}
    for name, member in package.found.items():
        if member.whole or name in own:
            continue
        head = package.text(name)
        if re.fullmatch(REQUIRED.encode(), name) and name.endswith(b".xml") and head:
            package.new[name] = close(head)
        else:
            package.drop(name)
        missing.append(say("part {name} is left out: it is damaged", name=name.decode("utf-8", "replace")))


def _hold_together(package: Package, missing: list[Message]) -> None:
    """Write the parts that hold a Word document together, as far as they are lost."""
    if BODY not in package.found or not (package.whole(BODY) or BODY in package.new):
        package.new[BODY] = HEAD + EMPTY
    if not package.whole(ROOT):
        package.new[ROOT] = relations({"rId1": ("officeDocument", "word/document.xml")})
    if not package.whole(BODY_LINKS):
        there = {kind: part for kind, part in LINKS.items() if package.whole(b"word/" + part.encode())}
        package.new[BODY_LINKS] = relations({f"unransom{kind}": (kind, part) for kind, part in there.items()})
        missing.append(say("which picture belongs where is lost"))
    if not package.whole(TYPES):
        _write_types(package, {"word/document.xml": f"{WORD}document.main+xml"})


def _hold_slides(package: Package, missing: list[Message]) -> None:
    """Write the parts that hold a presentation together, as far as they are lost."""
    written = hold_presentation(package)
    if written:
        missing.append(
            say("what holds the slides together was written anew: plain where their design is lost")
        )
    if not package.whole(ROOT):
        package.new[ROOT] = relations({"rId1": ("officeDocument", SHOW.decode())})
    if written or not package.whole(TYPES):
        _write_types(package, {SHOW.decode(): OTHER_TYPES[r"ppt/presentation\.xml"]})


def _write_types(package: Package, kinds: dict[str, str]) -> None:
    """Write the list of types, of the parts that are there besides ``kinds``."""
    parts = (package.found.keys() | package.new.keys()) - package.dropped
    for pattern, kind in OTHER_TYPES.items():
        kinds |= {
            part.decode("utf-8", "replace"): kind for part in parts if re.fullmatch(pattern.encode(), part)
        }
    package.new[TYPES] = types(kinds)


def _unlink_pictures(package: Package) -> None:
    """Take from the texts what shows pictures and the like that are not there."""
    for name in package.named(TEXTS):
        if name in package.dropped:
            continue
        text = package.text(name)
        known = _identifiers(package, name)

        def shown(found: re.Match[bytes], known: set[bytes] = known) -> bytes:
            return found[0] if all(link in known for link in LINK.findall(found[0])) else b""

        changed = PICTURE.sub(shown, text)
        changed = LINK.sub(partial(_known_link, known), changed)
        if changed != text:
            package.new[name] = changed


def _known_link(known: set[bytes], found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] in known else b""


def _identifiers(package: Package, name: bytes) -> set[bytes]:
    return set(re.findall(rb'\bId="([^"]*)"', package.text(package.relations_of(name))))
