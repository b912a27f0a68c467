"""Result documents for the tests: an ordinary case, an empty one, a hostile one and a huge one."""

import math

from tests.report.sample_spaces import space
from unransom.core.clock import rfc3339
from unransom.core.messages import Message, say
from unransom.core.records import State
from unransom.core.spans import ByteMap, Origin, Run
from unransom.report.bytemap import condense
from unransom.report.document import (
    Bucket,
    CaseFacts,
    FamilyFacts,
    FormatFacts,
    KeyFacts,
    LossGroup,
    NoteFacts,
    PartialFile,
    ProblemExample,
    ProblemGroup,
    Result,
    SourceFacts,
    Timeline,
)
from unransom.report.tallies import Counts, Grades, Origins, StepTime, Throughput

ATTACK = 1_772_414_047_000_000_000  # 2026-03-02T01:14:07Z
MINUTE = 60_000_000_000


def timeline(source: str, begin: int, minutes: int, most: int) -> Timeline:
    """A locking that starts fast, pauses once and fades."""
    shape = [
        most * abs(math.sin(minute / 5) + 1.3) / 2.3 * math.exp(-minute / minutes)
        for minute in range(minutes)
    ]
    buckets = tuple(
        Bucket(
            start=rfc3339(begin + index * MINUTE), seconds=60.0, files=int(files), size=int(files) * 7_000_000
        )
        for index, files in enumerate(shape)
        if not minutes // 2 < index < minutes // 2 + 4
    )
    last = rfc3339(begin + minutes * MINUTE)
    return Timeline(source=source, first=rfc3339(begin), last=last, origin="ntfs mtime", buckets=buckets)


def partial_file(path: str, *runs: tuple[int, Origin], why: str = "") -> PartialFile:
    byte_map = ByteMap()
    for length, origin in runs:
        byte_map.append(length, origin)
    kept = condense(byte_map.runs)
    return PartialFile(
        path=path,
        size=byte_map.size,
        origins=Origins.of(byte_map),
        runs=kept,
        exact=len(kept) == len(byte_map.runs),
        why=say("The first bytes were overwritten before the copy was made.") if why else None,
    )


def unreadable(length: int, offset: int) -> Message:
    return say("{length:,} bytes at offset {offset:,} cannot be read", length=length, offset=offset)


