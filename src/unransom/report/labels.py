"""The words of the report: names of states, origins and verdicts, headings, and the sentence on top."""

from __future__ import annotations

from collections.abc import Callable

from unransom.core.messages import Message, say
from unransom.core.records import Grade, State
from unransom.core.spans import Origin
from unransom.report import figures
from unransom.report.attacks import AttackFacts, CostFacts
from unransom.report.document import CaseFacts, FamilyFacts, LostFacts, Result, Timeline
from unransom.report.tallies import Counts

STATES: dict[State, Message] = {
    State.INTACT: say("intact"),
    State.RECOVERED: say("recovered"),
    State.PARTIAL: say("recovered in part"),
    State.LOST: say("lost"),
    State.UNKNOWN: say("unknown"),
    State.SKIPPED: say("skipped"),
    State.FAILED: say("failed"),
}

ORIGINS: dict[Origin, Message] = {
    Origin.PLAIN: say("never locked"),
    Origin.UNLOCKED: say("unlocked with a proven key"),
    Origin.GUESSED: say("rebuilt or guessed"),
    Origin.LOST: say("lost, filled with zeros"),
}

GRADES: dict[Grade, Message] = {
    Grade.GOOD: say("shown to be right"),
    Grade.PARTIAL: say("right in part"),
    Grade.BAD: say("shown to be wrong"),
    Grade.UNKNOWN: say("cannot be shown either way"),
}

OUTCOMES: dict[str, Message] = {
    "found": say("proven key found"),
    "refused": say("no given key fits"),
    "unproven": say("a key fits, its output is not proven"),
    "none": say("no key of the right kind"),
}

ATTACKS: dict[str, Message] = {
    "found": say("found a key"),
    "searched": say("searched in full, no key"),
    "stopped": say("begun, not done"),
    "waiting": say("not begun yet"),
    "ruled_out": say("cannot work on what there is"),
}

KINDS: dict[str, Message] = {
    "folder": say("folder"),
    "file": say("single file"),
    "image": say("disk image"),
    "bucket": say("bucket"),
}

HOLDINGS: dict[str, Message] = {
    "zero": say("zeros"),
    "known": say("of files that are there and sound"),
    "locked": say("of locked files that are there"),
    "header": say("beginnings of files"),
    "database": say("pages of databases"),
    "text": say("text"),
    "dense": say("dense: packed, sealed or random"),
    "other": say("other"),
}

PROBLEMS: dict[str, Message] = {
    "key": say("Keys"),
    "output": say("Writing outputs"),
    "read": say("Reading evidence"),
    "name": say("File names"),
    "blamed": say("Items that stopped the run three times"),
    "changed": say("Evidence that changed"),
    "limit": say("Limits of time or memory"),
    "lacking": say("Parts that are not installed"),
    "bug": say("Faults of the program"),
}
OTHER_PROBLEMS = say("Other problems")

# What progress and times are about; on the command line and in the journal they keep their English names.
STEPS: dict[str, Message] = {
    "list": say("list"),
    "triage": say("triage"),
    "confirm": say("confirm"),
    "keys": say("keys"),
    "scheme": say("scheme"),
    "plan": say("plan"),
    "search": say("search"),
    "deep search": say("deep search"),
    "unlock": say("unlock"),
    "databases": say("databases"),
    "wanted": say("wanted"),
    "copy": say("copy"),
    "integrity": say("integrity"),
    "look": say("look"),
    "carve": say("carve"),
    "repair": say("repair"),
    "acquire": say("acquire"),
    "match": say("match"),
    "fill": say("fill"),
    "undo": say("undo"),
    "probes": say("probes"),
    "scan": say("scan"),
    "versions": say("versions"),
}

