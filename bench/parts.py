"""The parts of coordinator and agent that handle every row and need no chain, each measured in a separate process.

`python -m bench.parts coordinator|agent INVENTORY`; the first leaves the allocation beside the inventory.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from antelope.genesis import Genesis
from antelope.keys import PublicKey
from boot.blueprint import Blueprint
from boot.step import KeyedWork
from inventory.names import producer_name
from inventory.rows import Allocation
from inventory.sealed import FORMAT, Sealed, SealedContract

ANY_KEY = str(PublicKey(b"\2" + bytes(31) + b"\1"))
EVERY = 200
"""One push in this many is derived: each is derived on access, and not kept."""


def coordinate(inventory: Path) -> None:
    """The coordinator's part: what it does with the rows before the seal."""
    from inventory.allocation import allocate, holdings
    from inventory.load import load

    network = load(inventory)
    rows = allocate(network, holdings(network), {producer_name(0): ANY_KEY})
    hashlib.sha256(rows.artifact).hexdigest()
    (inventory.parent / "allocation").write_bytes(rows.artifact)


def derive(inventory: Path) -> None:
    """The agent's part: finds accounts in the allocation, and derives the transactions of keys."""
    import agent.serve  # noqa: F401 (for its memory)
    from boot.steps import accounts

    artifact = (inventory.parent / "allocation").read_bytes()
    plan = Blueprint(_sealed(artifact), lambda _: artifact)
    plan.rows.find("nobody")
    work = KeyedWork(accounts.work(plan))
    for key in list(work)[::EVERY]:
        if not work[key]:
            raise SystemExit(f"{key} has no work")


def _sealed(artifact: bytes) -> Sealed:
    """A sealed network in which only the allocation matters."""
    genesis = Genesis(datetime(2026, 1, 1, tzinfo=UTC), PublicKey.parse(ANY_KEY))
    nothing = SealedContract("eosio", "", "")
    return Sealed(
        format=FORMAT,
        network="parts",
        chain_id=genesis.chain_id(),
        genesis=json.loads(genesis.to_json()),
        symbol="4,SYS",
        max_supply=10**14,
        issue=10**13,
        boot_contract=nothing,
        contracts=(),
        system_accounts=(),
        features=(),
        allocation=hashlib.sha256(artifact).hexdigest(),
        accounts=len(Allocation(artifact)),
        producers=(),
        proxies=(),
        votes=(),
    )


if __name__ == "__main__":
    {"coordinator": coordinate, "agent": derive}[sys.argv[1]](Path(sys.argv[2]))