def ordinary() -> Result:
    """A company of 1.2 million files, hit by two families, mostly recovered."""
    counts = Counts.of(
        {
            State.INTACT: 792_610,
            State.RECOVERED: 408_112,
            State.PARTIAL: 731,
            State.LOST: 2_163,
            State.UNKNOWN: 1_000,
            State.SKIPPED: 251,
            State.FAILED: 14,
        }
    )
    sizes = Counts.of(
        {
            State.INTACT: 3_104_551_870_221,
            State.RECOVERED: 1_482_004_117_930,
            State.PARTIAL: 77_310_554_112,
            State.LOST: 8_220_118_300,
            State.UNKNOWN: 1_118_440_009,
            State.FAILED: 60_112_900,
        }
    )
    mega = 1_000_000
    return Result(
        version="0.1.0",
        created="2026-03-02T19:40:12Z",
        case=CaseFacts(
            name="acme-2026-03",
            folder="/cases/acme-2026-03",
            created="2026-03-02T07:31:00Z",
            started="2026-03-02T07:00:00Z",
            deadline_hours=48,
            used_hours=12.67,
        ),
        command="unransom recover /mnt/file01 /mnt/esx02.vmdk s3://acme-backup --case /cases/acme-2026-03 "
        "--key keys/server.pem --manifest sums.txt",
        exit_code=3,
        sources=(
            SourceFacts(
                id="file01",
                kind="folder",
                location="/mnt/file01",
                files=1_011_402,
                size=3_920_114_220_113,
            ),
            SourceFacts(
                id="esx02",
                kind="image",
                location="/mnt/esx02.vmdk",
                files=180_311,
                size=749_330_117_402,
                fingerprint="749330117402:1772411922000000000",
            ),
            SourceFacts(
                id="acme-backup",
                kind="bucket",
                location="s3://acme-backup/2026",
                files=13_168,
                size=3_820_835_957,
            ),
        ),
        counts=counts,
        sizes=sizes,
        origins=Origins(
            plain=702_114_556_021, unlocked=849_003_228_991, guessed=6_119_004_112, lost=2_077_882_918
        ),
        verdicts=Grades(good=407_950, partial=731, bad=3, unknown=159),
        families=(
            FamilyFacts(
                name="inc",
                title="INC / Lynx",
                files=408_902,
                size=1_540_204_117_930,
                recovered=408_101,
                partial=720,
                encrypted_share=0.4803,
                keys=(
                    KeyFacts(
                        fingerprint="9f13c2aa01b7d4e6",
                        bits=128,
                        proof=say("{count} files verify", count=408_101),
                    ),
                ),
                outcome="found",
                why=say("The key opens every file with the same public key."),
                limitations=("Files over 4 GiB were tried on one sample only.",),
                references=("https://github.com/rivitna/Malware",),
            ),
            FamilyFacts(
                name="phobos",
                title="Phobos / 8Base",
                files=2_104,
                size=30_554_118_220,
                recovered=11,
                partial=11,
                encrypted_share=0.0031,
                outcome="refused",
                why=say("The wrapped key does not open with any of 3 keys."),
                wanted=say("The attackers' RSA-1024 private key for the identifier {id}", id="1E857D00-3351"),
                references=("https://github.com/rivitna/Malware",),
            ),
        ),
        timelines=(
            timeline("file01", ATTACK, 58, 17_600),
            timeline("esx02", ATTACK + 21 * MINUTE, 34, 2_100),
        ),
        notes=(
            NoteFacts(
                item="file01:Finance/INC-README.txt",
                what=say("A ransom note of {family}", family="INC"),
                facts={"victim": "65A0C1D2E3F4", "contact": "incpaysoff…onion"},
            ),
        ),
        notes_total=1_873,
        problems=(
            ProblemGroup(
                code="read",
                count=13,
                examples=(
                    ProblemExample(
                        item="esx02:/Users/财务/2025年报表.xlsx",
                        what=unreadable(4096, 81_920),
                        resolution=say("The range is filled with zeros and marked as lost."),
                        fatal=False,
                    ),
                    ProblemExample(
                        item="esx02:/Users/mira/archive-2019.pst",
                        what=unreadable(65_536, 0),
                        resolution=say("Read the disk again with another reader."),
                    ),
                ),
            ),
            ProblemGroup(
                code="blamed",
                count=1,
                examples=(
                    ProblemExample(
                        item="file01:Scans/odd.tiff",
                        what=say("The run stopped three times while this file was worked on."),
                        resolution=say("It is left out; `unransom repair` can try it alone."),
                    ),
                ),
            ),
        ),
        spaces=(space("esx02"),),
        partial_files=(
            partial_file(
                "recovered/esx02/vm/sql01-flat.vmdk",
                (256 * 1024, Origin.LOST),
                (31_000 * mega, Origin.PLAIN),
                (8 * mega, Origin.GUESSED),
                (11_000 * mega, Origin.PLAIN),
                (256 * 1024, Origin.LOST),
                why="head",
            ),
            partial_file(
                "recovered/file01/仓库/库存 2026-02.mdf",
                *[(mega, Origin.UNLOCKED), (2 * mega, Origin.PLAIN)] * 60,
                (14 * mega, Origin.LOST),
                *[(mega, Origin.UNLOCKED), (2 * mega, Origin.PLAIN)] * 30,
                (9 * mega, Origin.GUESSED),
            ),
            partial_file(
                "recovered/file01/Media/spot-final.mov",
                *[(64, Origin.GUESSED), (128, Origin.PLAIN)] * 900,
                (40_000, Origin.LOST),
            ),
        ),
        not_recovered=(
            LossGroup(
                state=State.LOST,
                reason=say("No key: the wrapped key does not open with any key given."),
                files=2_082,
                size=8_101_118_300,
                examples=(
                    "file01:Archive/2019/contract.docx.id[1E857D00].eight",
                    "file01:Archive/2019/报价单.xlsx.id[1E857D00].eight",
                ),
            ),
            LossGroup(
                state=State.UNKNOWN,
                reason=say("High entropy, no mark of a known family, and no format to check against."),
                files=1_000,
                size=1_118_440_009,
                examples=("file01:Build/cache/0a/ff31",),
            ),
            LossGroup(
                state=State.PARTIAL,
                reason=say("Three stretches of 256 KiB were moved into the footer, which is cut off."),
                files=731,
                size=77_310_554_112,
                examples=("esx02:/vm/sql01-flat.vmdk",),
            ),
        ),
        formats=(
            FormatFacts(
                name="jpeg", title="JPEG", files=190_332, size=410_223_117_000, good=190_330, unknown=2
            ),
            FormatFacts(
                name="zip",
                title="ZIP, Office Open XML",
                files=121_022,
                size=220_114_000_000,
                good=120_991,
                partial=29,
                bad=2,
            ),
            FormatFacts(name="pdf", title="PDF", files=88_120, size=92_004_330_118, good=88_100, partial=20),
            FormatFacts(name="mdf", title="SQL Server", files=14, size=611_300_000_000, good=12, partial=2),
            FormatFacts(name="", title="", files=9_355, size=148_362_670_812, good=8_517, unknown=838),
        ),
        throughput=Throughput(
            seconds=16_412,
            read=4_673_265_173_472,
            steps=(
                StepTime.of("list", 214, 1_204_881, 0),
                StepTime.of("triage", 2_406.2, 1_204_881, 201_114_000_000),
                StepTime.of("keys", 61.4, 48, 91_000_000),
                StepTime.of("unlock", 9_918, 410_880, 1_559_314_672_042),
                StepTime.of("verify", 3_812, 408_843, 1_559_314_672_042),
            ),
        ),
        next=say("{files:,} files need a key that was not given; ask the police.", files=2_082),
    )


