"""Searches for keys have the time here that they need; elsewhere in the tests they have next to none."""

import pytest


@pytest.fixture(autouse=True)
def _time_for_searches(monkeypatch):
    monkeypatch.setenv("UNRANSOM_BUDGET", "20m")
