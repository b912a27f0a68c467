"""Weak random number generators whose seeds can be searched, one file for each."""

from __future__ import annotations

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.crypto.generators import (
    ansi_c,
    borland_c,
    delphi,
    dotnet,
    drand48,
    glibc,
    glibc_type0,
    go,
    java,
    minstd,
    minstd0,
    msvc,
    mt19937,
    mt19937_array,
    mt19937_byte,
    mt19937_php5,
    musl,
    numerical_recipes,
    pcg32,
    rtl_uniform,
    splitmix64,
    visual_basic,
    xorshift32,
    xorshift64,
    xorshift128,
    xorshift128_plus,
    yarrow256,
)
from unransom.crypto.generators.generator import Generator

GENERATORS: tuple[Generator, ...] = (
    ansi_c.GENERATOR,
    borland_c.GENERATOR,
    delphi.GENERATOR,
    dotnet.GENERATOR,
    drand48.GENERATOR,
    glibc.GENERATOR,
    glibc_type0.GENERATOR,
    go.GENERATOR,
    java.GENERATOR,
    minstd.GENERATOR,
    minstd0.GENERATOR,
    msvc.GENERATOR,
    mt19937.GENERATOR,
    mt19937_array.GENERATOR,
    mt19937_byte.GENERATOR,
    mt19937_php5.GENERATOR,
    musl.GENERATOR,
    numerical_recipes.GENERATOR,
    pcg32.GENERATOR,
    rtl_uniform.GENERATOR,
    splitmix64.GENERATOR,
    visual_basic.GENERATOR,
    xorshift128.GENERATOR,
    xorshift128_plus.GENERATOR,
    xorshift32.GENERATOR,
    xorshift64.GENERATOR,
    yarrow256.GENERATOR,
)


def generator(name: str) -> Generator:
    """Return the generator called ``name``.

    Raises:
        UsageError: There is none.
    """
    for each in GENERATORS:
        if each.name == name:
            return each
    raise UsageError(say("there is no generator called {name}", name=name))
