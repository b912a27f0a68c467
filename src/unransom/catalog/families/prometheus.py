"""Prometheus and Hakbit, built with Thanos: Salsa20 over the whole file, nonce 01 02 .. 08.

The key is 32 printable characters drawn from .NET's random numbers. Most files end with a record that is not
locked: the key under RSA-4096, 684 characters of base64, and ``GotAllDone``. What the public decryptor gives
holds it, too, decrypted like the rest; so does what comes out here. Without a record only the name
tells the family.
"""

from __future__ import annotations

from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan, Unlock
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.seeded import Seeded
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.search.recipe import Cipher, Part, Recipe, Scaled

NONCE = bytes(range(1, 9))
KEY_SIZE = 32
FIRST, LAST = 33, 126  # of the characters that a key is drawn from
REFUSED = b'"\\'  # that are drawn again
CHARACTERS = frozenset(range(FIRST, LAST + 1)) - frozenset(REFUSED)
RECIPE = Recipe(  # new Random(Environment.TickCount).Next(33, 127)
    generator="dotnet",
    parts=(Part("key", KEY_SIZE, Scaled(LAST + 1 - FIRST, FIRST), redraw=REFUSED),),
    cipher=Cipher(name="salsa", iv=NONCE),
)


RECORD = Tail(
    (Field("blob", 684, encoding="base64", random=True), Magic(b"GotAllDone".hex())), wrapped="blob"
)


def read(locked: Reader) -> Mark | None:
    """Return the record's mark, or the weakest of marks: that there is something to be locked."""
    return RECORD(locked) or (Mark(bits=1, plain_size=locked.size) if locked.size else None)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take a key of the characters that the locker draws; it proves nothing by itself."""
    del mark
    fits = len(key.data) == KEY_SIZE and CHARACTERS.issuperset(key.data)
    return FileKey({"key": key.data}) if fits else None


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the whole file."""
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415 numba takes half a second to import

    del mark
    cipher = Salsa.from_key(key.parts["key"], NONCE)
    return Plan(locked.size, iter([Unlock(0, locked.size, cipher)]))


FAMILY = Family(
    name="prometheus",
    title="Prometheus",
    aliases=("hakbit", "thanos"),
    extensions=(r"\.(?i:prom)\[[^\]]+\]",),
    notes=(r"(?i)restore_files_info\.(txt|hta)",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the key of the file, 32 characters, or the tick count that it was drawn with"),
    references=("https://github.com/cycraft-corp/Prometheus-Decryptor",),
    recipes=(Seeded(RECIPE, "uptime"),),
    limitations=(
        "Behind the original stay as many bytes as the record had, which is why no output is called whole.",
        "A file without a record carries no mark: without its extension only a key shows its family.",
    ),
)
