"""Keys that a locker draws from a weak generator, and what the generator was seeded with."""

from __future__ import annotations

from typing import Literal

import msgspec

from unransom.crypto.search.recipe import Recipe


class Seeded(msgspec.Struct, frozen=True):
    """How the key of a file is drawn.

    Attributes:
        recipe: From the seed to the key and the cipher. The cipher takes the file from its first byte on.
        clock: What the seed is: ``uptime``, milliseconds since the machine started; ``unix``, seconds since
            1970.
    """

    recipe: Recipe
    clock: Literal["uptime", "unix"]
