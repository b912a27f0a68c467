"""A family as one description: plain data that a person or a program writes, without any code.

A description comes as TOML, which ``description_text`` reads and writes, or as JSON, as which it travels
to workers and into the case. ``Description.family`` makes of it what every built-in family is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from unransom.catalog.schemes.data import Data, Fault, parts_of, references
from unransom.catalog.schemes.extents import ByExtension, Facts
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Locked, Mark, Plan, original_name
from unransom.catalog.schemes.layout import Field, Head, Number, Tail
from unransom.catalog.schemes.metadata import Metadata, Original
from unransom.catalog.schemes.moved import Moved, Patch, put_back
from unransom.catalog.schemes.passwords import Password
from unransom.catalog.schemes.plans import Behind, Chosen, EachSpan, Layout, OneStream
from unransom.catalog.schemes.wraps import X25519, AgreedBox, KeyBox, Rsa, RunKey, SealedBox, TwoLevel
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.crypto.keyfiles import read_keys

Pattern = Annotated[str, Meta(title="regular expression", min_length=1, max_length=400)]
Text = Annotated[str, Meta(max_length=400)]
OneWrap = X25519 | AgreedBox | KeyBox | SealedBox | Rsa | RunKey | Password | TwoLevel
NUMBER = 8  # bytes of the longest part of a key that is a number


class AnyOf(Data, frozen=True, tag="any-of"):
    """Several wraps of the same parts, for several kinds of key; the first that opens counts."""

    wraps: Annotated[tuple[OneWrap, ...], Meta(min_length=1, max_length=8)]

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return what the first wrap gives that ``key`` opens, None where none does."""
        return next((found for wrap in self.wraps if (found := wrap(mark, key))), None)


Wrap = OneWrap | AnyOf


class Description(Data, frozen=True, kw_only=True):
    r"""A ransomware family, or a generation of one that locks in its own way.

    Attributes:
        name: Short name, lower-case.
        title: What people call it; the name where there is none.
        extensions: Regular expressions that match the end of a locked file's name, e.g. ``\.harbour``.
            Group ``name``, if any, is the original name, else what stands before the match is.
        notes: Regular expressions of whole names of its ransom notes.
        head: Metadata before the locked bytes.
        tail: Metadata behind them.
        original: What the metadata says about the original.
        moved: Bytes of the original that stand in the metadata instead of at their place.
        wrap: How a key opens the file's key.
        plan: Which bytes are locked, and by which cipher. What is before the first one, ``skip`` or
            ``start``, is the head where nothing else is said.
        key: The key, where a campaign has one for all files: hexadecimal, or any other form that a key
            file may have. It counts as if it had been given with ``--key``, and is stored nowhere.
        wanted: What a key holder would need to hand over.
        references: Where the layout is written down.
        limitations: What is not supported or not known.
    """

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,39}$")]
    title: Text = ""
    extensions: tuple[Pattern, ...] = ()
    notes: tuple[Pattern, ...] = ()
    head: Head | None = None
    tail: Tail | None = None
    original: Original = Original()
    moved: tuple[Moved, ...] = ()
    wrap: Wrap
    plan: Layout
    key: Annotated[str, Meta(max_length=16384)] = ""
    wanted: Text = ""
    references: tuple[Text, ...] = ()
    limitations: tuple[Text, ...] = ()

    def family(self) -> Family:
        """Return the family; only of a description without ``problems``."""
        scheme = _Scheme(self)
        return Family(
            name=self.name,
            title=self.title or self.name,
            extensions=self.extensions,
            notes=self.notes,
            read=scheme.read,
            takes=taken(self.wrap),
            unwrap=self.wrap,
            plan=scheme.plan,
            wanted=Message(self.wanted) if self.wanted else _wanted(self.wrap),
            references=self.references,
            limitations=self.limitations,
        )

    def own_keys(self) -> tuple[Key, ...]:
        """Return every key that ``key`` can be read as."""
        return read_keys(self.key.encode(), self.name) if self.key else ()

    def problems(self) -> Iterator[Fault]:
        """Yield all that makes no sense, with the path to it from here."""
        for path, part in parts_of(self):
            for fault in part.faults():
                yield Fault((*path, *fault.path), fault.why)
        named = self._named()
        for path, kind, name in references(self):
            if name not in named[kind]:
                yield Fault(path, _NOWHERE[kind](name))

    def faults(self) -> Iterator[Fault]:
        """Yield patterns and keys that cannot be read, and names that both head and tail have."""
        for field in ("extensions", "notes"):
            for index, pattern in enumerate(getattr(self, field)):
                if error := _unreadable(pattern):
                    yield Fault((field, index), say("this is no regular expression: {why}", why=error))
        if self.key and not self.own_keys():
            yield Fault(("key",), say("no key can be read from this"))
        heads = {part.name for part in _names(self.head)}
        for index, part in enumerate(self.tail.parts if self.tail else ()):
            if isinstance(part, Field | Number) and part.name in heads:
                why = say("two parts are called {name}", name=part.name)
                yield Fault(("tail", "parts", index, "name"), why)

    def _named(self) -> dict[str, set[str]]:
        """Return the names that there are, by what refers to them."""
        parts = given(self.wrap)
        fields: set[str] = set()
        numbers = {name for name, length in parts.items() if length <= NUMBER}
        for part in (*_names(self.head), *_names(self.tail)):
            (fields if isinstance(part, Field) else numbers).add(part.name)
        return {"field": fields, "bytes": fields | parts.keys(), "number": numbers}


