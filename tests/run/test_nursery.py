"""The process that workers are forked from leaves Ctrl-C to the one that started it."""

import subprocess
import sys

ASK = """
import signal
from multiprocessing import forkserver
from pathlib import Path
from unransom.run import nursery

nursery.begin([])
status = Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text()
ignored = int(status.split("SigIgn:")[1].split()[0], 16)
print(bool(ignored >> signal.SIGINT - 1 & 1), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_it_ignores_interrupts_while_it_still_imports_and_its_parent_does_not():
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
    assert not done.stderr
