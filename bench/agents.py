"""Many agents at one coordinator: real sessions over gRPC and mutual TLS, a few hundred in each process, no nodes.

The coordinator runs in a separate process, so that its CPU and memory can be measured alone. Hosts' agents come first:
they enrol, register, all do one task, and idle; then some stop reading, and some are lost. Parties come second: they
redeem invitations, and the last ones join at once. `python -m bench.agents [--agents N …] [--only hosts|parties]`
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from bench.agents_crowd import run_crowd, run_hosts
from bench.agents_hub import Enrolled, run_hub
from bench.harness import BenchError, Figure, Say, say, show

SIZES = (100, 1000)
PROCESSES = 4
"""How many processes the agents are spread over."""
STOPPED = 20
"""How many agents are in a process that is stopped: their streams stay open, and nobody reads them."""
REGISTER_SECONDS, STEP_SECONDS, MEMORY_MIB, CORES = 60.0, 5.0, 500.0, 1.0
FLAT = 1.5
"""By which factor the cost per agent may grow when there are ten times as many."""
TASKS = 15
"""How often all agents get a task: the CPU for one is too little to be measured once."""
SAME = 80
"""How many agents get tasks alone: what they need stays in the processor's caches, however many others are there."""
IDLE_SECONDS = 10.0
PATIENCE = 300.0


@dataclass(frozen=True)
class Told:
    """The answer of the coordinator's process to a request."""

    value: Any
    cpu: float
    """Seconds of CPU that the request took, of all its threads."""
    seconds: float
    peak_mib: float
    total: float
    """Seconds of CPU of the process so far."""


