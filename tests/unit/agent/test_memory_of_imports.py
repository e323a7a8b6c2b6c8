"""What an idle agent must not have in memory: it runs for months beside nodes, and needs these for moments."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "cryptography": "9 MiB; needed when a certificate is requested or renewed",
    "boot.audit": "3 MiB; needed by parties",
    "agent.party.agent": "needed by parties",
    "agent.solo": "needed by `coord devnet`",
    "numpy": "12 MiB; draws a network's allocation, which an agent only reads",
    "fabric": "installs agents; the coordinator's",
    "paramiko": "the coordinator's",
    "aiohttp": "8 MiB; the coordinator's page",
    "prometheus_client": "needed where metrics are exported",
    "pyrage": "needed for a backup of keys",
}
"""Modules, and why an agent does without."""


@pytest.mark.parametrize("start", ["agent.commands", "agent.serve", "agent.daemon"])
def test_a_hosts_agent_imports_nothing_heavy(start: str) -> None:
    """As `agent serve` imports them, in an interpreter of its own."""
    code = f"import json, sys, {start}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert start in loaded
    assert {name: why for name, why in HEAVY.items() if name in loaded} == {}
