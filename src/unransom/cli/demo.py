"""``unransom demo``: a small made company, locked and recovered."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from unransom.cli.options import PATH, executor_of, progress_option, workers_option
from unransom.cli.screen import Screen, Style, say_to_people
from unransom.cli.speech import LANGUAGE, t
from unransom.core.errors import EXIT_DONE, VerificationError

SHOWN = 10  # files that differ


@click.command(
    help=t(
        "Make a small locked company, recover it, and compare every hash.\n\n"
        "Nothing of yours is touched: the company is made in memory, locked in memory with a key of its own,"
        " and written to a new folder. Run the same command again to go on, or to compare again."
    ),
    epilog=t("Example: unransom demo --out unransom-demo"),
)
@click.option(
    "--out", type=PATH, default=Path("unransom-demo"), metavar="DIR", help=t("A new folder for the demo.")
)
@workers_option
@progress_option
def command(out: Path, workers: int, progress: Style) -> int:
    """Play the demo and print what came of it."""
    from unransom.report import text
    from unransom.run.demo import demo, evidence

    if demo.holds_demo(out):
        say_to_people(t("{folder} holds a demo: going on with it.", folder=str(out)))
    else:
        if not evidence.image_maker():
            say_to_people(
                t("mke2fs is not here (apt install e2fsprogs): no disk image, its files are in the share.")
            )
        say_to_people(t("Making a small company and locking it, in {folder} ...", folder=str(out)))
        demo.make(out)
    executor = executor_of(workers)
    with contextlib.closing(executor), Screen(progress) as screen:
        played = demo.play(out, executor, screen, LANGUAGE)
    print(text.render(played.result, LANGUAGE))
    for path in played.differing[:SHOWN]:
        print(t("differs from the original: {path}", path=path))
    print(t("{exact} of {files} files are byte-exact", exact=played.exact, files=played.files))
    print(t("recovered in {seconds} s", seconds=f"{played.seconds:.1f}"))
    check = f"cd {out / demo.CASE / 'recovered'} && sha256sum -c --quiet ../../{demo.HASHES}"
    print(t("compare them yourself: {command}", command=check))
    print(t("report: {path}", path=str(out / demo.CASE / "report.html")))
    return VerificationError.exit_code if played.differing else EXIT_DONE
