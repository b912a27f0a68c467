"""Fixtures that tests of several folders share live in ``tests/fixtures``."""

import os

from hypothesis import settings

# Files without a key are searched for an hour by default; tests of searches say how long they need.
os.environ.setdefault("UNRANSOM_BUDGET", "5")

# A busy machine must not fail a test: how long a parser may take is the soak's business.
settings.register_profile("unransom", deadline=None, print_blob=True)
settings.load_profile("unransom")

pytest_plugins = (
    "tests.fixtures.buckets",
    "tests.fixtures.disks",
    "tests.fixtures.images",
    "tests.fixtures.planted",
    "tests.fixtures.cluster",
    "tests.fixtures.locked",
)
