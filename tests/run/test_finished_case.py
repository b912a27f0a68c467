"""A finished case: sealed, signed, time-stamped; every change in it is found, and it is exported."""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography import x509

from tests.fixtures.in_process import InProcess
from tests.fixtures.locked import INC_PRIVATE, lock_inc, originals, write
from tests.fixtures.tools import run, tool
from tests.soak import LONGER
from unransom.case import chain, stamps
from unransom.case.case import Case
from unransom.case.database import transaction
from unransom.case.verify import flaws_of
from unransom.core.errors import CaseLockedError, NoSuchCaseError, VerificationError
from unransom.run.bundle import export
from unransom.run.recover import Job, recover

FLIPS = 400

AUTHORITY = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
certs = {folder}/root.pem
[stamping]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
basicConstraints = critical,CA:false
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The URL of a time stamp authority (``openssl ts``), and its root certificate."""
    folder = tmp_path_factory.mktemp("authority")
    settings = folder / "tsa.cnf"
    settings.write_text(AUTHORITY.format(folder=folder))
    (folder / "serial").write_text("01\n")

    def openssl(*arguments):
        run("openssl", "openssl", *arguments)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", f"{folder}/root.key", "-out", f"{folder}/root.pem", "-subj",
            "/CN=Test root", "-days", "30", "-config", str(settings), "-extensions", "root")  # fmt: skip
    openssl("req", "-new", *key, "-keyout", f"{folder}/tsa.key", "-out", f"{folder}/tsa.csr",
            "-subj", "/CN=Test TSA", "-config", str(settings))  # fmt: skip
    openssl("x509", "-req", "-in", f"{folder}/tsa.csr", "-CA", f"{folder}/root.pem", "-CAkey",
            f"{folder}/root.key", "-CAcreateserial", "-out", f"{folder}/tsa.pem", "-days", "30",
            "-extfile", str(settings), "-extensions", "stamping")  # fmt: skip

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            query = folder / f"query-{threading.get_ident()}"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            reply = query.with_suffix(".tsr")
            openssl("ts", "-reply", "-config", str(settings), "-queryfile", query, "-out", reply)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(reply.read_bytes())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/tsr", folder / "root.pem"
        server.shutdown()


def command(*arguments, expect=0):
    done = subprocess.run(
        [sys.executable, "-m", "unransom", *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder with a finished case and the key of its owner."""
    folder = tmp_path_factory.mktemp("finished")
    disk, evidence, key = folder / "disk.raw", folder / "evidence", folder / "inc.key"
    disk.write_bytes(random.Random(1).randbytes(300_000))
    plain = {path: data for path, data in originals().items() if len(data) < 100_000}
    write(evidence, {path + b".INC": lock_inc(data, path) for path, data in plain.items()})
    key.write_bytes(INC_PRIVATE)
    case, owner = folder / "case", folder / "ana.pem"
    command("acquire", disk, "--case", case)
    recover(Job((str(evidence),), case, keys=(key,)), InProcess())
    command("case", "people", case, "--add", "Ana Ruiz", "--role", "owner", "--new-key", owner)
    command("case", "sign", case, "done", "--key", owner)
    return folder


@pytest.fixture
def finished(made, tmp_path):
    """A case with an image, outputs, a person and a signature, which nobody works on."""
    shutil.copytree(made / "case", tmp_path / "case")
    shutil.copy(made / "ana.pem", tmp_path)
    return tmp_path / "case"


