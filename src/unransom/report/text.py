"""The summary for a terminal: what came back, in counts that add up, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unransom.core.messages import Message, say
from unransom.report import charts, columns, figures, labels
from unransom.report.document import FamilyFacts, LostFacts, ProblemGroup, Result, SpaceFacts, Timeline
from unransom.report.tallies import Counts

SHOWN = 8  # entries of each list; the rest is counted
NAMED = 2  # examples of each entry
NARROWEST = 48  # columns
SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 32  # columns


def render(result: Result, language: str = "en", width: int = 80) -> str:
    """Return the summary in ``language``, lines of at most ``width`` columns with a line break each."""
    return _Summary(language, max(width, NARROWEST)).of(result)


def render_problems(result: Result, language: str = "en", width: int = 80) -> str:
    """Return the problems of ``result`` as the summary has them, "" where there are none."""
    return _Summary(language, max(width, NARROWEST)).problems(result)


class _Summary:
    """Writes one summary line by line."""

    def __init__(self, language: str, width: int) -> None:
        self._language = language
        self._width = width
        self._lines: list[str] = []

    def of(self, result: Result) -> str:
        """Return the summary of ``result``."""
        self._write(self._said(labels.headline(result)))
        self._heading(result)
        self._counts(result)
        self._section("families", self._families(result.families))
        self._section("attacks", self._attacks(result))
        self._section("timeline", self._timelines(result.timelines))
        self._section("lost", self._lost([each for each in result.losses if each.proven]))
        self._section("doubtful", self._lost([each for each in result.losses if not each.proven]))
        self._section("not_recovered", self._losses(result))
        self._section("spaces", self._spaces(result.spaces))
        self._section("problems", self._problems(result.problems))
        if result.next:
            self._write("")
            self._write(self._said(say("next: {what}", what=self._said(result.next))), hanging="      ")
        return "".join(line + "\n" for line in self._lines)

    def problems(self, result: Result) -> str:
        """Return the section about problems alone."""
        self._section("problems", self._problems(result.problems))
        return "".join(line + "\n" for line in self._lines[1:])

    def _said(self, message: Message) -> str:
        return figures.visible(message.render(self._language))

    def _write(self, text: str, indent: str = "", hanging: str = "") -> None:
        self._lines += columns.wrap(text, self._width, indent, hanging) if text else [""]

    def _section(self, label: str, lines: Iterator[str]) -> None:
        """Write a heading and ``lines`` under it; nothing where there are none."""
        body = list(lines)
        if body:
            self._lines += ["", self._said(labels.LABELS[label]), *body]

    def _rest(self, hidden: int, indent: str = "  ") -> Iterator[str]:
        if hidden > 0:
            yield indent + self._said(labels.more(hidden))

    def _heading(self, result: Result) -> None:
        case = result.case
        parts = (
            self._said(say("Case {name}", name=case.name)),
            self._said(say("sources: {count:,}", count=len(result.sources))),
            self._said(say("files: {count:,}", count=result.counts.total)),
            figures.size(result.sizes.total),
            self._said(say("time used: {spent}", spent=self._said(labels.spent(case)))),
        )
        self._write(" · ".join(parts))
        self._write("")

    def _counts(self, result: Result) -> None:
        """Write files and bytes by state, and the equation that the files add up in."""
        sizes = result.sizes.by_state()
        rows = [
            (
                self._said(labels.STATES[state]),
                figures.count(files),
                figures.share(files, result.counts.total),
                figures.size(sizes[state]),
            )
            for state, files in result.counts.by_state().items()
            if files
        ]
        if rows:
            self._lines += columns.table(rows, (False, True, True, True))
        self._write(self._equation(result.counts), "  ", "     ")
        if not (result.counts.adds_up and result.sizes.adds_up):
            self._write(self._said(labels.LABELS["does_not_add_up"]), "  ! ", "    ")
        outputs = sum(result.verdicts.by_grade().values())
        if outputs:
            self._write(self._verdicts(result, outputs), "  ", "  ")

    def _equation(self, counts: Counts) -> str:
        terms = [figures.count(files) for files in counts.by_state().values() if files] or ["0"]
        equation = say(
            "in {total:,} {equals} {terms}",
            total=counts.total,
            equals="=" if counts.adds_up else "≠",
            terms=" + ".join(terms),
        )
        return self._said(equation)

    def _verdicts(self, result: Result, outputs: int) -> str:
        verdict = say(
            "outputs shown to be right: {good:,} of {outputs:,} ({share})",
            good=result.verdicts.good,
            outputs=outputs,
            share=figures.share(result.verdicts.good, outputs),
        )
        return self._said(verdict)

    def _families(self, families: Sequence[FamilyFacts]) -> Iterator[str]:
        for family in families[:SHOWN]:
            outcome = labels.OUTCOMES.get(family.outcome)
            keys = " ".join(figures.visible(key.fingerprint) for key in family.keys[:NAMED])
            facts = [self._said(labels.whole_of(family)), self._said(outcome) if outcome else "", keys]
            yield from columns.wrap(figures.visible(family.title), self._width, "  ", "  ")
            yield from self._wrapped(" · ".join(fact for fact in facts if fact))
            if family.wanted:
                yield from self._wrapped(self._said(say("needed: {what}", what=self._said(family.wanted))))
        yield from self._rest(len(families) - SHOWN)

    def _attacks(self, result: Result) -> Iterator[str]:
        """Yield what all attacks come to, those that found a key or could, and what would help the others."""
        if result.attacks_verdict:
            yield from self._wrapped(self._said(result.attacks_verdict), "  ")
        promising = [each for each in result.attacks if each.outcome != "ruled_out"]
        for attack in promising[:SHOWN]:
            against = figures.visible(attack.family_title) or self._said(labels.LABELS["no_family"])
            outcome = self._said(labels.ATTACKS[attack.outcome])
            named = f"{self._said(attack.title)} · {against} · {outcome}"
            yield from columns.wrap(named, self._width, "  ", "    ")
            yield from self._wrapped(self._said(attack.why))
            if attack.cost:
                yield from self._wrapped(self._said(labels.cost(attack.seconds, attack.cost, self._said)))
        yield from self._rest(len(promising) - SHOWN)
        helps = dict.fromkeys(self._said(each.helps) for each in result.attacks if each.helps)
        for what in list(helps)[:SHOWN]:
            yield from columns.wrap(f"{self._said(labels.LABELS['helps'])} {what}", self._width, "  ", "    ")

    def _timelines(self, timelines: Sequence[Timeline]) -> Iterator[str]:
        for picture in charts.histograms(timelines[:SHOWN]):
            moments = f"{picture.source}  {picture.first} – {picture.last}  {self._said(picture.lasted)}"
            yield from columns.wrap(figures.visible(moments), self._width, "  ", "    ")
            yield "    " + sparkline(picture.bars, SPARK_WIDTH)
        for each in sorted(timelines[:SHOWN], key=lambda timeline: timeline.order):
            if each.folders:
                yield from columns.wrap(self._said(labels.speed(each)), self._width, "  ", "    ")
        yield from self._rest(len(timelines) - SHOWN)

    def _losses(self, result: Result) -> Iterator[str]:
        for group in result.not_recovered[:SHOWN]:
            loss = say(
                "{files:,} {state}: {reason}",
                files=group.files,
                state=self._said(labels.STATES[group.state]),
                reason=self._said(group.reason),
            )
            yield from columns.wrap(self._said(loss), self._width, "  ", "    ")
            yield from self._examples(group.examples, group.files)
        yield from self._rest(len(result.not_recovered) - SHOWN)

    def _lost(self, groups: Sequence[LostFacts]) -> Iterator[str]:
        for group in groups[:SHOWN]:
            yield from self._wrapped(self._said(labels.lost(group)), "  ")
            yield from self._wrapped(self._said(group.reason))
            for reference in group.references[:NAMED]:
                yield from self._wrapped(figures.visible(reference))
            yield from self._examples(group.examples, group.files)
        yield from self._rest(len(groups) - SHOWN)

    def _spaces(self, spaces: Sequence[SpaceFacts]) -> Iterator[str]:
        for space in spaces[:SHOWN]:
            yield from columns.wrap(figures.visible(space.source), self._width, "  ", "  ")
            for name, size in space.holds.by_class().items():
                if size:
                    amount = f"{figures.size(size)} ({figures.share(size, space.searched)})"
                    yield from self._wrapped(f"{self._said(labels.HOLDINGS[name])} · {amount}")
        yield from self._rest(len(spaces) - SHOWN)

    def _problems(self, groups: Sequence[ProblemGroup]) -> Iterator[str]:
        for group in groups[:SHOWN]:
            kind = self._said(labels.PROBLEMS.get(group.code, labels.OTHER_PROBLEMS))
            yield from self._wrapped(self._said(say("{kind}: {count:,}", kind=kind, count=group.count)), "  ")
            for each in group.examples[:NAMED]:
                yield self._item(each.item)
                yield from self._wrapped(self._said(each.what), "      ")
                yield from self._wrapped(self._said(each.resolution), "      ")
            yield from self._rest(group.count - min(NAMED, len(group.examples)), "    ")
        yield from self._rest(len(groups) - SHOWN)

    def _item(self, item: str) -> str:
        return "    " + columns.shorten(figures.visible(item), self._width - 4)

    def _examples(self, examples: Sequence[str], files: int) -> Iterator[str]:
        shown = examples[:NAMED]
        for each in shown:
            yield self._item(each)
        if shown:
            yield from self._rest(files - len(shown), "    ")

    def _wrapped(self, text: str, indent: str = "    ") -> Iterator[str]:
        yield from columns.wrap(text, self._width, indent, indent)


def sparkline(bars: Sequence[charts.Bar], width: int) -> str:
    """Return ``bars`` as one line of block characters; the highest that falls into a column counts."""
    heights = [0.0] * width
    for bar in bars:
        column = min(width - 1, int((bar.left + bar.width / 2) / 100 * width))
        heights[column] = max(heights[column], bar.height)
    return "".join(SPARKS[min(7, int(height / 100 * 8))] if height else " " for height in heights).rstrip()
