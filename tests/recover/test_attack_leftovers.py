"""Keys that a locker left lying about: in captures, temporary files, notes and registry hives.

They are given with ``--memory``, or lie unseen in the evidence itself.
"""

import base64
import struct
import subprocess
from collections import Counter

import msgspec
import pytest
from Cryptodome.PublicKey import RSA

from tests.fixtures.locked import PHOBOS_KEY, lock_phobos, picture
from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn, medusalocker3
from tests.lockers.rsa import key_of
from tests.makers.registry_hives import REG_BINARY, exported, hive
from unransom.case.case import Case
from unransom.core.records import FileRef
from unransom.run.left_behind import MOST, left_behind

LEFT = {
    "a capture": drawn("frames", 3000)
    + b"POST /gate.php HTTP/1.1\r\n\r\nid=77&k="
    + base64.b64encode(PHOBOS_KEY)
    + b"\r\n"
    + drawn("more frames", 3000),
    "a temporary file": PHOBOS_KEY,
    "a note in hexadecimal": b"do not lose:\r\n" + PHOBOS_KEY.hex().encode() + b"\r\n",
    "a registry hive": b"regf" + bytes(4092) + PHOBOS_KEY.hex().encode("utf-16-le") + bytes(4096),
    "an empty file beside the key": b"",
}


def recovered(tmp_path, locked, left, *more):
    """Recover a folder of one locked file with what was left in a folder; return the run."""
    for folder, files in (("in", locked), ("left", left)):
        (tmp_path / folder).mkdir()
        for name, data in files.items():
            (tmp_path / folder / name).write_bytes(data)
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case"]
    return subprocess.run(
        [*command, "--memory", tmp_path / "left", *more], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kind", LEFT)
def test_a_key_that_was_left_opens_the_files(tmp_path, kind):
    left = {"left": LEFT[kind]} if LEFT[kind] else {"empty": b"", "key": PHOBOS_KEY}
    run = recovered(tmp_path, {"a.png": lock_phobos(picture("a"), "a.png")}, left)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "case/recovered/in/a.png").read_bytes() == picture("a")


def test_a_bare_prime_of_a_public_key_that_is_known_opens_the_files(tmp_path):
    key = key_of("rsa2048")
    (tmp_path / "public.pem").write_bytes(key.public_key().export_key())
    locked = medusalocker3.seal(picture("a"), (key, key_of("rsa2048_session")), "a", 4096, 1024, 1)
    heap = drawn("heap", 9008) + key.p.to_bytes(128, "little") + drawn("rest", 9000)
    run = recovered(tmp_path, {"a.png.rapid1": locked}, {"heap": heap}, "--key", tmp_path / "public.pem")
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "case/recovered/in/a.png").read_bytes() == picture("a")


def test_what_is_left_without_a_key_opens_nothing(tmp_path):
    text = "".join(f"{drawn(str(number), 16).hex()}\n" for number in range(500)).encode()
    left = {"tokens": text, "key.pem": RSA.generate(1024).public_key().export_key()}
    run = recovered(tmp_path, {"a.png": lock_phobos(picture("a"), "a.png")}, left)
    assert run.returncode == 13, run.stdout + run.stderr


def capture(*packets):
    """Return packets as tcpdump writes them."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for second, packet in enumerate(packets):
        out += struct.pack("<IIII", 1_700_000_000 + second, 0, len(packet), len(packet)) + packet
    return out


IN_EVIDENCE = {
    "a key file": ("ProgramData/rsa_private.bin", PHOBOS_KEY),
    "noise without a name": ("Users/ann/AppData/Local/3f9c", PHOBOS_KEY),
    "a capture": ("srv/gate.pcap", capture(bytes(60), LEFT["a capture"], bytes(60))),
    "a temporary file with more in it": (
        "Windows/Temp/7F.tmp",
        b"locker 2.1 began" + bytes(3) + PHOBOS_KEY + b"\0\0\0C:\\ is done",
    ),
    "a registry hive": (
        "Users/ann/NTUSER.DAT",
        hive([("Version", 4, b"\7\0\0\0"), ("k", REG_BINARY, PHOBOS_KEY)]),
    ),
    "an exported registry": ("Users/ann/saved.reg", exported("Data", PHOBOS_KEY)),
    "a note": (
        "Desktop/info.txt",
        b"All your files have been encrypted. To decrypt them pay 2 BTC and write to evil@onionmail.org\r\n"
        b"Your personal key: " + base64.b64encode(PHOBOS_KEY) + b"\r\n",
    ),
}


@pytest.mark.parametrize("kind", IN_EVIDENCE)
def test_a_key_in_the_evidence_is_found_without_being_asked_for(tmp_path, kind):
    name, content = IN_EVIDENCE[kind]
    files = {"a.png": lock_phobos(picture("a"), "a.png"), "orders.txt": b"order 7: three lamps\n" * 40}
    files |= {f"b{number}.png": picture("b") for number in range(5)}
    for place, data in {**files, name: content}.items():
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / place).write_bytes(data)
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (tmp_path / "case/recovered/in/a.png").read_bytes() == picture("a"), run.stdout + run.stderr
    assert f"{name.rpartition('/')[2]}+0x" in run.stdout


def test_of_a_million_notes_and_names_a_bounded_number_is_searched(tmp_path):
    with Case(tmp_path / "case", create=True) as case:
        case.database.execute("INSERT INTO sources (id, body) VALUES ('in', '{}')")
        notes = [(f"{number}/README.txt", 900, "intact") for number in range(2000)]
        named = [(f"{number}/key.pem", 1700 + number, "intact") for number in range(2000)]
        large = [(f"{number}/dump.pcap", 15 << 20, "intact") for number in range(20)]
        noise = [(f"{number}/x", 32, "locked") for number in range(2000)]
        other = [("a.docx", 3000, "intact"), ("key.iso", 1 << 30, "intact"), ("key", 8, "intact")]
        for number, (path, size, state) in enumerate([*notes, *named, *large, *noise, *other], 1):
            ref = FileRef(source="in", path=path.encode(), size=size)
            case.database.execute(
                "INSERT INTO files (id, source, path, stream, version, locator, size, state, body)"
                " VALUES (?, 'in', ?, '', '', '', ?, ?, ?)",
                (number, ref.path, size, state, msgspec.json.encode(ref)),
            )
        case.database.execute(
            "INSERT INTO records (type, step, version, item, time, body)"
            " SELECT 'Finding', 'triage', '', id, 0, '{\"kind\": \"note\"}' FROM files WHERE size = 900"
        )
        chosen = left_behind(case.database)
    names = Counter(ref.path.rpartition(b"/")[2] for ref in chosen)
    assert names == {b"README.txt": 1, b"key.pem": MOST, b"x": MOST}
