"""All hosts of a network, local and remote: checks them, installs agents, keeps tunnels open, and stops them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.hub import Hub
from coordinator.errors import CoordError, OperationFailed, UsageProblem
from coordinator.hosts.address import advertised
from coordinator.hosts.deploy.errors import DeployError, OtherMachine
from coordinator.hosts.local import ensure_agent, stop_all
from coordinator.hosts.passwords import Passwords, in_thread
from coordinator.hosts.preflight.model import Preflight
from coordinator.reporter import Reporter, StepResult
from coordinator.state.folder import StateFolder
from inventory.network import Host, Network, Role
from support.files import remove_folder
from support.json_log import about

if TYPE_CHECKING:
    from coordinator.hosts.deploy.deployment import SshDeployment
    from coordinator.hosts.deploy.installer import Installed

PREFLIGHT, LOOK = "preflight", "look at the hosts"
INSTALL = "install the agent"


class Hosts:
    """What `coord` does with all hosts of a network."""

    def __init__(
        self, network: Network, state: StateFolder, hub: Hub, reporter: Reporter, *, adopting: bool = False
    ) -> None:
        """hub: where the agents dial; it must be listening. adopting: also takes over what another CA has enrolled."""
        self._adopting = adopting
        self._network = network
        self._state = state
        self._hub = hub
        self._reporter = reporter
        self._passwords = Passwords(reporter.asking)
        self.troubled: dict[str, str] = {}
        """Hosts whose agent may not work, with the reason, as far as known."""
        self._endpoint = f"{advertised(network)}:{hub.port}"

    @cached_property
    def _deployment(self) -> SshDeployment:
        return _ssh_deployment()(
            self._state, self._network, self._hub.authority, self._endpoint, self._passwords.ask, self._moved,
            stop=self._passwords.stop, adopting=self._adopting,
        )  # fmt: skip

    @property
    def far(self) -> tuple[Host, ...]:
        """The hosts that are reached over SSH."""
        return tuple(host for host in self._network.hosts if not host.local)

    async def check(self) -> frozenset[str]:
        """Runs the preflight: reports problems, and returns the hosts with fatal ones. When a local host or the genesis
        node's host is among them, raises UsageProblem if nothing but the file's contracts is wrong, else
        OperationFailed.
        """
        self._reporter.began(PREFLIGHT, LOOK)
        found = await self.preflight()
        trouble = found.hosts_in_trouble()
        for problem in found.fatal:
            self.troubled.setdefault(problem.host, f"{problem.check}: {problem.message}; {problem.hint}")
        vital = {self._network.genesis_node.host, *(host.name for host in self._network.hosts if host.local)}
        if trouble & vital:
            raise _refusal(found)
        seen = f"{len(self._network.hosts) - len(trouble)} of {len(self._network.hosts)} are ready"
        self._reporter.ended(PREFLIGHT, LOOK, StepResult.FAILED if trouble else StepResult.DONE, seen)
        for problem in found.problems:
            self._reporter.note(f"{'':9}{'FATAL' if problem.fatal else 'warning'} {problem}")
        return trouble

    async def preflight(self) -> Preflight:
        """Checks every host; changes nothing."""
        from coordinator.hosts.preflight.run import preflight

        folder, passwords = self._state.folder, self._passwords
        return await in_thread(
            passwords.stop, preflight, self._network, folder, passwords.ask, self._looking, passwords.stop
        )

    async def ensure_agents(self, without: frozenset[str] = frozenset()) -> bool:
        """Installs, enrols and starts agents that do not run, except on `without`. Returns whether anything was done.

        Raises OperationFailed when that fails on a local host, or when a far one is another machine than was enrolled.
        """
        changed = False
        for host in self._network.hosts:
            data = self._state.host_data(host.name)
            ours = host.local and host.name not in without
            if ours and await ensure_agent(self._hub, host.name, data, host.metrics):
                with about(host=host.name):
                    self._reporter.note(f"agent of {host.name} started")
                changed = True
        results = await self._install(without)
        for name, result in results.items():
            if isinstance(result, OtherMachine):  # the host will not come back there: it is not waited for
                raise OperationFailed(f"{name}: {result}")
        return changed or any(not isinstance(result, DeployError) and result.changes for result in results.values())

    async def install(self, without: frozenset[str]) -> tuple[str, ...]:
        """As `ensure_agents`, but returns the hosts on which it failed."""
        await self.ensure_agents(frozenset(host.name for host in self.far) | without)
        results = await self._install(without)
        return tuple(name for name, result in results.items() if isinstance(result, DeployError))

    async def _install(self, without: frozenset[str]) -> dict[str, Installed | DeployError]:
        """Installs on the remote hosts. One that fails is reported, and the others continue."""
        far = [host for host in self.far if host.name not in without]
        for host in far:
            self._reporter.began(host.name, INSTALL)
        if not far:
            return {}
        keyed = _producers(self._network) if self._state.sealed else {}
        return await in_thread(
            self._passwords.stop, self._deployment.install, far, ended=self._installed, producers=keyed
        )

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Keeps tunnels open, while the block runs, for hosts that cannot dial this machine."""
        if not self.far:
            yield
            return
        with self._deployment.tunnels(
            self.far, lambda host, trouble: self._reporter.note(f"{host}: {trouble or 'its tunnel is up'}")
        ):
            yield

    def _moved(self, host: str, text: str) -> None:
        with about(host=host):
            self._reporter.moved(host, 0, 0, text)

    def _looking(self, host: str, text: str) -> None:
        with about(host=host):
            self._reporter.moved(PREFLIGHT, 0, 0, f"{host}: {text}")

    def _installed(self, host: str, result: Installed | DeployError) -> None:
        if isinstance(result, DeployError):
            self.troubled[host] = str(result)
            how, words = StepResult.FAILED, str(result)
        elif result.changes:
            sent = f"; {result.sent / 1e6:.1f} MB sent" if result.sent else ""
            how, words = StepResult.DONE, ", ".join(result.changes) + sent
        else:
            how, words = StepResult.ALREADY, "runs"
        with about(host=host):
            self._reporter.ended(host, INSTALL, how, words)


