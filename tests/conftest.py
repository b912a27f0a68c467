"""Fixtures that tests of several folders share live in ``tests/fixtures``."""

pytest_plugins = (
    "tests.fixtures.buckets",
    "tests.fixtures.disks",
    "tests.fixtures.planted",
    "tests.fixtures.cluster",
    "tests.fixtures.locked",
)
