"""Of a partly locked document the text that is left is in the rebuilt one, which opens."""

import io
import re
from xml.etree import ElementTree

import docx
import pytest

from tests.catalog.formats.repair.damage import chance, damaged, heads_left, holes, written
from unransom.catalog.formats.ooxml import FORMAT
from unransom.catalog.formats.repair import ooxml
from unransom.catalog.formats.repair._markup import close
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

WORDS = ["order", "shop", "stock", "price", "refund", "数量", "customer", "invoice", "Größe", "paid"]


def made(paragraphs=9000):
    draw = chance(8)
    document = docx.Document()
    body = document.element.body
    pattern = document.add_paragraph("")
    for _ in range(paragraphs):
        text = " ".join(draw.choice(WORDS) + str(draw.randrange(10**7)) for _ in range(12))
        copy = docx.oxml.parse_xml(pattern._p.xml)
        copy.add_r().text = text
        body.insert(len(body) - 1, copy)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


DATA = made()


@pytest.mark.parametrize("told", [False, True], ids=["found", "told"])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_every_paragraph_that_is_left_is_in_the_rebuilt_document(how, told):
    spans = holes(len(DATA), how)
    heads = {name: head for name, head, _ in heads_left(DATA, spans)}
    left = len(re.findall(rb"</w:p>|<w:p/>", heads["word/document.xml"]))
    repaired = ooxml.repair(damaged(DATA, spans, b"a.docx", told=told))
    if not left:
        return
    out = written(repaired)
    assert FORMAT.validate(BytesReader(out)).grade is Grade.GOOD
    before = [paragraph.text for paragraph in docx.Document(io.BytesIO(DATA)).paragraphs]
    after = [paragraph.text for paragraph in docx.Document(io.BytesIO(out)).paragraphs]
    assert after[:left] == before[:left]
    assert len(after) <= left + 1
    assert repaired.beside[0].data.decode().startswith("\n".join(before[: left // 2]).lstrip())


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_markup_that_breaks_off_anywhere_is_closed(cut):
    text = '<a x="1>2"><b>one &amp; two</b><c><d/>grün</c><e y=\'"\'><f>three</f></e></a>'.encode()
    ElementTree.fromstring(close(text[: max(cut % len(text), 12)]))
