"""The processor's own instructions for AES (Intel, "AES-NI", 2010; VAES), for code that numba compiles.

numba has no vectors, so what uses these puts its code together with llvmlite.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.core.registry import cpu_target

FEATURES = frozenset(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
AVAILABLE = "+aes" in FEATURES and "+sse4.1" in FEATURES


def _lanes() -> int:
    """Return how many blocks a vector holds."""
    if {"+vaes", "+avx512f"} <= FEATURES:
        return 4
    return 2 if {"+vaes", "+avx2"} <= FEATURES else 1


WIDTH = _lanes()
INT = ir.IntType(32)
VECTOR = ir.VectorType(INT, 4 * WIDTH)
BLOCKS = ir.VectorType(ir.IntType(64), 2 * WIDTH)
SUFFIX = {1: "", 2: ".256", 4: ".512"}[WIDTH]


def instruction(builder: Any, name: str, state: Any, key: Any) -> Any:
    """Return the code of one instruction, e.g. ``aesenc``, on a vector of blocks and one of round keys."""
    kind = ir.FunctionType(BLOCKS, [BLOCKS, BLOCKS])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.aesni.{name}{SUFFIX}")
    values = [builder.bitcast(value, BLOCKS) for value in (state, key)]
    return builder.bitcast(builder.call(function, values), VECTOR)
