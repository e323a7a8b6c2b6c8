"""Checks that the contracts fit what each host's nodeos supports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from coordinator.hosts.contracts import Progress, judge_contracts
from coordinator.hosts.preflight.model import HostProblem
from inventory.fitness import names
from inventory.network import Network
from inventory.versions import LICENCE, is_under_bsl
from support.bundled import BundledError

CHECK = "contracts"


def contract_problems(network: Network, supported: Mapping[str, Any], report: Progress) -> Iterator[HostProblem]:
    """What would fail after the seal. supported: by host, as far as known."""
    home = network.genesis_node.host
    try:
        judged = judge_contracts(network, supported, report)
    except BundledError as error:
        yield HostProblem(home, CHECK, True, str(error), "or set contracts.directory to a folder with all of them")
        return
    for one in judged.problems:
        path = "" if one.path == CHECK else f"{one.path}: "
        yield HostProblem(home, CHECK, True, f"{path}{one.message}", one.hint or "see docs/contracts.md")


def licences(supported: Mapping[str, Any]) -> Iterator[HostProblem]:
    """A warning for each host whose nodeos has a restrictive licence."""
    for host, answer in supported.items():
        if is_under_bsl(names(answer)):
            yield HostProblem(host, "nodeos", False, LICENCE, "see docs/contracts.md")
