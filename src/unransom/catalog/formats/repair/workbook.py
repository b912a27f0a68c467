"""Excel workbooks (xlsx, xlsm): every cell that is left, in a workbook that opens, the lost ones named."""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr, unescape

from unransom.catalog.formats.repair import _sheets as sheets
from unransom.catalog.formats.repair._behind import Behind, behind
from unransom.catalog.formats.repair._dialects import normal
from unransom.catalog.formats.repair._package import (
    HEAD,
    OFFICE,
    ROOT,
    TYPES,
    Package,
    attributes,
    relations,
    types,
)
from unransom.catalog.formats.repair._zip_writer import archive
from unransom.catalog.formats.repair.repair import LISTED, Count, Damaged, Repaired
from unransom.core.messages import Message, say

BOOK = b"xl/workbook.xml"
LINKS = b"xl/_rels/workbook.xml.rels"
TEXTS = b"xl/sharedStrings.xml"
STYLES = b"xl/styles.xml"
PROPERTIES = b"docProps/app.xml"
SHEETS = r"xl/worksheets/[^/]+\.xml"
SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^<>]*>")
PIVOTS = b"xl/pivot"
NUMBER = re.compile(rb"/sheet(\d{1,5})\.xml\Z")
MOST = 1000  # sheets that places are kept for
TITLE = re.compile(rb"<vt:lpstr>([^<]*)</vt:lpstr>")
TITLES = re.compile(rb"<TitlesOfParts>.*?</TitlesOfParts>", re.DOTALL)
LINKED = re.compile(
    rb"<(drawing|legacyDrawing|legacyDrawingHF|picture|hyperlink|tablePart|control|oleObject"
    rb'|externalReference|pivotCache)\b[^<>]*\br:id="([^"]*)"'
    rb"[^<>]*?(?:/>|>.*?</\1>)",
    re.DOTALL,
)
HOLDERS = re.compile(
    rb"<(hyperlinks|tableParts|controls|oleObjects|externalReferences|pivotCaches)\b[^<>]*>\s*</\1>"
)
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml."
LOST_TEXT = "lost text"


