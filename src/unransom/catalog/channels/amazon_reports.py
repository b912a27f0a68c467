"""Amazon, Reports API: what a report covers and whether it was made; it has no orders itself."""

from __future__ import annotations

from unransom.catalog.exports.channel import Channel, Export, Source
from unransom.catalog.exports.documents import Document, recogniser, text
from unransom.catalog.exports.pages import instant, pages_export
from unransom.core.messages import Message, say


def _read(source: Source) -> Export:
    document = Document(source)
    notes: list[Message] = []
    for report in document.find(lambda entry: "reportId" in entry and "reportType" in entry):
        for name in ("dataStartTime", "dataEndTime"):
            instant(text(report, name))  # raises where it is no time
        notes.append(
            say(
                "report {id}, {type}: {status}, from {start} to {end}",
                id=text(report, "reportId"),
                type=text(report, "reportType"),
                status=text(report, "processingStatus"),
                start=text(report, "dataStartTime"),
                end=text(report, "dataEndTime"),
            )
        )
    return pages_export(source, document, CHANNEL.name, CHANNEL.realm, notes=notes)


CHANNEL = Channel(
    name="amazon_reports",
    title="Amazon Reports API 2021-06-30 (JSON)",
    realm="amazon",
    recognise=recogniser(("reportId", "reportDocumentId"), ("reportType", "processingStatus", "url")),
    read=_read,
    references=("https://developer-docs.amazon.com/sp-api/docs/reports-api-v2021-06-30-reference",),
)
