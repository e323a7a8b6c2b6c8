"""The differences between the inventory and the running network, each with the cost of applying it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from coordinator.advising import typed
from coordinator.engine.node_specs import node_spec
from coordinator.hosts.deploy.unit import data_dir
from inventory.network import Network, Node
from protos import coordination_pb2 as pb
from support.texts import plain

PEERS = "peers"


class Cost(StrEnum):
    """What applying a change takes."""

    NOTHING = ""
    """Running nodes learn of it without a restart."""
    START = "the node is started"
    RESTART = "the node is restarted"
    AGENT = "its agent is restarted, its nodes are not"
    BY_HAND = "not applied by a boot"


@dataclass(frozen=True)
class Change:
    """One difference."""

    host: str
    node: str
    part: str
    """`node` for the whole node, or a part of it: state, p2p, nodeos, peers, options.NAME …; metrics, of an agent."""
    before: str
    """What runs; empty if nothing."""
    after: str
    """What the inventory says; empty if nothing."""
    cost: Cost
    hint: str = ""
    """What to do if a boot does not apply it, or what it does besides."""

    def line(self) -> str:
        """One line of text: `+` added, `-` removed, `~` changed."""
        sign = "+" if not self.before else "-" if not self.after else "~"
        what = f"{self.before or '(none)'} -> {self.after or '(none)'}"
        if self.part == "node":
            what = self.after or self.before
        elif self.part == PEERS:
            old, new = set(self.before.split(", ")), set(self.after.split(", "))
            gone, come = sorted(old - new - {""}), sorted(new - old - {""})
            sign, what = "~", " ".join([*(f"-{peer}" for peer in gone), *(f"+{peer}" for peer in come)])
        name = self.node if self.part == "node" else f"{self.node} {self.part}"
        notes = "; ".join(filter(None, (self.cost, self.hint)))
        return f"{sign} {self.host}: {name}: {what}{f' ({notes})' if notes else ''}"

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "host": self.host, "node": self.node, "part": self.part, "before": self.before, "after": self.after,
            "cost": str(self.cost), "hint": self.hint,
        }  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """A node as its agent reports it."""

    host: str
    spec: pb.NodeSpec
    stopped: bool = False
    """It is not meant to run."""


@dataclass(frozen=True)
class Home:
    """Where an agent keeps data and keys, and as whom it runs."""

    data: str
    user: str


def differences(
    network: Network,
    facts: Mapping[str, Fact],
    away: Iterable[str] = (),
    parties: Collection[str] = (),
    agents: Collection[str] = (),
    exports: Mapping[str, str] = MappingProxyType({}),
    homes: Mapping[str, Home] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """The changes that lead from what runs to what the inventory says.

    facts: by node. away: hosts whose agents do not answer. parties: p2p endpoints of parties, which nodes dial although
    the inventory does not list them. agents: hosts whose agents answer. exports: where each of them exports metrics.
    homes: where each of them has its data.
    """
    unknown = set(away)
    wanted = {node.name: node for node in network.nodes if not node.party}
    found: list[Change] = []
    for name, node in wanted.items():
        fact = facts.get(name)
        if fact is not None and fact.stopped and fact.host != node.host:
            fact = None  # a place that it left
        if fact is None and node.host not in unknown:
            found.append(_added(network, node))
        elif fact is not None and (node.asked_host or fact.host != node.host):
            to = node.asked_host or node.host
            hint = f"it runs on {fact.host}; to move it: {typed('node', 'move', name, '--to', to)}"
            found.append(Change(to, name, "node", "", f"moves from {fact.host}", Cost.BY_HAND, hint))
        elif fact is not None:
            found += _kept(node.host, fact, node_spec(network, node), parties)
    found += _metrics(network, exports)
    found += _homes(network, homes)
    listed = {host.name for host in network.hosts}
    for name, fact in facts.items():
        if name not in wanted and not fact.stopped:
            found.append(_left(fact.host, name, _described(fact.spec), _end(fact, fact.host in listed)))
    for host in sorted({*agents} - listed - {fact.host for fact in facts.values() if not fact.stopped}):
        found.append(_left(host, "agent", "no node runs, but its agent is let in", typed("host", "remove", host)))
    return tuple(found)


def _metrics(network: Network, exports: Mapping[str, str]) -> Iterator[Change]:
    """Agents that export their metrics elsewhere than the inventory says."""
    for host in network.hosts:
        before = exports.get(host.name, host.metrics)
        if before != host.metrics:
            yield Change(host.name, "agent", "metrics", plain(before), host.metrics, Cost.AGENT)


def _homes(network: Network, homes: Mapping[str, Home]) -> Iterator[Change]:
    """Agents whose data and keys are not where the inventory says. They stay where they were made."""
    for host in network.hosts:
        if host.local or (home := homes.get(host.name)) is None:
            continue
        wanted = {"data": (home.data, data_dir(host, network.name)), "user": (home.user, host.user)}
        for part, (before, after) in wanted.items():
            if before and before != after:
                hint = f"data and keys stay as they were made: leave hosts.{part} as it was"
                yield Change(host.name, "agent", part, plain(before), after, Cost.BY_HAND, hint)


def _left(host: str, what: str, before: str, end: str) -> Change:
    """Something that the inventory no longer has."""
    return Change(host, what, "node", before, "", Cost.BY_HAND, f"it still runs there; to end it: {end}")


def _end(fact: Fact, listed: bool) -> str:
    """How to end a node that the inventory no longer has. listed: whether it still has its host."""
    if account := plain(fact.spec.account):
        return f"list {account} in producers.later again, and retire it (docs/changing.md)"
    return typed("node", "stop", fact.spec.name) if listed else typed("host", "remove", fact.host)


def restarts(changes: Iterable[Change]) -> tuple[str, ...]:
    """The nodes that must be restarted, in order, once each."""
    return tuple(dict.fromkeys(change.node for change in changes if change.cost is Cost.RESTART))


def summary(changes: Iterable[Change]) -> str:
    """The cost of all changes in one line; empty if there are none."""
    changes = tuple(changes)
    if not changes:
        return ""
    again = restarts(changes)
    started = {change.node for change in changes if change.cost is Cost.START}
    told = {change.node for change in changes if change.cost is Cost.NOTHING} - set(again)
    agents = sum(change.cost is Cost.AGENT for change in changes)
    by_hand = sum(change.cost is Cost.BY_HAND for change in changes)
    parts = (
        _count(len(started), "node starts", "nodes start"),
        _count(len(again), "node is restarted", "nodes are restarted, one after the other"),
        _count(len(told), "node learns of it without a restart", "nodes learn of it without a restart"),
        _count(agents, "agent is restarted", "agents are restarted"),
        _count(by_hand, "difference is not applied by a boot", "differences are not applied by a boot"),
    )
    return "; ".join(filter(None, parts))


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}" if number else ""


def _added(network: Network, node: Node) -> Change:
    later = next((one for one in network.later if one.account == node.account), None)
    joins = ""
    if later:
        then = "registers, and gets votes" if later.elected and network.parties.vote else "and registers"
        joins = f"{later.account} gets an account if it has none, {then}"
    return Change(node.host, node.name, "node", "", _described(node_spec(network, node)), Cost.START, joins)


def _described(spec: pb.NodeSpec) -> str:
    signs = f", signs for {plain(spec.account)}" if spec.account else ""
    served = "".join(
        f", {part} at {plain(at)}" for part, at in (("API", spec.api), ("state history", spec.history)) if at
    )
    return f"{plain(spec.role)} node, p2p {plain(spec.p2p_endpoint)}, http port {spec.http_port}{served}{signs}"


def _kept(host: str, fact: Fact, wanted: pb.NodeSpec, parties: Collection[str]) -> Iterator[Change]:
    """A node that stays on its host. A boot starts it if it is stopped, with all that was changed."""
    if fact.stopped:
        yield Change(host, wanted.name, "state", "stopped", "running", Cost.START)
    for change in _changed(host, fact.spec, wanted, parties):
        yield replace(change, cost=Cost.START) if fact.stopped and change.cost is not Cost.BY_HAND else change


def _changed(host: str, runs: pb.NodeSpec, wanted: pb.NodeSpec, parties: Collection[str]) -> Iterator[Change]:
    def change(part: str, before: str, after: str, cost: Cost = Cost.RESTART) -> Iterator[Change]:
        if before != after:
            yield Change(host, wanted.name, part, plain(before), plain(after), cost)

    if (runs.role, runs.account) != (wanted.role, wanted.account):
        hint = "a node keeps its role and its producer: give the new one another name"
        before, after = f"{runs.role} {runs.account}".strip(), f"{wanted.role} {wanted.account}".strip()
        yield Change(host, wanted.name, "role", plain(before), plain(after), Cost.BY_HAND, hint)
        return
    yield from change("p2p", _p2p(runs), _p2p(wanted))
    yield from change("http", str(runs.http_port), str(wanted.http_port))
    yield from change("api", runs.api, wanted.api)
    yield from change("history", runs.history, wanted.history)
    yield from change("prometheus", "on" * runs.prometheus, "on" * wanted.prometheus)
    yield from change("nodeos", runs.nodeos, wanted.nodeos)
    for name in sorted({*runs.options, *wanted.options}):
        yield from change(f"options.{name}", runs.options.get(name, ""), wanted.options.get(name, ""))
    own = [", ".join(sorted(set(spec.peers) - set(parties))) for spec in (runs, wanted)]
    yield from change(PEERS, own[0], own[1], Cost.NOTHING)


def _p2p(spec: pb.NodeSpec) -> str:
    """The endpoint, with the bound address if that differs."""
    bound = "" if spec.p2p_bind == spec.p2p_endpoint else f" (bound to {spec.p2p_bind})"
    return f"{spec.p2p_endpoint}{bound}"
