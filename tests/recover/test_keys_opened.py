"""A key that is made of nothing but what every file of a format begins with opens nothing."""

import io
import wave
from contextlib import nullcontext

import numpy as np
import pytest
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from tests.lockers import drawn
from unransom.core.context import Context
from unransom.core.records import FileRef, KeyFound
from unransom.core.searches import Shard, Target
from unransom.core.streams import BytesReader
from unransom.recover.keys.attacks.keystream import ATTACK

FILES = 5


def sound(number):
    """Return a recording of low sounds between silences."""
    quiet = np.frombuffer(drawn(f"sound {number}", 4000), np.int8).astype("<i2").tobytes()
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(2000) + quiet + bytes(2000))
    return out.getvalue()


def found(locked):
    refs = tuple(
        FileRef(
            id=number, source="s", path=b"%d.wav.zq" % number, size=len(data), original=b"%d.wav" % number
        )
        for number, data in enumerate(locked, 1)
    )
    context = Context(open=lambda ref: nullcontext(BytesReader(locked[ref.id - 1])))
    target = Target(family="", samples=refs, files=len(refs), size=sum(map(len, locked)))
    plan = ATTACK.plan(target, context)
    assert plan is not None
    if not plan.shards:
        return []
    records = ATTACK.search(Shard(plan=plan, target=target, number=1), context)
    return [each for each in records if isinstance(each, KeyFound)]


@pytest.mark.parametrize("part", [1024, None], ids=["the head", "the whole file"])
def test_equal_first_blocks_of_one_format_are_no_keystream(part):
    key, iv = drawn("key", 32), drawn("iv", 16)
    locked = []
    for number in range(FILES):
        plain = sound(number)
        head = plain if part is None else plain[:part]
        cipher = AES.new(key, AES.MODE_CBC, iv)
        locked.append(cipher.encrypt(pad(head, 16) if part is None else head) + plain[len(head) :])
    assert found(locked) == []
