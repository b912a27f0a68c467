"""Ways in which data is lost for good, one per file; ``LOSSES`` are the proofs first, then the warnings."""

from unransom.catalog.losses import (
    acidrain,
    azov,
    crywiper,
    cut,
    emptied,
    nitrogen,
    ordinypt,
    raced,
    ryuk,
    sicarii,
    unkeyed,
    vect,
    whispergate,
    zeroed,
)
from unransom.catalog.losses.loss import Rule

LOSSES: tuple[Rule, ...] = (
    emptied.RULE,
    zeroed.RULE,
    whispergate.RULE,
    ordinypt.RULE,
    acidrain.RULE,
    cut.RULE,
    unkeyed.RULE,
    azov.RULE,
    vect.RULE,
    raced.RULE,
    nitrogen.RULE,
    sicarii.RULE,
    crywiper.RULE,
    ryuk.RULE,
)
