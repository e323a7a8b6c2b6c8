"""`preflight`: all hosts concurrently, then which hosts reach each other."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.hosts.contracts import features_of
from coordinator.hosts.deploy.errors import DeployError, PythonMissing
from coordinator.hosts.deploy.parallel import AT_ONCE
from coordinator.hosts.deploy.unit import ROOT, data_dir
from coordinator.hosts.preflight.bundled import INSTALLED, LIBRARIES, BundledTrials
from coordinator.hosts.preflight.checks import ROOM, judge, unreachable, without_python
from coordinator.hosts.preflight.contracts import contract_problems, licences
from coordinator.hosts.preflight.machines import Here, There, reach
from coordinator.hosts.preflight.model import Dial, HostProblem, Preflight, Row
from coordinator.hosts.preflight.trials import trials
from coordinator.state.folder import SEALED
from inventory.network import BUNDLED, Host, Network
from support.endpoint import Endpoint

COMPILER = "eos-vm-oc-enable"
"""With this option nodeos stores compiled code in its data folder and runs it from there."""
LISTEN_SECONDS = 120
"""Seconds after which a listener ends by itself."""

log = logging.getLogger(__name__)

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class CheckedHost:
    """One checked host."""

    host: Host
    row: Row
    problems: tuple[HostProblem, ...]
    machine: Here | There | None = None
    """None if it could not be reached."""
    ports: Mapping[str, str] | None = None
    supported: Any = None
    """Its nodeos' answer to get_supported_protocol_features; None if unknown."""


def preflight(
    network: Network, state: Path, ask: Callable[[str], str], report: Say, stop: threading.Event
) -> Preflight:
    """Checks every host; changes nothing. Blocks.

    state: the network's state folder, where local hosts have their data. ask: sudo's password on the host of that
    name, never two at a time. report: told what happens on which host, from several threads. stop: set by another
    thread, no further host is looked at.

    An unreachable host is reported as a problem, and the others are still checked.
    """
    asking = threading.Lock()

    def ask_alone(host: str) -> str:
        with asking:
            return ask(host)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="preflight") as pool, contextlib.ExitStack() as stack:
        looking = _Look(network, state, ask_alone, report, stop)
        seen = list(pool.map(looking.at, network.hosts))
        for one in seen:
            if one.machine is not None:
                stack.callback(one.machine.close)
        dials = _dial_all(network, seen, pool, report)
    problems = [problem for one in seen for problem in one.problems]
    problems += licences({one.host.name: one.supported for one in seen if one.supported})
    if not (state / SEALED).is_file():
        problems += _contracts(network, seen, report)
    return Preflight(tuple(one.row for one in seen), dials, (*problems, *_unreached(dials)))


def _contracts(network: Network, seen: list[CheckedHost], report: Say) -> Iterator[HostProblem]:
    """Of hosts that will run nodes."""
    used = {node.host for node in network.nodes}
    supported = {one.host.name: one.supported for one in seen if one.supported and one.host.name in used}
    return contract_problems(network, supported, lambda line: report(network.genesis_node.host, line))


class _Look:
    """Checks one host at a time."""

    def __init__(
        self, network: Network, state: Path, ask: Callable[[str], str], report: Say, stop: threading.Event
    ) -> None:
        self._network, self._state, self._ask = network, state, ask
        self._report, self._stop = report, stop
        self._bundled = BundledTrials(state)

    def at(self, host: Host) -> CheckedHost:
        """What is on the host, and what is wrong with it."""
        self._report(host.name, "looking")
        machine: Here | There | None = None
        try:
            if self._stop.is_set():
                raise DeployError("interrupted")
            machine = reach(host, self._ask)
            return self._seen(host, machine)
        except Exception as error:  # whatever it is, only this host is affected
            if machine is not None:
                machine.close()
            if not isinstance(error, DeployError | OSError | ValueError | RecursionError):
                log.exception("%s", host.name)
                error = DeployError(f"it gave an answer that coord does not understand ({type(error).__name__})")
            row, problems = (without_python if isinstance(error, PythonMissing) else unreachable)(host, str(error))
            return CheckedHost(host, row, problems)

    def _seen(self, host: Host, machine: Here | There) -> CheckedHost:
        clock = machine.clock()
        request = _request(self._network, host, self._state)
        facts = machine.run(request)
        if host.nodeos == BUNDLED and not facts["nodeos"]:
            facts["nodeos"] = self._bundled.of(request["trials"])
        nodes = sum(node.host == host.name for node in self._network.nodes)
        row, problems = judge(host, nodes, facts, clock, machine.sudo or _rootless(host, facts))
        return CheckedHost(host, row, problems, machine, facts["ports"], features_of(host, facts["nodeos"]))