def empty() -> Result:
    """A case with nothing in it."""
    return Result(
        version="0.1.0", created="", case=CaseFacts(name="empty"), command="unransom report --case empty"
    )


HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}{x}\x1b[31m\u202egpj.exe\udcff&amp;"
)


def hostile() -> Result:
    """Every string that can come from evidence is an attack on the page and the terminal."""
    bad = HOSTILE
    message = say("The name is {name}", name=bad)
    return Result(
        version=bad,
        created=bad,
        case=CaseFacts(name=bad, folder=bad, created=bad, started=bad, deadline_hours=48, used_hours=90),
        command=bad,
        sources=(SourceFacts(id=bad, kind=bad, location=bad, fingerprint=bad),),
        counts=Counts(total=5, recovered=1, partial=1, lost=1),
        verdicts=Grades(bad=1),
        families=(
            FamilyFacts(
                name=bad,
                title=bad,
                files=0,
                keys=(KeyFacts(fingerprint=bad, proof=message),),
                outcome=bad,
                wanted=message,
                why=message,
                limitations=(bad,),
                references=("javascript:alert(1)", bad),
            ),
        ),
        timelines=(
            Timeline(source=bad, buckets=(Bucket(start=bad, seconds=1, files=1),)),
            Timeline(
                source=bad,
                origin=bad,
                first=bad,
                last=bad,
                buckets=(
                    Bucket(start="9999-12-31T23:59:59Z", seconds=0, files=1),
                    Bucket(start="1601-01-01T00:00:00Z", seconds=1e9, files=0),
                ),
            ),
        ),
        notes=(NoteFacts(kind=bad, item=bad, what=message, facts={bad: bad}),),
        problems=(
            ProblemGroup(
                code=bad, count=1, examples=(ProblemExample(item=bad, what=message, resolution=message),)
            ),
        ),
        spaces=(space(bad),),
        partial_files=(
            PartialFile(
                path=bad, size=9, origins=Origins(lost=9), runs=(Run(0, 9, Origin.LOST),), why=message
            ),
            PartialFile(path=bad, size=0, origins=Origins()),
        ),
        not_recovered=(LossGroup(state=State.LOST, reason=message, files=1, examples=(bad,)),),
        formats=(FormatFacts(name=bad, title=bad),),
        throughput=Throughput(steps=(StepTime.of(bad, 0, 1, 1),)),
        next=message,
    )


def huge() -> Result:
    """A document that was not capped as it should have been."""
    long = "x" * 5_000
    message = say("{name}", name=long)
    many = range(2_000)
    runs = tuple(Run(n * 64, n * 64 + 64, Origin.LOST if n % 3 else Origin.PLAIN) for n in range(5_000))
    return Result(
        version="0.1.0",
        created="2026-03-02T19:40:12Z",
        case=CaseFacts(name=long),
        command=long,
        sources=tuple(SourceFacts(id=f"s{n}", kind="folder", location=long) for n in many),
        counts=Counts.of({State.RECOVERED: 68_000_000_000, State.LOST: 1}),
        sizes=Counts.of({State.RECOVERED: 68 * 10**18, State.LOST: 1}),
        families=tuple(FamilyFacts(name=f"f{n}", title=long, limitations=(long,) * 50) for n in many),
        timelines=tuple(timeline(f"s{n}", ATTACK, 3_000, 9) for n in range(20)),
        notes=tuple(
            NoteFacts(item=long, what=message, facts={str(n): long for n in range(50)}) for _ in many
        ),
        problems=tuple(
            ProblemGroup(
                code="",
                count=9,
                examples=(ProblemExample(item=long, what=message, resolution=message),) * 9,
            )
            for _ in many
        ),
        spaces=(space(long),) * 2_000,
        partial_files=tuple(
            PartialFile(path=long, size=320_000, origins=Origins.of(runs), runs=runs) for _ in range(100)
        ),
        not_recovered=tuple(
            LossGroup(state=State.LOST, reason=message, files=9, examples=(long,) * 9) for _ in many
        ),
        formats=tuple(FormatFacts(name=f"x{n}", title=long) for n in many),
    )
