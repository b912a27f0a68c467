"""The parts that hold a presentation together, written anew where some of them are lost."""

from __future__ import annotations

import re

from unransom.catalog.formats.repair._package import (
    HEAD,
    OFFICE,
    RELATION,
    Package,
    attributes,
    relations,
)

SHOW = b"ppt/presentation.xml"
LINKS = b"ppt/_rels/presentation.xml.rels"
MASTER = b"ppt/slideMasters/slideMaster1.xml"
LAYOUT = b"ppt/slideLayouts/slideLayout1.xml"
THEME = b"ppt/theme/theme1.xml"
SLIDES = r"ppt/slides/slide\d+\.xml"
MASTERS = r"ppt/slideMasters/slideMaster\d+\.xml"
FRAME = re.compile(rb"ppt/(?:slideMasters|slideLayouts|theme)/.*")
SIZE = re.compile(rb"<p:sldSz\b[^<>]*/>")
LISTED = re.compile(rb"<p:sldId\b[^<>]*>")
STANDARD = b'<p:sldSz cx="9144000" cy="6858000"/>'
FIRST_SLIDE = 256  # the least numbers that are allowed
FIRST_MASTER = 1 << 31
SPACES = (
    b'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="' + OFFICE.encode() + b'"'
    b' xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)
TREE = (
    b'<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
    b"<p:grpSpPr/></p:spTree></p:cSld>"
)
COLOURS = {
    "dk1": "000000", "lt1": "FFFFFF", "dk2": "444444", "lt2": "EEEEEE", "accent1": "4472C4",
    "accent2": "ED7D31", "accent3": "A5A5A5", "accent4": "FFC000", "accent5": "5B9BD5", "accent6": "70AD47",
    "hlink": "0563C1", "folHlink": "954F72",
}  # fmt: skip


FILL = b'<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
MAP = (
    b'<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3"'
    b' accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>'
)


def hold_presentation(package: Package) -> bool:
    """Write what shows the slides anew where some of it is lost; return whether that was so.

    Where a master, a layout or a theme is lost, one plain one stands for all of them.

    Args:
        package: The presentation; its slides are whole, closed, or left out.
    """
    slides = [name for name in package.named(SLIDES) if name not in package.dropped]
    masters = package.named(MASTERS)
    frame = {name for name in package.found if re.fullmatch(FRAME, name)}
    linked = {target for name in (*masters, *slides) for target in package.targets(name).values()}
    linked |= {target for name in frame for target in package.targets(name).values()}
    sound = bool(masters) and all(map(package.whole, frame | {name for name in linked if FRAME.match(name)}))
    shown = set(package.targets(SHOW).values()) if package.whole(LINKS) and package.whole(SHOW) else set()
    whole = sound and all(package.whole(package.relations_of(name)) for name in slides)
    if whole and {name for name in shown if re.fullmatch(SLIDES.encode(), name)} == set(slides):
        return False
    if not sound:
        masters = [MASTER]
        package.dropped.update(frame)
        _add_plain_frame(package)
    layouts = [LAYOUT] if not sound else package.named(r"ppt/slideLayouts/[^/]+\.xml")
    for name in slides:
        _link(package, name, layouts[0], moved=not sound)
    _write_show(package, _ordered(package, slides), masters)
    return True


def _ordered(package: Package, slides: list[bytes]) -> list[bytes]:
    """Return the slides in the order in which they are shown, as far as that is known."""
    targets = package.targets(SHOW) if package.whole(LINKS) else {}
    links = (attributes(tag).get(b"r:id", b"") for tag in LISTED.findall(package.text(SHOW)))
    known = [targets[link] for link in links if targets.get(link) in slides]
    return list(dict.fromkeys([*known, *slides]))


def _link(package: Package, slide: bytes, layout: bytes, *, moved: bool) -> None:
    """Let a slide have a layout that is there."""
    links = package.relations_of(slide)
    target = b"../" + layout.removeprefix(b"ppt/")
    if not package.whole(links):
        package.put(links, relations({"unransom1": ("slideLayout", target.decode())}))
    elif moved:

        def linked(found: re.Match[bytes]) -> bytes:
            fields = attributes(found[0])
            if not fields.get(b"Type", b"").endswith(b"/slideLayout"):
                return found[0]
            return found[0].replace(b'"%s"' % fields.get(b"Target", b""), b'"%s"' % target)

        package.put(links, RELATION.sub(linked, package.text(links)))


def _add_plain_frame(package: Package) -> None:
    """Add one master, one layout and one theme."""
    layouts = b'<p:sldLayoutIdLst><p:sldLayoutId id="%d" r:id="rId1"/></p:sldLayoutIdLst>' % (
        FIRST_MASTER + 1
    )
    package.put(MASTER, HEAD + b"<p:sldMaster %s>%s%s%s</p:sldMaster>" % (SPACES, TREE, MAP, layouts))
    package.put(LAYOUT, HEAD + b'<p:sldLayout %s type="blank">%s</p:sldLayout>' % (SPACES, TREE))
    colours = "".join(f'<a:{key}><a:srgbClr val="{value}"/></a:{key}>' for key, value in COLOURS.items())
    letters = b'<a:latin typeface="Calibri"/><a:ea typeface=""/><a:cs typeface=""/>'
    styles = (
        (b"fillStyleLst", FILL),
        (b"lnStyleLst", b"<a:ln>" + FILL + b"</a:ln>"),
        (b"effectStyleLst", b"<a:effectStyle><a:effectLst/></a:effectStyle>"),
        (b"bgFillStyleLst", FILL),
    )
    lists = b"".join(b"<a:%s>%s</a:%s>" % (name, 3 * style, name) for name, style in styles)
    fonts = b"".join(b"<a:%s>%s</a:%s>" % (name, letters, name) for name in (b"majorFont", b"minorFont"))
    package.put(
        THEME,
        HEAD
        + (
            b'<a:theme %s name="unransom"><a:themeElements><a:clrScheme name="unransom">%s</a:clrScheme>'
            b'<a:fontScheme name="unransom">%s</a:fontScheme><a:fmtScheme name="unransom">%s</a:fmtScheme>'
            b"</a:themeElements></a:theme>" % (SPACES, colours.encode(), fonts, lists)
        ),
    )
    package.put(
        package.relations_of(MASTER),
        relations(
            {
                "rId1": ("slideLayout", f"../{LAYOUT.decode()[4:]}"),
                "rId2": ("theme", f"../{THEME.decode()[4:]}"),
            }
        ),
    )
    package.put(
        package.relations_of(LAYOUT), relations({"rId1": ("slideMaster", f"../{MASTER.decode()[4:]}")})
    )


def _write_show(package: Package, slides: list[bytes], masters: list[bytes]) -> None:
    size = SIZE.search(package.text(SHOW))
    links: dict[str, tuple[str, str]] = {}
    tags: dict[str, str] = {"sldMaster": "", "sld": ""}
    for name in (*masters, *slides):
        kind = "sldMaster" if name in masters else "sld"
        link = f"rId{len(links) + 1}"
        first = FIRST_MASTER + (len(links) << 16) if name in masters else FIRST_SLIDE + len(links)
        tags[kind] += f'<p:{kind}Id id="{first}" r:id="{link}"/>'
        links[link] = ("slideMaster" if name in masters else "slide", name.decode().removeprefix("ppt/"))
    lists = "".join(f"<p:{kind}IdLst>{tag}</p:{kind}IdLst>" for kind, tag in tags.items() if tag).encode()
    notes = b'<p:notesSz cx="6858000" cy="9144000"/>'
    inner = lists + (size[0] if size else STANDARD) + notes
    package.put(SHOW, HEAD + b"<p:presentation %s>%s</p:presentation>" % (SPACES, inner))
    package.put(LINKS, relations(links))
