"""Fixtures that tests of several folders share live in ``tests/fixtures``."""

pytest_plugins = ("tests.fixtures.disks", "tests.fixtures.planted", "tests.fixtures.locked")