def _rootless(host: Host, facts: Mapping[str, Any]) -> str:
    if host.ssh is None or facts["root"]:
        return ""
    return f"{host.ssh.user} is not root, and the inventory names no sudo for it"


def _request(network: Network, host: Host, state: Path) -> dict[str, Any]:
    nodes = [node for node in network.nodes if node.host == host.name]
    ports = [("0.0.0.0", node.p2p_port) for node in nodes] + [("127.0.0.1", node.http_port) for node in nodes]  # noqa: S104
    served = [Endpoint.parse(at) for node in nodes for at in (node.api, node.history) if at]
    ports += [(at.host, at.port) for at in (*served, *([Endpoint.parse(host.metrics)] if host.metrics else ()))]
    data = str(state / "hosts" / host.name) if host.local else data_dir(host, network.name)
    bundled = host.nodeos == BUNDLED
    compiles = any(node.options.get(COMPILER, "") != "none" for node in nodes)
    return {
        "verb": "look",
        "data": data,
        "user": host.user,
        "own": host.local,
        "ports": ports,
        "places": {data: bundled and compiles} if host.local else {ROOT: True, data: bundled and compiles},
        "installed": f"{ROOT}/bundles",
        "room": {} if host.local else ROOM,
        "libraries": LIBRARIES if bundled else (),
        "nodeos": "" if bundled else host.nodeos,
        "bundled": INSTALLED if bundled and not host.local else "",
        "trials": trials(network, host),
        "drop": not host.local,
    }


def _dial_all(network: Network, seen: list[CheckedHost], pool: ThreadPoolExecutor, report: Say) -> tuple[Dial, ...]:
    """Every host dials all other hosts' p2p endpoints that have a listener or one of our nodes."""
    there = [one for one in seen if one.machine is not None]
    if len(there) < 2 or all(one.host.local for one in there):
        return ()
    with contextlib.ExitStack() as listeners:
        expected: dict[str, tuple[str, str]] = {}
        for one in there:
            expected |= _listen(network, one, listeners, report)

        def dial(one: CheckedHost) -> list[Dial]:
            return _dial(one, {point: to for point, to in expected.items() if to[0] != one.host.name}, report)

        return tuple(found for dials in pool.map(dial, there) for found in dials)


def _listen(
    network: Network, one: CheckedHost, listeners: contextlib.ExitStack, report: Say
) -> dict[str, tuple[str, str]]:  # fmt: skip
    """Starts listeners on the free p2p ports. Returns, by endpoint, the host and who must answer ("" for a node)."""
    expected: dict[str, tuple[str, str]] = {}
    free = []
    for node in network.nodes:
        state = (one.ports or {}).get(str(node.p2p_port), "") if node.host == one.host.name else "elsewhere"
        if state in ("", "own"):
            expected[network.p2p(node)] = (one.host.name, "" if state else one.host.name)
            free += [] if state else [node.p2p_port]
    if free and one.machine is not None:
        request = {"verb": "listen", "ports": free, "name": one.host.name, "seconds": LISTEN_SECONDS}
        try:
            listeners.enter_context(one.machine.listening(request))
        except DeployError as error:
            report(one.host.name, str(error))
            return {point: to for point, to in expected.items() if not to[1]}
    return expected


def _dial(one: CheckedHost, targets: Mapping[str, tuple[str, str]], report: Say) -> list[Dial]:
    if one.machine is None or not targets:
        return []
    report(one.host.name, "dialling the others")
    request = {"verb": "dial", "endpoints": {point: to[1] for point, to in targets.items()}}
    try:
        errors = {point: str(said) for point, said in dict(one.machine.run(request)).items()}
    except (DeployError, TypeError, ValueError) as error:
        errors = dict.fromkeys(targets, str(error))
    return [Dial(one.host.name, to[0], point, errors.get(point, "no answer")) for point, to in targets.items()]


def _unreached(dials: tuple[Dial, ...]) -> list[HostProblem]:
    """One problem per endpoint, fatal if no host reaches it."""
    problems = []
    for endpoint in dict.fromkeys(dial.endpoint for dial in dials):
        tried = [dial for dial in dials if dial.endpoint == endpoint]
        failed = [dial for dial in tried if dial.error]
        if failed:
            who = ", ".join(dial.dialler for dial in failed)
            message = f"{endpoint} cannot be reached from {who} ({failed[0].error})"
            hint = "open the port in its firewall, or correct hosts.address"
            problems.append(HostProblem(failed[0].host, "p2p", len(failed) == len(tried), message, hint))
    return problems