_NOWHERE = {
    "field": lambda name: say("head and tail have no field called {name}", name=name),
    "bytes": lambda name: say("neither a field nor a part of the key is called {name}", name=name),
    "number": lambda name: say("neither a number nor a short part of the key is called {name}", name=name),
}


def _names(place: Head | Tail | None) -> Iterator[Field | Number]:
    yield from (part for part in (place.parts if place else ()) if isinstance(part, Field | Number))


def _unreadable(pattern: str) -> str:
    """Return why ``pattern`` is no regular expression, "" where it is one."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def taken(wrap: Wrap) -> tuple[KeyKind, ...]:
    """Return the kinds of key that ``wrap`` opens with."""
    match wrap:
        case Rsa():
            return (KeyKind.RSA,)
        case TwoLevel():
            return tuple(dict.fromkeys((*taken(wrap.master), *taken(wrap.session))))
        case AnyOf():
            return tuple(dict.fromkeys(kind for each in wrap.wraps for kind in taken(each)))
        case _:
            return (KeyKind.RAW,)


def given(wrap: Wrap) -> dict[str, int]:
    """Return the parts of the file's key that ``wrap`` always gives, with their bytes at most."""
    match wrap:
        case TwoLevel():
            return given(wrap.session)
        case AnyOf():
            each = [given(one) for one in wrap.wraps]
            common = set.intersection(*map(set, each))
            return {name: max(parts[name] for parts in each) for name in common}
        case _:
            return {name: end - start for name, (start, end) in wrap.parts.items()}


def _wanted(wrap: Wrap) -> Message:
    match wrap:
        case Rsa() | TwoLevel(master=Rsa()):
            return say("the RSA private key that opens the wrapped keys")
        case Password():
            return say("the password")
        case RunKey() | KeyBox():
            return say("the key of the files, or what it is derived from")
        case _:
            return say("the private key that the files' keys are agreed with")


class _Scheme:
    """What a description says, as the functions of a family."""

    def __init__(self, says: Description) -> None:
        self._says = says
        wrapped = (each.name for each in references(says.wrap) if each.kind == "field")
        self._metadata = Metadata(says.head, says.tail, says.original, next(wrapped, ""))
        self._plan = _behind(says.plan, self._metadata.before)
        self._numbers = {part.name for part in self._metadata.parts() if isinstance(part, Number)}
        self._asks_extension = any(isinstance(part, ByExtension) for _, part in parts_of(says.plan))
        parts = [part for _, part in parts_of(says.plan)]
        padded = any(isinstance(part, OneStream) and part.padded for part in parts)
        self._sized = not padded and says.original.size in {"", *self._numbers}

    def read(self, locked: Locked) -> Mark | None:
        """Return the mark of ``locked``, None where it is not of the family."""
        mark = self._metadata(locked)
        return mark if mark is None or self._sized else msgspec.structs.replace(mark, plain_size=None)

    def plan(self, locked: Locked, mark: Mark, key: FileKey) -> Plan:
        """Return how the original is put together.

        Raises:
            BadMarkError: The metadata contradicts itself or the file.
        """
        says, content = self._says, self._metadata.content(locked)
        facts = Facts.of(mark, key)
        name = says.original.decoded(facts.fields[says.original.name]) if says.original.name else None
        size = mark.plain_size
        if size is None:
            size = content if says.original.size in {"", *self._numbers} else facts.number(says.original.size)
        if size > content:
            raise BadMarkError(say("the original would be larger than the locked file"))
        if self._asks_extension:
            called = name or original_name(locked.name, says.extensions) or locked.name
            key = msgspec.structs.replace(key, parts={**key.parts, "name": called})
        stored = content if says.original.padding else size  # who fills up locks what was filled up
        made = self._plan(locked, msgspec.structs.replace(mark, plain_size=stored), key)
        if stored != size:
            made = msgspec.structs.replace(made, size=min(size, made.size))
        if says.moved:
            patches = [Patch(each.at, facts.fields[each.field]) for each in says.moved]
            made = msgspec.structs.replace(made, pieces=put_back(made.pieces, patches))
        return msgspec.structs.replace(made, name=name) if name else made


def _behind(plan: Layout, head: int) -> Layout:
    """Return ``plan`` for what lies behind a head of so many bytes, where it does not say that itself."""
    match plan:
        case OneStream(skip=0) | EachSpan(skip=0):
            return msgspec.structs.replace(plan, skip=head)
        case Behind(start=0):
            return msgspec.structs.replace(plan, start=head)
        case Chosen():
            cases = {number: _behind(case, head) for number, case in plan.cases.items()}
            return msgspec.structs.replace(plan, cases=cases)
        case _:
            return plan


def encoded(description: Description) -> bytes:
    """Return ``description`` as it travels and is stored: JSON, without the key."""
    return msgspec.json.encode(msgspec.structs.replace(description, key=""))


@functools.lru_cache(maxsize=256)
def family_of(description: bytes) -> Family:
    """Return the family that a description in JSON describes."""
    return msgspec.json.decode(description, type=Description).family()