class Process:
    """A process that carries out requests."""

    def __init__(self, work: Callable[..., Coroutine[Any, Any, None]], *given: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self._process = context.Process(target=_main, args=(work, other, *given), daemon=True)
        self._process.start()
        other.close()

    def ask(self, what: str, *given: Any) -> Told:
        """Its answer. Raises BenchError."""
        self.begin(what, *given)
        return self.end(what)

    def begin(self, what: str, *given: Any) -> None:
        """Sends a request without waiting for the answer."""
        self.pipe.send((what, given))

    def end(self, what: str) -> Told:
        """The answer to the request that `begin` sent. Raises BenchError."""
        if not self.pipe.poll(PATIENCE):
            raise BenchError(f"{what}: no answer for {PATIENCE:g} s")
        try:
            answer = self.pipe.recv()
        except EOFError:
            raise BenchError(f"{what}: its process ended") from None
        if isinstance(answer, str):
            raise BenchError(f"{what}: {answer}")
        return Told(*answer)

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        if self._process.pid:
            os.kill(self._process.pid, number)

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.join()


def _main(work: Callable[..., Coroutine[Any, Any, None]], pipe: Pipe, *given: Any) -> None:
    """Raises this process's limit of open files, so that it can hold all connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(work(pipe, *given))


def run(say: Say, sizes: Sequence[int] = SIZES) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    yield from _flat(say, sizes, _hosts)
    yield from _flat(say, sizes, _parties)


Costs = dict[str, float]
"""Milliseconds of the coordinator's CPU for each agent, by activity."""


def _flat(say: Say, sizes: Sequence[int], measure: Callable[[Say, int, Costs], Iterator[Figure]]) -> Iterator[Figure]:
    """The figures for each size, and the costs of the last size compared with those of the first."""
    costs: list[Costs] = []
    for size in sizes:
        costs.append({})
        yield from measure(say, size, costs[-1])
    for what, first in costs[0].items() if len(costs) > 1 else ():
        name = f"agents, {sizes[-1]} against {sizes[0]}"
        yield Figure(name, f"CPU per agent, {what}", costs[-1][what], "ms", first, f"with {sizes[0]}", at_most=FLAT)


@contextmanager
def _processes(*every: Process) -> Iterator[None]:
    try:
        yield
    finally:
        for one in every:
            one.close()


def _hosts(say: Say, count: int, costs: Costs) -> Iterator[Figure]:
    say(f"{count} hosts' agents")
    name = f"agents, {count} hosts"
    with tempfile.TemporaryDirectory(prefix="bench-agents-") as folder:
        hub = Process(run_hub, folder)
        agents = [Process(run_hosts) for _ in range(PROCESSES)]
        few = Process(run_hosts)
        with _processes(hub, few, *agents):
            names = [f"host{number:05}" for number in range(count)]
            yield from _enrolled(name, hub, [*agents, few], _shares(names), costs)
            steps = [hub.ask("step", names) for _ in range(TASKS)]
            answered = [seconds for step in steps for seconds in step.value]
            yield Figure(name, "a task of all, median", statistics.median(answered), "s", at_most=STEP_SECONDS)
            yield Figure(name, "a task of all, slowest", max(answered), "s")
            idle = hub.ask("idle", IDLE_SECONDS)
            idling = idle.cpu / idle.seconds
            costs["a task, without the reports that come meanwhile"] = _each(steps, idling)
            again = [hub.ask("step", names[:SAME]) for _ in range(TASKS)]
            costs[f"a task of the same {SAME} again and again"] = _each(again, idling)
            costs["idle, a second"] = idling / count * 1e3
            yield Figure(name, "coordinator, idle", idling, "cores", at_most=CORES)
            few.signal(signal.SIGSTOP)
            rest = names[:-STOPPED]
            hub.begin("step", names[-STOPPED:], False)
            hub.end("step")
            others = hub.ask("step", rest)
            yield Figure(name, f"a task of all, {STOPPED} do not read, median of the others",
                         statistics.median(others.value), "s", at_most=STEP_SECONDS)  # fmt: skip
            few.close()
            lost = hub.ask("step", rest)
            yield Figure(name, f"a task of all, {STOPPED} lost, median of the others",
                         statistics.median(lost.value), "s", at_most=STEP_SECONDS)  # fmt: skip
            yield Figure(name, "coordinator's memory", lost.peak_mib, "MiB", at_most=MEMORY_MIB)


def _each(steps: Sequence[Told], idling: float) -> float:
    """Milliseconds of CPU for each agent's task. idling: cores that the reports take meanwhile."""
    return statistics.median((step.cpu - idling * step.seconds) / len(step.value) for step in steps) * 1e3


def _shares(names: Sequence[str]) -> list[Sequence[str]]:
    """The agents' names by process; the last process has those that will be stopped or lost."""
    most = names[:-STOPPED]
    return [*(most[number::PROCESSES] for number in range(PROCESSES)), names[-STOPPED:]]


def _enrolled(
    name: str, hub: Process, agents: Sequence[Process], shares: Sequence[Sequence[str]], costs: Costs
) -> Iterator[Figure]:
    count = sum(map(len, shares))
    before, began = hub.ask("idle", 0.0), time.monotonic()
    for agent, share in zip(agents, shares, strict=True):
        agent.begin("keys", share)
    for agent in agents:
        enrolled: Enrolled = hub.ask("enrol", agent.end("keys").value).value
        agent.begin("dial", enrolled)
    there = hub.ask("await", count, PATIENCE)
    cpu, seconds = there.total - before.total, time.monotonic() - began
    for agent in agents:
        agent.end("dial")
    costs["enrolment and registration"] = cpu / count * 1e3
    yield Figure(name, "enrolled, connected and reported", seconds, "s", at_most=REGISTER_SECONDS)
    yield Figure(name, "coordinator's CPU for that", cpu, "s", seconds, "elapsed", at_most=CORES)


def _parties(say: Say, count: int, costs: Costs) -> Iterator[Figure]:
    say(f"{count} parties")
    name, late = f"agents, {count} parties", count // 5
    with tempfile.TemporaryDirectory(prefix="bench-parties-") as folder:
        hub, crowd = Process(run_hub, folder, count), Process(run_crowd)
        with _processes(hub, crowd):
            names = [f"p{number:05}" for number in range(count)]
            crowd.ask("operator", hub.ask("operator").value)
            crowd.ask("join", hub.ask("invite", names[late:]).value)
            hub.ask("ready", names[late:], PATIENCE)
            tokens = hub.ask("invite", names[:late]).value
            before, began = hub.ask("idle", 0.0), time.monotonic()
            crowd.begin("join", tokens)
            ready = hub.ask("ready", names[:late], PATIENCE)
            crowd.end("join")
            cpu, seconds = ready.total - before.total, time.monotonic() - began
            costs["a party that joins"] = cpu / late * 1e3
            yield Figure(name, f"{late} join at once, until each is ready", seconds, "s", at_most=REGISTER_SECONDS)
            yield Figure(name, "coordinator's CPU for that", cpu, "s", seconds, "elapsed", at_most=CORES)
            idle = hub.ask("idle", IDLE_SECONDS)
            costs["a party there, a second"] = idle.cpu / idle.seconds / count * 1e3
            yield Figure(name, "coordinator, idle", idle.cpu / idle.seconds, "cores", at_most=CORES)
            yield Figure(name, "coordinator's memory", max(idle.peak_mib, before.peak_mib), "MiB", at_most=MEMORY_MIB)


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.agents")
    parser.add_argument("--agents", type=int, nargs="+", default=SIZES)
    parser.add_argument("--only", choices=("hosts", "parties"))
    options = parser.parse_args()
    kinds = {"hosts": _hosts, "parties": _parties}
    wanted = [kinds[options.only]] if options.only else list(kinds.values())
    return max(show(_flat(say, options.agents, one)) for one in wanted)


if __name__ == "__main__":
    sys.exit(main())
