"""Scans files before they go back: rules of YARA-X, and ClamAV where it is installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import Message, say

SUFFIXES = frozenset({".yar", ".yara"})
SECONDS = 300  # that one file may take
PROGRAMS = ("clamdscan", "clamscan")  # the first asks a daemon, which has its signatures loaded
FOUND, ERROR = 1, 2  # exit codes of both
# By itself it passes what is larger than 100 MB as clean; 2 GB is the most that it can look at. A daemon has
# its limits in its own configuration.
WHOLE = ("--max-filesize=2000M", "--max-scansize=2000M", "--alert-exceeds-max=yes")
BEYOND = "Heuristics.Limits.Exceeded"


class Scanner(Protocol):
    """Looks at files; ``name`` says which rules or signatures it has."""

    name: str

    def scan(self, paths: Sequence[Path]) -> Mapping[Path, Message]:
        """Return what was found, by file; files in which nothing was found are left out."""
        ...


class YaraScanner:
    """The rules of a folder, and our own, with YARA-X."""

    def __init__(self, folders: Sequence[Path], workers: int) -> None:
        """Compile the rules.

        Raises:
            UsageError: A rule cannot be compiled, or a folder has none.
        """
        import yara_x  # noqa: PLC0415 only a restore needs it

        self._module: Any = yara_x
        self._workers = workers
        self._local = threading.local()
        compiler = yara_x.Compiler()
        own = resources.files("unransom.restore.moving").joinpath("rules.yar").read_text(encoding="utf-8")
        digest = hashlib.sha256(own.encode())
        compiler.add_source(own)
        files = [file for folder in folders for file in _rule_files(folder)]
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace")
            compiler.new_namespace(str(file))
            digest.update(text.encode())
            try:
                compiler.add_source(text, origin=str(file))
            except yara_x.CompileError as error:
                raise UsageError(
                    say("{file} has a rule that cannot be compiled", file=str(file)), detail=str(error)
                ) from error
        self._rules = compiler.build()
        self.name = f"YARA-X, {len(files)} files of rules, {digest.hexdigest()[:16]}"

    def scan(self, paths: Sequence[Path]) -> Mapping[Path, Message]:
        """Return the rules that fit, by file."""
        with ThreadPoolExecutor(self._workers) as pool:
            found = zip(paths, pool.map(self._one, paths), strict=True)
            return {path: why for path, why in found if why}

    def _one(self, path: Path) -> Message | None:
        if not hasattr(self._local, "scanner"):
            self._local.scanner = self._module.Scanner(self._rules)
            self._local.scanner.set_timeout(SECONDS)
        try:
            if not path.stat().st_size:
                return None
            rules = self._local.scanner.scan_file(str(path)).matching_rules
        except (OSError, self._module.ScanError, self._module.TimeoutError) as error:
            return say("it could not be scanned: {error}", error=str(error))
        names = ", ".join(rule.identifier for rule in rules)
        return say("the rule {rules} fits it", rules=names) if names else None


def _rule_files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise UsageError(
            say("there are no rules in {folder}", folder=str(folder)), hint=say("they end in .yar or .yara")
        )
    return files


class ClamScanner:
    """ClamAV's own programs, whichever is there."""

    def __init__(self, program: str) -> None:
        self._program = program
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        self.name = version.stdout.strip() or Path(program).name

    def scan(self, paths: Sequence[Path]) -> Mapping[Path, Message]:
        """Return the signatures that fit, by file.

        Raises:
            UnransomError: ClamAV could not do its work: files that it did not look at are not clean.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".files", errors="surrogateescape") as listed:
            plain = [path for path in paths if "\n" not in str(path)]
            listed.writelines(f"{path}\n" for path in plain)
            listed.flush()
            odd = [str(path) for path in paths if "\n" in str(path)]
            command = [self._program, "--no-summary", "--stdout", "--infected", f"--file-list={listed.name}"]
            if Path(self._program).name == "clamdscan":
                command += ["--fdpass", "--multiscan"]
            else:
                command += WHOLE
            run = subprocess.run([*command, *odd], capture_output=True, check=False)  # noqa: S603
        if run.returncode not in {0, FOUND}:
            raise UnransomError(
                say("ClamAV could not scan the files"),
                detail=(run.stderr or run.stdout).decode(errors="replace")[-500:],
                hint=say("make it work, or leave it out with --no-clamav"),
            )
        return _clam_hits(os.fsdecode(run.stdout), paths)


def _clam_hits(text: str, paths: Sequence[Path]) -> dict[Path, Message]:
    known = {str(path): path for path in paths}
    found = {}
    for line in text.splitlines():
        name, _, what = line.rpartition(": ")
        if what.endswith(" FOUND") and name in known:
            what = what.removesuffix(" FOUND")
            beyond = say("ClamAV cannot look at all of it: {what}", what=what)
            found[known[name]] = beyond if what.startswith(BEYOND) else say("ClamAV says {what}", what=what)
    if not found and " FOUND" in text:
        raise UnransomError(say("ClamAV could not scan the files"), detail=text[-500:])
    return found


def scanners(rules: Sequence[Path], workers: int, *, clamav: bool = True) -> list[Scanner]:
    """Return the scanners of this machine.

    Args:
        rules: Files and folders of rules.
        workers: Threads.
        clamav: Use ClamAV where it is installed.

    Raises:
        UsageError: There are rules, and nothing that can read them.
    """
    found: list[Scanner] = []
    try:
        found.append(YaraScanner(rules, workers))
    except ImportError as error:
        if rules:
            raise UsageError(
                say("nothing here can read the rules"),
                hint=say("pip install 'unransom[{part}]'", part="restore"),
            ) from error
    for name in PROGRAMS if clamav else ():
        program = shutil.which(name)
        if program:
            found.append(ClamScanner(program))
            break
    return found
