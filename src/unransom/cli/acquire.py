"""``unransom acquire``: an image of a device or a file, with its digests and a map of what is unreadable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unransom.cli.options import PATH, json_option, progress_option
from unransom.cli.screen import Screen, Style
from unransom.cli.speech import spoken, t
from unransom.core.errors import EXIT_DONE, EXIT_INCOMPLETE, UsageError
from unransom.core.messages import say

if TYPE_CHECKING:
    from unransom.acquire.logical.collect import Collected
    from unransom.acquire.records import Acquired


@click.command(
    help=t("Copy a device, file, folder or bucket to an image, hashed while copied. Run again, it goes on."),
    epilog=t("Example: unransom acquire /dev/sdb --out fs01.img.zst --verify"),
)
@click.argument("source", type=click.Path(), metavar="SOURCE")
@click.option("--out", type=PATH, metavar="IMAGE", help=t("The image to make."))
@click.option(
    "--case", type=PATH, metavar="DIR", help=t("Put the image into this case, and tell of it in the chain.")
)
@click.option(
    "--name", metavar="NAME", help=t("What the image is called in the case, instead of as its source.")
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["zstd", "raw"]),
    default="zstd",
    help=t("Compressed chunks, which zstd -d unpacks too, or the bytes as they are."),
)
@click.option("--level", type=click.IntRange(-7, 19), default=1, help=t("Level of compression."))
@click.option(
    "--retries", type=click.IntRange(0, 100), default=1, help=t("Tries more for a sector that fails.")
)
@click.option("--sector", type=click.Choice(["512", "4096"]), default="512", help=t("Bytes of a sector."))
@click.option("--unwrap", is_flag=True, help=t("Copy the disk inside an image such as E01 or VMDK."))
@click.option("--mounted", is_flag=True, help=t("Copy a device although it is mounted read-write."))
@click.option("--verify", is_flag=True, help=t("Read the image again and compare."))
@progress_option
@json_option
def command(
    source: str,
    out: Path | None,
    case: Path | None,
    name: str | None,
    kind: str,
    level: int,
    retries: int,
    sector: str,
    unwrap: bool,
    mounted: bool,
    verify: bool,
    progress: Style,
    as_json: bool,
) -> int:
    """Make the image and print its digests."""
    import msgspec

    from unransom.acquire.records import Job
    from unransom.acquire.step import acquire
    from unransom.case.case import Case
    from unransom.run.imaging import is_untold, reopen, tell

    image = out or _image(case, source, name, packed=kind == "zstd")
    if source.startswith("s3://") or Path(source).is_dir():
        return _logical(source, image, level, progress, told=not out, as_json=as_json)
    if not out and is_untold(image):
        reopen(image, packed=kind == "zstd")
    job = Job(source, image, kind == "zstd", level, retries, int(sector), unwrap, mounted, verify)
    with Screen(progress) as screen:
        done = acquire(job, screen)
    if not out:
        with Case(image.parent.parent) as opened:
            tell(opened, source, (image, Path(done.map)), _digests(done), done.problems)
    if as_json:
        print(msgspec.json.encode(done).decode())
    else:
        _print(done)
    return EXIT_INCOMPLETE if done.lost or done.problems or not done.agrees else EXIT_DONE


def _logical(source: str, image: Path, level: int, progress: Style, *, told: bool, as_json: bool) -> int:
    """Make a logical image of a folder or a bucket."""
    import msgspec

    from unransom.acquire.logical.step import acquire, finished
    from unransom.case.case import Case
    from unransom.run.imaging import is_untold, tell

    with Screen(progress) as screen:
        is_whole = told and is_untold(image)
        done = finished(image) if is_whole else acquire(source, image, level, screen)
    if told:
        with Case(image.parent.parent) as opened:
            tell(opened, source, (image,), _digests(done))
    if as_json:
        print(msgspec.json.encode(done).decode())
    else:
        print(t("{count:,} entries in {image}", count=done.entries, image=done.image))
        for name, value in _digests(done).items():
            print(f"  {name:<7} {value}")
        for path, why in done.problems:
            print(f"  {path}: {why}")
    return EXIT_INCOMPLETE if done.problems else EXIT_DONE


def _image(case: Path | None, source: str, name: str | None, *, packed: bool) -> Path:
    """Return where the image belongs in a case, which is made where there is none."""
    from unransom.case.case import Case
    from unransom.evidence.locations import locate
    from unransom.evidence.locations import source as named
    from unransom.run.imaging import place

    if case is None:
        raise UsageError(say("an image needs a name or a case"), hint=say("give --out IMAGE, or --case DIR"))
    if name and Path(name).name != name:
        raise UsageError(say("{name} is a path and no name", name=name))
    identifier = name or named(locate(source), "image", ()).id
    Case(case, create=True).close()
    is_logical = source.startswith("s3://") or Path(source).is_dir()
    ending = "tar.zst" if is_logical else "img.zst" if packed else "img"
    return place(case, f"{identifier}.{ending}")


def _digests(done: Acquired | Collected) -> dict[str, str]:
    return {name: getattr(done.digests, name) for name in ("md5", "sha256", "blake3")}


def _print(done: Acquired) -> None:
    print(t("{size} bytes in {image}", size=f"{done.digests.size:,}", image=done.image))
    for name in ("md5", "sha256", "blake3"):
        print(f"  {name:<7} {getattr(done.digests, name)}")
    if done.resumed:
        print(t("{size} bytes were there from an earlier run", size=f"{done.resumed:,}"))
    if done.lost:
        lost = sum(map(len, done.lost))
        print(t("{size} bytes could not be read; {map} names them", size=f"{lost:,}", map=done.map))
    if done.verified:
        print(t("the image was read again: it is what was read from the source"))
    if done.stored and done.agrees:
        print(t("the digests are those that the source itself gives"))
    if not done.agrees:
        print(t("the digests are not those that the source itself gives"))
    for each in done.problems:
        print(f"{each.item}: {spoken(each.what)}; {spoken(each.resolution)}")