def flipped(case, path, bit, expected):
    """Return what is found once one bit of a file is another."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (value,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([value ^ 1 << bit % 8]))
        file.flush()
        found = list(map(str, flaws_of(case)))
        file.seek(bit // 8)
        file.write(bytes([value]))
    assert any(expected in flaw for flaw in found), (path, bit, found)


def shown(path):
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def every_file(case):
    return [path for path in case.rglob("*") if path.is_file() and path.stat().st_size]


def test_every_changed_bit_is_found_and_its_file_is_named(finished):
    assert list(flaws_of(finished)) == []
    files = every_file(finished)
    names = {str(path.relative_to(finished)) for path in files}
    assert {"case.sqlite", "chain.jsonl", "seal.json", "result.json", "report.html"} <= names
    assert {"evidence/disk.raw.img.zst", "evidence/disk.raw.img.zst.map"} <= names
    assert any(name.startswith("recovered/") for name in names)
    draw = random.Random(2026)
    for number in range(FLIPS * LONGER):
        path = files[number % len(files)]  # each kind of file as often as the large ones
        bit = draw.randrange(path.stat().st_size * 8)
        flipped(finished, path, bit, shown(path))
    assert list(flaws_of(finished)) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_changed_bits_are_all_found(finished):
    files = every_file(finished)
    draw = random.Random(10_000)
    for number in range(10_000):
        path = draw.choice(files) if number % 2 else files[number // 2 % len(files)]
        flipped(finished, path, draw.randrange(path.stat().st_size * 8), shown(path))


def test_missing_added_and_exchanged_files_are_named(finished):
    outputs = sorted(path for path in (finished / "recovered").rglob("*.png"))
    one, other = outputs[0].read_bytes(), outputs[1].read_bytes()
    outputs[0].write_bytes(other)
    outputs[1].write_bytes(one)
    outputs[2].unlink()
    (finished / "recovered/planted.txt").write_text("never recovered")
    (finished / "planted.txt").write_text("never written")
    (finished / "report.html").unlink()
    found = "\n".join(map(str, flaws_of(finished)))
    for named in (outputs[0].name, outputs[1].name, "recovered/planted.txt", "planted.txt: ", "report.html"):
        assert named in found
    assert f"{outputs[2].name}: the file is missing" in found


def test_a_seal_that_was_taken_away_is_named_and_stays_known(finished):
    (finished / "seal.json").unlink()
    with sqlite3.connect(finished / "case.sqlite") as database:
        database.execute("INSERT INTO facts VALUES ('planted', '1')")
    database.close()
    before = {path: path.read_bytes() for path in every_file(finished)}
    assert list(map(str, flaws_of(finished))) == ["seal.json: the file is missing"]
    assert {path: path.read_bytes() for path in every_file(finished)} == before
    Case(finished).close()
    assert ["seal.json: was changed by others" in str(flaw) for flaw in flaws_of(finished)] == [True]


def test_a_run_that_was_killed_before_the_first_seal_is_no_change(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from unransom.case.case import Case\n"
        "Case(Path(sys.argv[1]), create=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "case")], check=False)
    assert done.returncode == 9
    assert not (tmp_path / "case/seal.json").exists()
    assert list(flaws_of(tmp_path / "case")) == []


@pytest.mark.parametrize("kind", ["output", "image", "seal"])
def test_a_link_to_the_same_bytes_is_not_the_file(finished, tmp_path, kind):
    places = {"output": "recovered", "image": "evidence", "seal": "."}
    folder = finished / places[kind]
    path = (
        folder / "seal.json" if kind == "seal" else min(each for each in folder.rglob("*") if each.is_file())
    )
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    found = list(map(str, flaws_of(finished)))
    assert len(found) == 1
    assert path.name in found[0]


@pytest.mark.parametrize("name", ["recovered", "evidence", "planted.html", "pipe"])
def test_links_and_pipes_in_the_folder_of_a_case_are_named(finished, tmp_path, name):
    place = finished / name
    if place.exists():
        place.rename(tmp_path / "elsewhere")
    if name == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(tmp_path / "elsewhere")
    assert [str(flaw).split(":")[0] for flaw in flaws_of(finished)] == [name]


def test_the_place_of_a_change_is_named(finished):
    with (finished / "case.sqlite").open("r+b") as file:
        file.seek(70_000)
        file.write(b"\xff\xfe\xfd")
    assert any("case.sqlite: bytes 65536 to 131071" in str(flaw) for flaw in flaws_of(finished))


def test_a_change_stays_known_when_the_work_goes_on(finished):
    (finished / "result.json").write_text("{}")
    Case(finished).close()
    assert ["result.json: was changed by others" in str(flaw) for flaw in flaws_of(finished)] == [True]


def test_a_run_that_was_killed_is_no_change(finished):
    code = (
        "import os, sys; from pathlib import Path; from unransom.case.case import Case\n"
        "case = Case(Path(sys.argv[1])); case.database.execute(\"INSERT INTO facts VALUES ('a', 'b')\")\n"
        "os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(finished)], check=False)
    assert done.returncode == 9
    assert list(flaws_of(finished)) == []
    assert "gone on after a stop" in (finished / "chain.jsonl").read_text()


@pytest.mark.parametrize("lock", ["1", "12345", "4711 none", "no process"])
@pytest.mark.parametrize("opened", [False, True])
def test_a_lock_that_others_wrote_excuses_no_change(finished, lock, opened):
    with sqlite3.connect(finished / "case.sqlite") as database:
        database.execute("UPDATE sources SET listed = 0")
    database.close()
    (finished / "lock").write_text(lock)
    if opened:
        Case(finished).close()
    said = command("case", "verify", finished, expect=VerificationError.exit_code)
    assert "case.sqlite: " in said
    assert "chain" not in said


def test_what_no_seal_stood_for_and_a_clock_set_back_are_remarked(finished, monkeypatch):
    assert json.loads(command("case", "verify", finished, "--json"))["remarks"] == []
    begun = f"4711 {hashlib.sha256((finished / 'seal.json').read_bytes()).hexdigest()}"
    with sqlite3.connect(finished / "case.sqlite") as database:
        database.execute("INSERT INTO facts VALUES ('half', 'done')")
    database.close()
    (finished / "lock").write_text(begun)
    said = json.loads(command("case", "verify", finished, "--json"))
    assert said["holds"]
    assert ["a run was stopped" in remark and "case.sqlite" in remark for remark in said["remarks"]] == [True]
    monkeypatch.setattr(chain, "now_ns", lambda: 1_000_000_000 * 10**9)
    with Case(finished) as case:
        with transaction(case.database):
            case.record("noted", {})
        case.publish()
    said = command("case", "verify", finished)
    assert "its time 2001-09-09T01:46:40Z is before" in said
    assert said.count("Remark: ") == 2


def test_verifying_writes_nothing_and_needs_a_case(finished, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    command("case", "verify", finished)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before
    with pytest.raises(NoSuchCaseError):
        list(flaws_of(tmp_path))
    with Case(finished), pytest.raises(CaseLockedError):
        list(flaws_of(finished))


def test_time_stamps_are_taken_kept_and_checked(finished, authority):
    url, root = authority
    command("case", "stamp", finished, "--authority", url, "--offline", expect=3)
    assert "2 time stamps taken, 0 waiting" in command("case", "stamp", finished)
    command("case", "verify", finished, "--trust", root)
    with Case(finished) as case:
        taken = [stamp for stamp in stamps.custody_of(case).stamps if stamp.token]
    forged = [taken[0]._replace(root="00" * 32), taken[0]._replace(token="MAMCAQA=")]
    assert len(list(stamps.check(forged))) == 2
    other = x509.load_pem_x509_certificate(root.read_bytes())
    assert list(stamps.check(taken, [other])) == []
    assert len(list(stamps.check(taken, stamps.trusted([_stranger(root.parent)])))) == len(taken)


def _stranger(folder):
    path = folder / "stranger.pem"
    run("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-keyout", folder / "stranger.key", "-out", path, "-subj", "/CN=Stranger")  # fmt: skip
    return path


def test_time_stamps_wait_while_nobody_answers(finished):
    said = command("case", "stamp", finished, "--authority", "http://127.0.0.1:9/tsr", expect=3)
    assert "0 time stamps taken, 1 waiting" in said
    assert list(flaws_of(finished)) == []
    command("case", "stamp", finished, "--authority", "ftp://example.org", expect=2)


def test_an_act_is_approved_on_the_command_line(finished, tmp_path):
    owner = tmp_path / "ana.pem"
    for name, role in (("Bo", "lead"), ("Cem", "operator")):
        options = ("--role", role, "--new-key", tmp_path / f"{name}.pem", "--key", owner)
        command("case", "people", finished, "--add", name, *options)
        command("case", "approve", finished, "restore 9f2c", "--key", tmp_path / f"{name}.pem", expect=3)
    found = json.loads(command("case", "approve", finished, "restore 9f2c", "--key", owner, "--json"))
    assert found["approved"]
    assert len(json.loads(command("case", "people", finished, "--json"))["people"]) == 3
    command("case", "people", finished, "--add", "Eve", "--role", "owner", "--public", "/dev/null", expect=2)
    command("case", "verify", finished)


def test_the_bundle_says_what_others_can_check(finished, authority, tmp_path):
    command("case", "stamp", finished, "--authority", authority[0])
    out = tmp_path / "bundle"
    command("case", "export", finished, "--out", out)
    run("coreutils", "sh", "-c", f"cd '{out}' && sha256sum -c --quiet SHA256SUMS")
    listed = (out / "manifest.hashdeep").read_bytes().splitlines()
    files = [path for folder in ("recovered", "evidence") for path in (finished / folder).rglob("*")]
    names = {os.fsencode(path.relative_to(finished)) for path in files if path.is_file()}
    assert {line.split(b",", 3)[3] for line in listed[4:]} == names
    objects = ElementTree.parse(out / "manifest.dfxml").getroot()
    assert len(objects.findall("{*}fileobject")) == len(names)
    graph = json.loads((out / "case.jsonld").read_text())["@graph"]
    identifiers = [node["@id"] for node in graph]
    assert len(set(identifiers)) == len(identifiers)
    results = {each["@id"] for node in graph for each in node.get("uco-action:result", [])}
    assert results == {node["@id"] for node in graph if node["@type"] == "uco-observable:File"}
    found = json.loads((out / "indicators.stix.json").read_text())["objects"]
    assert "[file:name LIKE '%.INC']" in {each.get("pattern") for each in found}
    (token,) = (out / "timestamps").glob("*.tsr")
    run("openssl", "openssl", "ts", "-verify", "-in", token, "-data", token.with_suffix(".root"),
        "-CAfile", authority[1])  # fmt: skip
    assert b"BEGIN" not in b"".join(path.read_bytes() for path in out.rglob("*.json"))
    command("case", "export", finished, "--out", out, expect=2)


def test_hashdeep_audits_the_manifest(finished, tmp_path):
    with Case(finished) as case:
        export(case, tmp_path / "bundle")
    audit = [tool("hashdeep", "hashdeep"), "-r", "-l", "-a", "-k", tmp_path / "bundle/manifest.hashdeep"]
    subprocess.run([*audit, "recovered", "evidence"], cwd=finished, check=True)


def test_nothing_is_exported_that_is_not_what_it_was(finished, tmp_path):
    next(path for path in Path(finished / "recovered").rglob("*.png")).write_bytes(b"another")
    with Case(finished) as case, pytest.raises(VerificationError):
        export(case, tmp_path / "bundle")
