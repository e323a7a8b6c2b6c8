"""Inventories written to a temporary folder, and the reports that hosts would send about them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inventory.allocation import holdings
from inventory.load import load
from inventory.network import Network
from inventory.seal import Collected
from tests.unit.inventory.material import SUPPORTED, Collect, Load, Write, contracts, key


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an inventory, and adds a minimal [network] if there is none."""

    def inner(text: str) -> Path:
        path = tmp_path / "x.toml"
        path.write_text(text if "[network]" in text else f'[network]\nname = "x"\n{text}')
        return path

    return inner


@pytest.fixture
def network(write: Write) -> Load:
    """Loads an inventory from its text."""
    return lambda text: load(write(text))


@pytest.fixture
def collect() -> Collect:
    """What the hosts of a network report; keyword arguments replace parts."""

    def inner(of: Network, **parts: Any) -> Collected:
        imported = parts.get("imported", {})
        accounts = [holding.account for holding in holdings(of, tuple(imported))]
        given: dict[str, Any] = {
            "eosio_key": key("eosio"),
            "account_keys": {account: key(account) for account in accounts if account not in imported},
            "signing_keys": {producer.account: key(f"sign {producer.account}") for producer in of.producers},
            "features": {of.genesis_node.host: SUPPORTED},
            "contracts": contracts(of),
            "now": datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC),
        }
        return Collected(**given | parts)

    return inner