class _Rebuild:
    """A workbook that is being rebuilt."""

    def __init__(self, damaged: Damaged) -> None:
        self.package = Package(damaged, normal)
        self.names: dict[bytes, str] = {}  # sheets by part
        self.missing: list[Message] = []
        self.lost: list[str] = []
        self.cells = 0
        self.sound = sum(member.whole for member in self.package.found.values())

    def run(self) -> bool:
        """Rebuild all parts; return whether there is a cell."""
        self._find_sheets()
        for name in self.names:
            self._sheet(name)
        self._texts()
        self._styles()
        self._others()
        self._book()
        self.package.settle()
        return self.cells > 0

    def _find_sheets(self) -> None:
        """Find the sheets and their titles, in order."""
        package = self.package
        targets = package.targets(BOOK) if package.whole(LINKS) else {}
        listed = SHEET.findall(package.text(BOOK))
        for number, tag in enumerate(listed, 1):
            fields = attributes(tag)
            link = next((value for key, value in fields.items() if key.endswith(b":id")), b"")
            part = targets.get(link, b"xl/worksheets/sheet%d.xml" % number)
            self.names[part] = unescape(fields.get(b"name", b"").decode("utf-8", "replace"), {"&quot;": '"'})
        block = TITLES.search(package.text(PROPERTIES))
        titles = [
            unescape(each.decode("utf-8", "replace")) for each in TITLE.findall(block[0] if block else b"")
        ]
        parts = package.named(SHEETS)
        if not listed:  # sheets that nothing is left of keep their places
            highest = max((int(number) for part in parts for number in NUMBER.findall(part)), default=0)
            every = [b"xl/worksheets/sheet%d.xml" % number for number in range(1, min(highest, MOST) + 1)]
            parts = every + [part for part in parts if part not in every]
        for number, part in enumerate(parts):
            known = titles[number] if number < len(titles) and not listed else f"Sheet{number + 1}"
            if part not in self.names:
                self.names[part] = (
                    known if known not in self.names.values() else f"Sheet {number + 1} (found)"
                )

    def _sheet(self, name: bytes) -> None:
        package = self.package
        if package.whole(name):
            self.cells += sheets.cells_of(package.text(name))
            return
        title = self.names[name]
        sheet = sheets.cut_sheet(package.text(name))
        found = behind(package, name, sheet, [each for each in self.names if each != name])
        package.new[name] = sheet.data.removesuffix(sheets.SHEET_END) + found.rows + sheets.SHEET_END
        self.cells += sheet.cells + found.cells
        self.lost += [f"{title}!{cell}" for cell in found.lost]
        if found.first:
            self._tell_behind(title, sheet, found)
        elif not sheet.cells:
            self.missing.append(say("sheet {sheet} is lost", sheet=title))
            self.lost.append(f"{title}!A1:…")
        else:
            ranges = sheet.lost()
            self.lost += [f"{title}!{each}" for each in ranges]
            self.missing.append(
                say(
                    "sheet {sheet} ends behind cell {cell}: {lost} is lost",
                    sheet=title,
                    cell=f"{sheet.column}{sheet.row}",
                    lost=", ".join(ranges),
                )
            )

    def _tell_behind(self, title: str, sheet: sheets.Sheet, found: Behind) -> None:
        """Tell of a sheet of which rows behind a hole came back."""
        self.missing.append(
            say(
                "sheet {sheet}: {count} cells came back from behind a hole; {lost} there, and rows {first} to"
                " {last}, are lost",
                sheet=title,
                count=found.cells,
                lost=len(found.lost),
                first=sheet.row + 1,
                last=found.first - 1,
            )
        )
        self.lost.append(f"{title}!{sheet.row + 1}:{found.first - 1}")

    def _texts(self) -> None:
        """Complete the shared texts; a lost one is named where a cell refers to it."""
        package = self.package
        if package.whole(TEXTS):
            return
        cells = [
            (f"{self.names[name]}!{cell}", number)
            for name in self.names
            for cell, number in sheets.shared_cells(package.text(name))
        ]
        wanted = max((number for _, number in cells), default=-1)
        if wanted < 0 and TEXTS not in package.found:
            return
        data, left, total = sheets.cut_texts(package.text(TEXTS), wanted, LOST_TEXT)
        package.new[TEXTS] = HEAD + data
        if left < total:
            self.missing.append(
                say(
                    "{lost} of {total} shared texts are lost; their cells say which",
                    lost=total - left,
                    total=total,
                )
            )
        self.lost += [cell for cell, number in cells if number >= left][:LISTED]
        self.cells -= sum(number >= left for _, number in cells)

    def _styles(self) -> None:
        package = self.package
        if package.whole(STYLES):
            return
        used = sheets.styles_of(package.text(name) for name in self.names)
        package.new[STYLES] = HEAD + sheets.plain_styles(used + 1)
        self.missing.append(say("the formats of the cells are lost: dates are shown as numbers"))

    def _others(self) -> None:
        """Leave out other damaged parts, and what refers to them."""
        package = self.package
        own = {BOOK, LINKS, TEXTS, STYLES, TYPES, ROOT, *self.names}
        for name, member in package.found.items():
            if not member.whole and name not in own:
                package.drop(name)
                self.missing.append(
                    say("part {name} is left out: it is damaged", name=name.decode("utf-8", "replace"))
                )
        for name in package.drop_dangling(own):
            self.missing.append(
                say("part {name} is left out: it is damaged", name=name.decode("utf-8", "replace"))
            )
        pivots = [name for name in package.found if name.startswith(PIVOTS)]
        caches = {name for name in package.targets(BOOK).values() if name.startswith(PIVOTS)}
        unsound = {name for name in (*pivots, *caches, BOOK, LINKS) if not package.whole(name)}
        if unsound:
            package.dropped.update(pivots)  # they hold only together
        for name in (BOOK, *self.names):
            self._unlink(name)

    def _unlink(self, sheet: bytes) -> None:
        """Take from a sheet what links to parts that are not there."""
        package = self.package
        text = package.text(sheet)
        if b"r:id=" not in text:
            return
        links = package.relations_of(sheet)
        targets, external = (
            (package.targets(sheet), package.text(links)) if package.whole(links) else ({}, b"")
        )

        def keep(found: re.Match[bytes]) -> bytes:
            target = targets.get(found[2])
            there = target in package.found and target not in package.dropped
            return found[0] if there or (b'Id="' + found[2] + b'"' in external and target is None) else b""

        changed = HOLDERS.sub(b"", LINKED.sub(keep, text))
        if changed != text:
            package.new[sheet] = changed

    def _book(self) -> None:
        """Write the parts that hold the package together, as far as they are lost."""
        package = self.package
        for name in self.names:
            if name not in package.found and name not in package.new:
                package.new[name] = sheets.EMPTY
        if not (package.whole(BOOK) and package.whole(LINKS)):
            self._write_book()
        if not package.whole(ROOT):
            package.new[ROOT] = relations({"rId1": ("officeDocument", "xl/workbook.xml")})
        if not package.whole(TYPES) or not package.whole(BOOK) or not package.whole(LINKS):
            package.new[TYPES] = self._types()

    def _write_book(self) -> None:
        package = self.package
        tags = "".join(
            f'<sheet name={quoteattr(title)} sheetId="{number}" r:id="rId{number}"/>'
            for number, title in enumerate(self.names.values(), 1)
        )
        space = f'xmlns="{sheets.MAIN.decode()}" xmlns:r="{OFFICE}"'
        package.new[BOOK] = HEAD + f"<workbook {space}><sheets>{tags}</sheets></workbook>".encode()
        links = {
            f"rId{number}": ("worksheet", part.decode("utf-8", "replace").removeprefix("xl/"))
            for number, part in enumerate(self.names, 1)
        }
        for number, part in enumerate((STYLES, TEXTS), len(links) + 1):
            if package.whole(part) or part in package.new:
                links[f"rId{number}"] = (part.decode()[3:-4], part.decode()[3:])
        package.new[LINKS] = relations(links)
        self.missing.append(say("the list of sheets is lost: their names may be others"))

    def _types(self) -> bytes:
        kinds = {"xl/workbook.xml": f"{KIND}sheet.main+xml"}
        kinds |= {part.decode("utf-8", "replace"): f"{KIND}worksheet+xml" for part in self.names}
        for part in (STYLES, TEXTS):
            if self.package.whole(part) or part in self.package.new:
                kinds[part.decode()] = f"{KIND}{part.decode()[3:-4]}+xml"
        for pattern, kind in OTHER_TYPES.items():
            kinds |= {part.decode("utf-8", "replace"): kind for part in self.package.named(pattern)}
        return types(kinds)


OTHER_TYPES = {
    r"xl/theme/[^/]+\.xml": "application/vnd.openxmlformats-officedocument.theme+xml",
    r"xl/drawings/[^/]+\.xml": "application/vnd.openxmlformats-officedocument.drawing+xml",
    r"xl/charts/chart\d*\.xml": "application/vnd.openxmlformats-officedocument.drawingml.chart+xml",
    r"xl/comments[^/]*\.xml": f"{KIND}comments+xml",
    r"xl/tables/[^/]+\.xml": f"{KIND}table+xml",
    r"docProps/core\.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    r"docProps/app\.xml": "application/vnd.openxmlformats-officedocument.extended-properties+xml",
}


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild a workbook; None where no cell is left."""
    rebuild = _Rebuild(damaged)
    if not rebuild.run():
        return None
    members = rebuild.package.found
    return Repaired(
        archive(damaged, rebuild.package.contents()),
        say("the workbook was put together anew; {count} parts were rebuilt", count=len(rebuild.package.new)),
        (Count("members", rebuild.sound, len(members)), Count("cells", rebuild.cells)),
        tuple(rebuild.missing),
        tuple(rebuild.lost[:LISTED]),
        rebuild.package.left_out(),
    )
