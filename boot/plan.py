"""The graph of steps, checked and in order, and the part of it that a user asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from boot.step import Step


class PlanError(ValueError):
    """The steps do not form a graph, or there is no step of the name that was asked for. The message is one line."""

    exit_status = 2
    retryable = False
    hint = ""


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which each comes after all steps that it needs. Made by `make_plan`."""

    steps: tuple[Step, ...]
    assumed: frozenset[str] = frozenset()
    """Names of steps outside this selection that steps in it need: they must be done already."""

    @cached_property
    def by_name(self) -> dict[str, Step]:
        """The steps by name."""
        return {step.name: step for step in self.steps}

    def step(self, name: str) -> Step:
        """The step of that name. Raises PlanError."""
        if name not in self.by_name:
            raise PlanError(f"there is no step {name!r}; the steps are {', '.join(self.by_name)}")
        return self.by_name[name]

    def ancestors(self, name: str) -> frozenset[str]:
        """Every step that must be done before this one. Raises PlanError."""
        found: set[str] = set()
        waiting = list(self.step(name).after)
        while waiting:
            current = waiting.pop()
            if current not in found and current in self.by_name:
                found.add(current)
                waiting += self.by_name[current].after
        return frozenset(found)

    def until(self, name: str) -> Plan:
        """The step and all steps that it needs: a boot that stops there and can be continued. Raises PlanError."""
        wanted = self.ancestors(name) | {name}
        return Plan(tuple(step for step in self.steps if step.name in wanted))

    def only(self, name: str) -> Plan:
        """Only that step; all steps that it needs must be done already (`assumed`). Raises PlanError."""
        return Plan((self.step(name),), frozenset(self.ancestors(name)))


def make_plan(steps: Iterable[Step]) -> Plan:
    """A plan of the steps, as near to their given order as their needs allow. Raises PlanError for a duplicate name, a
    need that is not a step, and a cycle."""
    given = tuple(steps)
    position = {step.name: number for number, step in enumerate(given)}
    if len(position) < len(given):
        names = [step.name for step in given]
        raise PlanError(f"two steps are named {next(name for name in names if names.count(name) > 1)!r}")
    for step in given:
        for need in step.after:
            if need not in position:
                raise PlanError(f"step {step.name!r} comes after {need!r}, which is not a step")
    sorter = TopologicalSorter({step.name: step.after for step in given})
    try:
        sorter.prepare()
    except CycleError as error:
        raise PlanError(f"the steps need each other in a circle: {' → '.join(error.args[1])}") from error
    return Plan(tuple(given[position[name]] for name in _in_given_order(sorter, position)))


def _in_given_order(sorter: TopologicalSorter[str], position: dict[str, int]) -> list[str]:
    ordered: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=position.__getitem__)
        first = ready.pop(0)
        ordered.append(first)
        sorter.done(first)
    return ordered
