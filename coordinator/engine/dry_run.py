"""The dry run: the boot as cleos commands."""

from __future__ import annotations

from collections.abc import Iterator

from boot.blueprint import Blueprint
from boot.plan import make_plan
from boot.step import ChainStep, NodeStep, Push
from boot.steps import STEPS
from coordinator.engine.command_lines import CommandLines
from coordinator.errors import OperationFailed
from coordinator.state.folder import StateFolder
from inventory.network import Network


def cleos_plan(network: Network, state: StateFolder | None) -> Iterator[str]:
    """Every step's commands, with a heading each. Raises OperationFailed before the seal: keys are not known yet."""
    sealed = state.sealed if state else None
    if state is None or sealed is None:
        raise OperationFailed(
            f"the commands contain public keys that the hosts have not made yet; run: coord boot {network.source} "
            "--until genesis, and then this again"
        )
    blueprint = Blueprint(sealed, state.artifacts.get)
    command_lines = CommandLines(network, blueprint, state.artifacts.folder)
    for step in make_plan(STEPS).steps:
        yield f"# {step.name}: {step.title}"
        if isinstance(step, ChainStep):
            for work in step.work(blueprint):
                if not (isinstance(work, Push) and work.spare):
                    yield from command_lines.of(work)
        elif isinstance(step, NodeStep):
            yield f"#   nodeos, mode {step.mode.value}"
