"""Times of ext that The Sleuth Kit tells wrongly are not told."""

import contextlib
import subprocess

from tests.fixtures.tools import tool
from unransom.core.records import FileRef
from unransom.evidence import identify, open_store

MOMENTS = {"now": 1_700_000_000, "before": (1 << 32) - 34_700_000, "last": (1 << 31) - 1}


def test_a_time_before_1970_is_none_of_the_next_century(tmp_path):
    image, folder = tmp_path / "a.img", tmp_path / "files"
    folder.mkdir()
    for name in MOMENTS:
        (folder / name).write_bytes(name.encode())
    image.write_bytes(bytes(8 << 20))
    made = [tool("mkfs.ext4", "e2fsprogs"), "-q", "-F", "-d", folder, image]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    for name, seconds in MOMENTS.items():
        said = f"set_inode_field /{name} mtime @{seconds}"
        command = [tool("debugfs", "e2fsprogs"), "-w", "-R", said, image]
        subprocess.run(command, check=True, capture_output=True)
    with contextlib.closing(open_store(identify(str(image)))) as store:
        found = {
            each.path.rpartition(b"/")[2].decode(): each
            for each in store.files()
            if isinstance(each, FileRef)
        }
    assert found["now"].modified // 10**9 == MOMENTS["now"]
    assert found["last"].modified // 10**9 == MOMENTS["last"]
    assert found["before"].modified is None
