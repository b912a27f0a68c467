"""Arrays that several sources are members of: the first source that was named lists them.

Which source that is, their records say, so that workers and later runs find it there.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from unransom.core.records import Source

OPTION = "array "  # of a source; an array's identifier follows. Its value is the source that lists the array.


def listed_elsewhere(source: Source) -> dict[str, str]:
    """Return which other sources list the arrays that ``source`` is a member of, by their identifiers."""
    return {array: other for array, other in _arrays(source) if other != source.id}


def shared(source: Source, arrays: Iterable[str], others: Iterable[Source]) -> Source:
    """Return ``source`` with who lists the arrays that it is a member of.

    Args:
        source: A new source.
        arrays: Identifiers of those arrays.
        others: Sources that were named before.
    """
    lists = dict(pair for other in others for pair in _arrays(other))
    options = {OPTION + array: lists.get(array, source.id) for array in arrays}
    return msgspec.structs.replace(source, options=source.options | options) if options else source


def _arrays(source: Source) -> Iterable[tuple[str, str]]:
    return (
        (name.removeprefix(OPTION), other)
        for name, other in source.options.items()
        if name.startswith(OPTION)
    )