LABELS: dict[str, Message] = {
    "report": say("Recovery report"),
    "case": say("Case"),
    "command": say("Command"),
    "created": say("Made"),
    "case_created": say("Case opened"),
    "exit_code": say("Exit code"),
    "in_all": say("in all"),
    "files": say("Files"),
    "bytes": say("Bytes"),
    "size": say("Size"),
    "whole_again": say("Locked files whole again"),
    "bytes_again": say("Locked bytes whole again"),
    "outputs_right": say("Outputs shown to be right"),
    "keys_proven": say("Keys proven"),
    "time_used": say("Time used"),
    "no_deadline": say("no deadline set"),
    "accounts": say("Every file is accounted for"),
    "does_not_add_up": say("These counts do not add up. Do not rely on this report; report the fault."),
    "origins": say("Where the bytes that came back are from"),
    "verdicts": say("How far the outputs are shown to be right"),
    "timeline": say("When the files were locked"),
    "order": say("Order"),
    "folders_in_order": say("Folders in the order they were locked"),
    "timeline_hint": say("Times are UTC, as the file systems recorded them."),
    "first": say("First"),
    "last": say("Last"),
    "lasted": say("Lasted"),
    "busiest": say("Most at once"),
    "families": say("What locked them"),
    "really_encrypted": say("Really encrypted"),
    "opened_by": say("Opened by"),
    "wanted": say("Needed from a key holder"),
    "limitations": say("Limits"),
    "references": say("References"),
    "attacks": say("Attacks on the keys"),
    "attack": say("Attack"),
    "outcome": say("Outcome"),
    "chance": say("Chance"),
    "cost": say("Time of one core"),
    "each_cost": say("for each file"),
    "helps": say("What would help:"),
    "no_family": say("a locker that is not known"),
    "partial_files": say("Files that came back in part"),
    "repaired_files": say("Files that were rebuilt from what is left"),
    "repaired_hint": say("They open in their usual programs. Of each it is told what is missing."),
    "lost_there": say("Missing:"),
    "instead": say("Use this instead, which came back later:"),
    "partial_hint": say("Each strip is one file from its first byte to its last."),
    "not_exact": say("drawn coarsely; the figures are exact"),
    "not_recovered": say("What did not come back whole, and why"),
    "lost": say("Lost: do not pay for these, no key can bring them back"),
    "doubtful": say("May be lost: find out before anyone pays"),
    "spaces": say("What was searched for deleted files"),
    "spaces_hint": say("Every cluster is of one class; the classes add up to what was searched."),
    "searched": say("Searched"),
    "share": say("Share"),
    "reason": say("Why"),
    "state": say("State"),
    "examples": say("for example"),
    "nothing_missing": say("Nothing is missing."),
    "problems": say("Problems"),
    "no_problems": say("No problems."),
    "formats": say("Outputs by file format"),
    "format": say("Format"),
    "unknown_format": say("not recognised"),
    "good": say("Right"),
    "in_part": say("In part"),
    "bad": say("Wrong"),
    "unknown": say("Unknown"),
    "notes": say("Ransom notes and other findings"),
    "throughput": say("How the time was spent"),
    "step": say("Step"),
    "time": say("Time"),
    "files_per_second": say("files/s"),
    "megabytes_per_second": say("MB/s"),
    "files_per_minute": say("files/min"),
    "megabytes_per_minute": say("MB/min"),
    "bytes_read": say("Read from the evidence"),
    "sources": say("Evidence"),
    "source": say("Source"),
    "kind": say("Kind"),
    "location": say("Location"),
    "fingerprint": say("Fingerprint"),
    "each_file": say("each file on its own"),
    "provenance": say("Where this report comes from"),
    "verify": say("How to verify it"),
    "verify_chain": say("Check the evidence chain and every output against it:"),
    "verify_files": say("List every file with its digests and verdict:"),
    "verify_again": say("The figures are also in result.json beside this page, for programs."),
    "next": say("What to do next"),
}


def speed(timeline: Timeline) -> Message:
    """Return how fast a source was locked, and in which order."""
    return say(
        "{order}. {source}: {files} files and {size} MB a minute, in this order: {folders}",
        order=timeline.order,
        source=timeline.source,
        files=figures.rate(60 * timeline.files_per_second),
        size=figures.rate(60 * timeline.bytes_per_second / 1e6),
        folders=", ".join(timeline.folders),
    )


def headline(result: Result) -> Message:
    """Return in one sentence what came back."""
    counts = result.counts
    if counts.total == 0:
        return say("No files were found in the evidence.")
    if counts.locked == 0:
        return _nothing_locked(counts)
    if counts.whole == counts.locked:
        if counts.locked == 1:
            return say("The one locked file came back whole.")
        return say("All {locked:,} locked files came back whole.", locked=counts.locked)
    if counts.whole + counts.partial == 0:
        if counts.locked == 1:
            return say("The one locked file has not come back.")
        return say("None of the {locked:,} locked files has come back.", locked=counts.locked)
    return _some(counts)


def _nothing_locked(counts: Counts) -> Message:
    if counts.carved:
        return say(
            "No locked files were found among {total:,}; deleted files that came back: {carved:,}.",
            total=counts.total,
            carved=counts.carved,
        )
    return say("No locked files were found among {total:,}.", total=counts.total)


def _some(counts: Counts) -> Message:
    if counts.partial == 0:
        return say(
            "{recovered:,} of {locked:,} locked files came back whole.",
            recovered=counts.whole,
            locked=counts.locked,
        )
    return say(
        "{recovered:,} of {locked:,} locked files came back whole, {partial:,} in part.",
        recovered=counts.whole,
        locked=counts.locked,
        partial=counts.partial,
    )


def spent(case: CaseFacts) -> Message:
    """Return the time used, against the deadline where there is one."""
    used = f"{case.used_hours:,.1f}"
    if case.deadline_hours is None:
        return say("{used} h", used=used)
    return say("{used} h of {deadline:g} h", used=used, deadline=case.deadline_hours)


def whole_of(family: FamilyFacts) -> Message:
    """Return how many files of ``family`` came back whole."""
    return say(
        "{recovered:,} of {files:,} files came back whole", recovered=family.recovered, files=family.files
    )


def searched(attack: AttackFacts) -> Message | None:
    """Return how far a search got, None where nothing was tried."""
    if not attack.tried:
        return None
    return say(
        "{tried:,} keys tried, {share} of the search done",
        tried=attack.tried,
        share=figures.share(attack.done, 1),
    )


def cost(seconds: float, facts: CostFacts, said: Callable[[Message], str]) -> Message:
    """Return how long a search takes.

    Args:
        seconds: Of one core.
        facts: The same on this machine, and on several.
        said: Renders a message.
    """
    return say(
        "one core: {core}; this machine, {cores} cores: {here}; {machines} machines like it: {together}",
        core=said(figures.duration(seconds)),
        cores=facts.cores,
        here=said(figures.duration(facts.seconds_here)),
        machines=facts.machines,
        together=said(figures.duration(facts.seconds_together)),
    )


def lost(group: LostFacts) -> Message:
    """Return what is lost for one reason, and how much of it."""
    if not group.size:
        return say("{title} · files: {files:,}", title=group.title, files=group.files)
    return say(
        "{title} · files: {files:,} · gone: {size}",
        title=group.title,
        files=group.files,
        size=figures.size(group.size),
    )


def more(hidden: int) -> Message:
    """Return how many further items are not listed."""
    return say("and {hidden:,} more", hidden=hidden)
