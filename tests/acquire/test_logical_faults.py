"""A bucket behind a server that fails now and then: errors 500, bodies cut short, a slow line."""

import asyncio
import contextlib
import errno
import http.client
import io
import itertools
import os
import random
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from tests.fixtures.tools import tool
from unransom.acquire.logical.step import acquire
from unransom.acquire.packing import Packing
from unransom.acquire.records import TargetError
from unransom.core.records import FileRef
from unransom.core.streams import chunks
from unransom.evidence import identify, open_store


@pytest.fixture
def bad_server(s3_environment, monkeypatch):
    """The server behind a proxy that answers each third request for content with 500, and cuts each fifth."""
    target = urlsplit(s3_environment.endpoint)
    asked = itertools.count(1)
    faults = {"500": 0, "short": 0}

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def answer(self):
            number = next(asked) if "Range" in self.headers else 0
            time.sleep(0.01)
            connection = http.client.HTTPConnection(target.hostname, target.port, timeout=10)
            connection.request(self.command, self.path, headers=dict(self.headers.items()))
            with connection.getresponse() as found:
                body = found.read()
            connection.close()
            self.close_connection = True
            if number and number % 3 == 0:
                faults["500"] += 1
                self.send_error(500)
                return
            self.send_response(found.status)
            for name, value in found.getheaders():
                if name.lower() not in {"transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.end_headers()
            cut = number and number % 5 == 0
            faults["short"] += bool(cut)
            self.wfile.write(body[: len(body) // 2] if cut else body)

        do_GET = do_HEAD = answer  # noqa: N815 the names that the library calls

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield s3_environment, faults
        server.shutdown()


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that the libraries wait before they ask again; here nobody does."""
    told = []
    real = asyncio.sleep

    async def at_once(seconds, *rest):
        told.append(seconds)
        return await real(0, *rest)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return told


def test_every_object_is_whole_all_the_same(bad_server, pauses, tmp_path):
    s3, faults = bad_server
    files = {f"{number}.bin".encode(): random.Random(number).randbytes(1_500_000) for number in range(6)}
    bucket = s3.new_bucket(files)
    done = acquire(f"s3://{bucket}", tmp_path / "bucket.tar.zst")
    assert faults["500"] >= 3
    assert faults["short"] >= 2
    assert sum(each > 0 for each in pauses) >= 3
    assert done.problems == ()
    store = open_store(identify(done.image))
    found = {}
    for ref in store.files():
        assert isinstance(ref, FileRef)
        with store.open(ref) as reader:
            found[ref.path] = b"".join(chunks(reader))
    assert found == files
    store.close()


def test_the_command_copes_with_such_a_server(bad_server, tmp_path):
    s3, faults = bad_server
    files = {f"{number}.bin".encode(): random.Random(number).randbytes(1_500_000) for number in range(4)}
    bucket, image = s3.new_bucket(files), tmp_path / "bucket.tar.zst"
    command = [sys.executable, "-m", "unransom", "acquire", f"s3://{bucket}", "--out", str(image)]
    environment = {**os.environ, **s3.environment, "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    assert faults["500"]
    assert faults["short"]
    unpacked = subprocess.run([tool("zstd", "zstd"), "-dc", image], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        assert {each.name[2:] for each in archive} >= {path.decode() for path in files}
        assert archive.extractfile("./1.bin").read() == files[b"1.bin"]


@pytest.mark.parametrize("failing", [1, 3])
def test_an_image_that_cannot_be_written_is_no_fault_of_a_file(tmp_path, monkeypatch, failing):
    """The next run goes on, and nothing of the first shows: a file whose bytes were lost on the way would."""
    (tmp_path / "files").mkdir()
    whole = {f"{n}.bin": random.Random(n).randbytes(3 << 20) for n in range(3)}
    for name, data in whole.items():
        (tmp_path / "files" / name).write_bytes(data)
    calls, real = itertools.count(1), Packing.add

    def add(self, chunk):
        if next(calls) == failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, chunk)

    monkeypatch.setattr(Packing, "add", add)
    with pytest.raises(TargetError, match="cannot be written") as told:
        acquire(str(tmp_path / "files"), tmp_path / "image.tar.zst")
    assert "the disk is full" in map(str, told.value.causes)
    done = acquire(str(tmp_path / "files"), tmp_path / "image.tar.zst")
    assert not done.problems
    with contextlib.closing(open_store(identify(str(tmp_path / "image.tar.zst")))) as store:
        for ref in store.files():
            with store.open(ref) as reader:
                assert b"".join(chunks(reader)) == whole[ref.path.decode()]
