"""bootcoord from Python: boot an Antelope network, use it, and take it down again.

    from bootcoord import Network

    async with Network.load("inventory/devnet.toml") as net:
        await net.boot()
        chain = await net.chain()
        await chain.push(await chain.action("eosio.token", "transfer", actor="useraaaaaaaa", data={...}))

It does what `coord` does, with the same workflows and the same state folder: `coord` works with networks that were
booted from Python, and the reverse. Errors are the project's own: each has `exit_status`, `retryable` and `hint`, and
a message of one line (`Explained`). docs/developers.md has examples; `bootcoord.pytest_plugin` has a pytest fixture.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antelope.http import NodeClient
    from antelope.keys import PrivateKey, PublicKey
    from antelope.transaction import Action, PermissionLevel, SignedTransaction, Transaction
    from bootcoord.chain import Chain, Pushed
    from bootcoord.devnet import Devnet
    from bootcoord.events import Event, Noted, StepBegan, StepEnded, StepMoved
    from bootcoord.models import Audit, BootResult, Check, NodeStatus, PlannedStep, Status, StepStatus
    from bootcoord.network import Network, OnExit
    from coordinator.errors import CoordError
    from coordinator.report.status import Phase
    from coordinator.reporter import StepResult
    from support.errors import Explained, explanation

_HOMES = {
    "antelope.http": ("NodeClient",),
    "antelope.keys": ("PrivateKey", "PublicKey"),
    "antelope.transaction": ("Action", "PermissionLevel", "SignedTransaction", "Transaction"),
    "bootcoord.chain": ("Chain", "Pushed"),
    "bootcoord.devnet": ("Devnet",),
    "bootcoord.events": ("Event", "Noted", "StepBegan", "StepEnded", "StepMoved"),
    "bootcoord.models": ("Audit", "BootResult", "Check", "NodeStatus", "PlannedStep", "Status", "StepStatus"),
    "bootcoord.network": ("Network", "OnExit"),
    "coordinator.errors": ("CoordError",),
    "coordinator.report.status": ("Phase",),
    "coordinator.reporter": ("StepResult",),
    "support.errors": ("Explained", "explanation"),
}
"""Imported on first use, because pytest imports this package in every run, even if no test uses a network."""
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Action",
    "Audit",
    "BootResult",
    "Chain",
    "Check",
    "CoordError",
    "Devnet",
    "Event",
    "Explained",
    "Network",
    "NodeClient",
    "NodeStatus",
    "Noted",
    "OnExit",
    "PermissionLevel",
    "Phase",
    "PlannedStep",
    "PrivateKey",
    "PublicKey",
    "Pushed",
    "SignedTransaction",
    "Status",
    "StepBegan",
    "StepEnded",
    "StepMoved",
    "StepResult",
    "StepStatus",
    "Transaction",
    "explanation",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOME_OF[name] in ("bootcoord.network", "bootcoord.devnet"):
        importlib.import_module("support.quiet")  # before what imports grpc
    return getattr(importlib.import_module(_HOME_OF[name]), name)
