"""`coord plan --cleos`: the whole boot as a shell script of nodeos, cleos and keosd commands that a person can run.

Each step is a chapter: its purpose, its commands, and a loop that waits for what the next chapter needs. Irreversible
steps are preceded by a guard. The script starts its own nodes, in its own folder, on the sealed genesis.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping

from antelope.cleos import cleos_command
from boot import roles
from boot.blueprint import Blueprint, NodeRef
from boot.plan import make_plan
from boot.settings import tuning
from boot.step import ChainStep, NodeMode, NodeStep, Push, Step, WaitStep, Work
from boot.steps import steps_of
from coordinator.advising import typed
from coordinator.engine.access import pusher
from coordinator.engine.command_lines import CommandLines
from coordinator.engine.node_specs import node_spec
from coordinator.engine.runbook_shell import FUNCTIONS, HEAD
from coordinator.errors import OperationFailed
from coordinator.state.folder import StateFolder
from inventory.network import BUNDLED, GENESIS_ACCOUNT, Network, Node
from support import bundled

TOGETHER = frozenset({"votes", "resign", "features", "proxies", "init"})
"""Steps whose actions must apply all or nothing, so they are pushed as one transaction."""

WAITS: Mapping[str, str] = {
    "synced": "all_nodes_follow",
    "handover": "elected_producers_are_scheduled",
    "turns": "elected_producers_sign",
    "canary-exec": "canary_has_acted",
    "resign": "irreversible",
}
"""What a chapter waits for at its end, besides its transactions being in blocks."""

GUARDS: Mapping[str, str] = {
    "votes": "guard_before_votes",
    "resign": "guard_before_resignation",
    "retire": "guard_before_retirement",
}
"""What is checked before an irreversible chapter."""


def runbook(network: Network, state: StateFolder | None) -> Iterator[str]:
    """The script, a line at a time. Raises OperationFailed before the seal, when keys are not known yet."""
    sealed = state.sealed if state else None
    if state is None or sealed is None:
        raise OperationFailed(
            f"the commands contain public keys that the hosts have not made yet; run: "
            f"{typed('boot', '--until', 'genesis')}, then run this again"
        )
    return _Runbook(network, Blueprint(sealed, state.artifacts.get), state).lines()


class _Runbook:
    def __init__(self, network: Network, blueprint: Blueprint, state: StateFolder) -> None:
        self._network = network
        self._blueprint = blueprint
        self._state = state
        self._commands = CommandLines(network, blueprint, state.artifacts.folder)
        self._started: set[tuple[str, NodeMode]] = set()

    def lines(self) -> Iterator[str]:
        """The script."""
        yield from HEAD.format(
            network=self._network.name, plan=typed("plan", "--cleos"), down=typed("down")
        ).splitlines()
        yield from self._settings()
        yield from FUNCTIONS.splitlines()
        steps = make_plan(steps_of(self._network)).steps
        for number, step in enumerate(steps, 1):
            yield ""
            yield f"chapter {number} {len(steps)} {shlex.quote(f'{step.name}: {step.title}')}"
            if step.name in GUARDS:
                yield GUARDS[step.name]
            yield from self._chapter(step)
            if step.name in WAITS:
                yield WAITS[step.name]
        yield ""
        yield 'echo "done: eosio has resigned, and the elected producers sign. Stop the nodes with: $0 stop"'

    def _settings(self) -> Iterator[str]:
        sealed = self._blueprint.sealed
        runtime = bundled.fetch()
        genesis = self._network.genesis_node
        nodeos = self._network.host(genesis.host).nodeos
        program = shlex.join(runtime.command("nodeos")) if nodeos == BUNDLED else nodeos
        yield f"NODEOS=${{NODEOS:-{shlex.quote(program)}}}"
        yield f"CLEOS=${{CLEOS:-{shlex.quote(shlex.join(runtime.command('cleos')))}}}"
        yield f"KEOSD=${{KEOSD:-{shlex.quote(shlex.join(runtime.command('keosd')))}}}"
        yield f"KEYS=${{KEYS:-{shlex.quote(str(self._state.host_data(genesis.host) / 'keys'))}}}"
        yield f"GENESIS={shlex.quote(str(self._state.folder / 'genesis.json'))}"
        yield f"CHAIN_ID={sealed.chain_id}"
        yield f"ELECTED={shlex.quote(' '.join(sealed.elected))}"
        yield f"SYMBOL={self._blueprint.symbol.code}"
        yield f"GENESIS_NODE={genesis.name}"
        yield f"URL={_url(genesis)}"
        nodes = [f"{node.name}={_url(node)}" for node in self._network.nodes if not node.party]
        yield f"NODES={shlex.quote(' '.join(nodes))}"

    def _chapter(self, step: Step) -> Iterator[str]:
        if isinstance(step, NodeStep):
            for name in step.nodes(self._blueprint_with_nodes):
                if (name, step.mode) not in self._started:
                    self._started.add((name, step.mode))
                    yield from self._start(self._network.node(name), step.mode)
        elif isinstance(step, ChainStep):
            for work in step.work(self._blueprint):
                if not (isinstance(work, Push) and work.spare):
                    yield from self._typed(step, work)
            yield "in_a_block"
        elif isinstance(step, WaitStep) and step.name not in WAITS:
            yield "in_a_block"

    @property
    def _blueprint_with_nodes(self) -> Blueprint:
        nodes = tuple(NodeRef(node.name, node.account) for node in self._network.nodes if not node.party)
        return Blueprint(self._blueprint.sealed, self._state.artifacts.get, nodes)

    def _typed(self, step: ChainStep, work: Work) -> Iterator[str]:
        """The commands of one piece of work. Comments before a transaction list its actions."""
        if not isinstance(work, Push):
            for line in self._commands.of(work):
                yield line.replace("curl --data", "curl --silent --show-error --fail --output /dev/null --data")
            yield "feature_is_active " + work.digests[0]
            return
        if step.name not in TOGETHER or len(work.actions) == 1:
            yield from self._commands.of(work)
            return
        yield from (f"#   {cleos_command(action)[:200]}" for action in work.actions)
        transaction = json.dumps({"actions": [action.to_json() for action in work.actions]}, separators=(",", ":"))
        url = _url(pusher(self._network, work.holder))
        yield f"cleos -u {url} push transaction {shlex.quote(transaction)}"

    def _start(self, node: Node, mode: NodeMode) -> Iterator[str]:
        spec = node_spec(self._network, node)
        signs = node.account is not None and mode is not NodeMode.AUDIT
        own = tuning(mode, node.options, node.role, produces=signs, local=True, public=bool(node.api))
        options = {**own, **spec.options}
        yield f"config {node.name} <<'END'"
        yield from (f"plugin = eosio::{plugin}_plugin" for plugin in roles.plugins(node.role, node.prometheus))
        served = roles.services(node.role, f"127.0.0.1:{spec.http_port}", node.api, node.history, node.prometheus)
        yield from (f"{option} = {value}" for option, value in served)
        yield f"p2p-listen-endpoint = {spec.p2p_bind}"
        yield f"p2p-server-address = {spec.p2p_endpoint}"
        yield from (f"p2p-peer-address = {peer}" for peer in spec.peers)
        if mode is NodeMode.AUDIT:
            yield "read-mode = irreversible"
        yield from (f"{option} = {value}" for option, value in sorted(options.items()))
        yield "END"
        if signs:
            yield f"sign_as {node.name} {node.account}"
        if mode is NodeMode.AUDIT:
            yield f"stop_node {node.name}"
        flags = (*roles.flags(node.role), *(("-e",) if mode is NodeMode.GENESIS else ()))
        yield " ".join(("start_node", node.name, _url(node), *flags))
        if node.account == GENESIS_ACCOUNT and mode is NodeMode.GENESIS:
            yield "open_wallet"


def _url(node: Node) -> str:
    return f"http://127.0.0.1:{node.http_port}"