@contextmanager
def tunnelled(network: Network, hub: Hub) -> Iterator[Mapping[str, str]]:
    """Keeps the tunnels open for an observing command. Yields their current problems, by host."""
    troubles: dict[str, str] = {}

    def report(host: str, trouble: str | None) -> None:
        if trouble is None:
            troubles.pop(host, None)
        else:
            troubles[host] = trouble

    hosts = [host for host in network.hosts if host.tunnel]
    if not hosts:
        yield troubles
        return
    from coordinator.hosts.deploy.tunnels import Tunnels

    with Tunnels(hosts, hub.port, report):
        yield troubles


def _ssh_deployment() -> type[SshDeployment]:
    """Imported when a host is reached over SSH: fabric and paramiko take 0.1 s."""
    from coordinator.hosts.deploy.deployment import SshDeployment

    return SshDeployment


def deployment(state: StateFolder, network: Network, report: Callable[[str, str], None]) -> SshDeployment:
    """Access to remote hosts without a running coordinator: to stop them, or to read their logs."""
    authority = CertificateAuthority(state.folder / "ca", network.name, make=False)
    passwords = Passwords()
    return _ssh_deployment()(state, network, authority, "127.0.0.1:0", passwords.ask, report, stop=passwords.stop)


def stop_hosts(
    state: StateFolder, network: Network, only: str | None, purge: bool, report: Callable[[str, str], None]
) -> dict[str, DeployError]:
    """Stops agents and nodes on all hosts, or on one; purge: also removes their data. Returns the hosts that failed.

    A network of the same name that another coordinator installed is left alone, unless one host is named and its data
    is to be removed. Raises StillRunningError for a local host.
    """
    hosts = [host for host in network.hosts if only in (None, host.name)]
    for host in hosts:
        if host.local:
            nodes = stop_all(state.host_data(host.name))
            report(host.name, f"stopped {', '.join(nodes)}" if nodes else "no node was running")
            if purge:
                remove_folder(state.host_data(host.name))
    far = [host for host in hosts if not host.local]
    results = deployment(state, network, report).down(far, purge, foreign=purge and bool(only)) if far else {}
    return {name: result for name, result in results.items() if isinstance(result, DeployError)}


def _refusal(found: Preflight) -> CoordError:
    """Why hosts that a boot cannot do without cannot be used: a mistake in the file, or something on the hosts."""
    from coordinator.hosts.preflight.contracts import CHECK

    said = "\n       ".join(str(problem) for problem in found.fatal)
    return UsageProblem(said) if all(one.check == CHECK for one in found.fatal) else OperationFailed(said)


def _producers(network: Network) -> dict[str, list[str]]:
    """The operator's producers, by the host of their node."""
    found: dict[str, list[str]] = {host.name: [] for host in network.hosts}
    for node in network.nodes:
        if node.role is Role.PRODUCER and not node.party:
            found[node.host].append(str(node.account))
    return found
