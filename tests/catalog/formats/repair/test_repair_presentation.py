"""Of a partly locked presentation every slide that is left is shown by parts that are all there."""

import io
import posixpath
import re
import zipfile
from xml.etree import ElementTree

import pytest

from tests.catalog.formats.repair.damage import chance, damaged, heads_left, holes, written
from unransom.catalog.formats.repair import ooxml
from unransom.catalog.formats.repair._package import relations, types

SLIDES = 60
KIND = "application/vnd.openxmlformats-officedocument.presentationml."


def made():
    """Return a presentation, the parts that hold it together first, as python-pptx puts them."""
    draw = chance(17)
    space = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats'
        '.org/presentationml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    )
    listed = "".join(f'<p:sldId id="{300 + n}" r:id="rId{9 + n}"/>' for n in reversed(range(SLIDES)))
    masters = '<p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst>'
    show = f'{masters}<p:sldIdLst>{listed}</p:sldIdLst><p:sldSz cx="1" cy="2"/><p:notesSz cx="1" cy="1"/>'
    links = {"rId1": ("slideMaster", "slideMasters/slideMaster1.xml")}
    links |= {f"rId{9 + n}": ("slide", f"slides/slide{n + 1}.xml") for n in range(SLIDES)}
    parts = {
        "_rels/.rels": relations({"rId1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f"<p:presentation {space}>{show}</p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(links),
        "ppt/slideMasters/slideMaster1.xml": f"<p:sldMaster {space}><p:cSld/></p:sldMaster>",
        "ppt/slideMasters/_rels/slideMaster1.xml.rels": relations(
            {
                "r1": ("slideLayout", "../slideLayouts/slideLayout7.xml"),
                "r2": ("theme", "../theme/theme1.xml"),
            }
        ),
        "ppt/slideLayouts/slideLayout7.xml": f"<p:sldLayout {space}><p:cSld/></p:sldLayout>",
        "ppt/slideLayouts/_rels/slideLayout7.xml.rels": relations(
            {"r1": ("slideMaster", "../slideMasters/slideMaster1.xml")}
        ),
        "ppt/theme/theme1.xml": f"<a:theme {space}>{draw.randbytes(4000).hex()}</a:theme>",
    }
    for n in range(1, SLIDES + 1):
        text = "".join(f"<a:p><a:r><a:t>{n} {draw.randbytes(30).hex()}</a:t></a:r></a:p>" for _ in range(90))
        parts[f"ppt/slides/slide{n}.xml"] = (
            f"<p:sld {space}><p:cSld><p:txBody>{text}</p:txBody></p:cSld></p:sld>"
        )
        parts[f"ppt/slides/_rels/slide{n}.xml.rels"] = relations(
            {"rId1": ("slideLayout", "../slideLayouts/slideLayout7.xml")}
        )
    kinds = {"ppt/presentation.xml": f"{KIND}presentation.main+xml"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types(kinds))
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


DATA = made()


def targets(archive, name):
    """Return the parts that a part links to, by identifier."""
    folder, _, last = name.rpartition("/")
    root = ElementTree.fromstring(archive.read(f"{folder}/_rels/{last}.rels".lstrip("/")))
    return {each.get("Id"): posixpath.normpath(posixpath.join(folder, each.get("Target"))) for each in root}


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_every_slide_that_is_left_is_shown(how, told):
    spans = holes(len(DATA), how)
    archive = zipfile.ZipFile(io.BytesIO(written(ooxml.repair(damaged(DATA, spans, b"a.pptx", told)))))
    names = set(archive.namelist())
    for name in names:
        ElementTree.fromstring(archive.read(name))
    assert targets(archive, "")["rId1"] == "ppt/presentation.xml"
    links = targets(archive, "ppt/presentation.xml")
    assert set(links.values()) <= names
    show = archive.read("ppt/presentation.xml").decode()
    shown = [links[link] for link in re.findall(r'<p:sldId id="\d+" r:id="(\w+)"', show)]
    left = [
        name for name, head, _ in heads_left(DATA, spans) if "ppt/slides/slide" in name and b"<a:t>" in head
    ]
    assert set(left) <= set(shown)
    types_ = archive.read("[Content_Types].xml").decode()
    for slide in shown:
        [layout] = targets(archive, slide).values()
        [master] = targets(archive, layout).values()
        assert layout in targets(archive, master).values()
        assert all(f'/{name}"' in types_ for name in (slide, layout, master))
        assert links.keys() >= {key for key, value in links.items() if value == master}
    if how == "tail":  # the list of slides is left, with its order
        assert shown == sorted(shown, key=lambda name: -int(re.findall(r"\d+", name)[-1]))
