"""The sealed network, and a chain as planned."""

from __future__ import annotations

import pytest

from boot.blueprint import Blueprint
from tests.unit.boot.audit.fake_chain import FakeChain
from tests.unit.boot.audit.planned import blueprint


@pytest.fixture
def plan() -> Blueprint:
    """The sealed network."""
    return blueprint()


@pytest.fixture
def chain(plan: Blueprint) -> FakeChain:
    """A chain exactly as planned."""
    return FakeChain(plan)
