"""Agents on the network's SSH hosts: installed, stopped, removed, and reached."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from coordinator.agents.ca import CertificateAuthority
from coordinator.hosts.deploy.bundle import Archive, Bundle, BundleError, build
from coordinator.hosts.deploy.connection import HostConnection
from coordinator.hosts.deploy.enrolment import Enrolment
from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.deploy.installer import Installed, Installer, Supplies
from coordinator.hosts.deploy.parallel import AT_ONCE, on_each
from coordinator.hosts.deploy.target import Target
from coordinator.hosts.deploy.tunnels import Tunnels
from coordinator.state.folder import StateFolder
from inventory.network import Host, Network
from support.bundled import BundledError, archive, fetch
from support.endpoint import Endpoint

HostReport = Callable[[str, str], None]
LOG_LINES = 200


class SshDeployment:
    """Everything that is done to hosts over SSH. Its methods block; each may be called from any thread."""

    def __init__(
        self,
        state: StateFolder,
        network: Network,
        authority: CertificateAuthority,
        coordinator: str,
        ask_password: Callable[[str], str],
        report: HostReport,
        bundle: Callable[[Target], Bundle] = build,
        stop: threading.Event | None = None,
        adopting: bool = False,
    ) -> None:
        """coordinator: HOST:PORT that agents dial. ask_password: returns sudo's password on a host; called once per
        host, never twice at a time. report: told what happens on which host, from several threads. stop: set from
        another thread, it ends what is running. adopting: also takes over what another coordinator has installed.
        """
        self._coordinator = Endpoint.parse(coordinator)
        self._ask_password = ask_password
        self._passwords: dict[str, str] = {}
        self._asking = threading.Lock()
        self._stop = stop
        self._report = report
        self._runtime: Archive | None = None
        self._fetching = threading.Lock()
        enrolment = Enrolment(state.journal.path, authority, adopting)
        self._supplies = Supplies(network.name, bundle, self._bundled_nodeos, enrolment)

    def install(
        self,
        hosts: Iterable[Host],
        at_once: int = AT_ONCE,
        ended: Callable[[str, Installed | DeployError], None] = lambda _host, _result: None,
        producers: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> dict[str, Installed | DeployError]:
        """Makes sure that every host has a running, enrolled agent of this version. Returns the changes, or the error.

        producers: those whose keys are on a host, by host. ended: is called with each host's result as soon as it is
        known, from several threads.
        """

        def work(host: Host, connection: HostConnection) -> Installed:
            report = self._reporter(host)
            return self._installer(host, connection).install(
                str(self._endpoint(host)), report, producers.get(host.name, ())
            )

        return on_each(hosts, work, at_once=at_once, ended=ended, stop=self._stop)

    def down(self, hosts: Iterable[Host], purge: bool = False, foreign: bool = False) -> dict[str, bool | DeployError]:
        """Stops agents and nodes. purge: restores hosts to their former state. Returns whether anything was installed,
        or the error.

        foreign: also if another coordinator installed them.
        """

        def work(host: Host, connection: HostConnection) -> bool:
            report = self._reporter(host)
            installer = self._installer(host, connection)
            if not foreign:
                installer.require_ours()
            known = installer.purge() if purge else installer.down()
            report(("removed" if purge else "stopped") if known else "nothing was installed")
            return known

        return on_each(hosts, work, stop=self._stop)

    def back_up_keys(self, hosts: Iterable[Host], recipients: Sequence[str]) -> dict[str, str | DeployError]:
        """The keys of these hosts, encrypted there to the recipients (age1…), in base64; or the error."""

        def work(host: Host, connection: HostConnection) -> str:
            return self._installer(host, connection).back_up_keys(recipients)

        return on_each(hosts, work, stop=self._stop)

    def restore_keys(self, host: Host, keys: str) -> tuple[str, ...]:
        """Hands decrypted keys to a host's agent. Returns their accounts. Raises DeployError."""
        if host.ssh is None:
            raise DeployError("this is the operator's own machine")
        with HostConnection(host.ssh) as connection:
            return self._installer(host, connection).restore_keys(keys)

    def certificate(self, host: Host) -> str:
        """The certificate (PEM) of the agent that is installed there; empty if none is. Raises DeployError."""
        if host.ssh is None:
            raise DeployError("this is the operator's own machine")
        with HostConnection(host.ssh) as connection:
            return str(self._installer(host, connection).facts()["certificate"])

    def logs(self, host: Host, node: str = "", *, lines: int = LOG_LINES, follow: bool = False) -> Iterator[bytes]:
        """The last lines of a node's log, or the agent's without a node, and then new ones. Raises DeployError."""
        if host.ssh is None:
            raise DeployError("this is the operator's own machine")
        with HostConnection(host.ssh) as connection:
            yield from self._installer(host, connection).logs(node, lines, follow)

    def tunnels(self, hosts: Iterable[Host], report: Callable[[str, str | None], None]) -> Tunnels:
        """A context manager that keeps the tunnels of hosts that need one, and reports on them."""
        return Tunnels([host for host in hosts if host.tunnel], self._coordinator.port, report)

    def ask(self, host: Host) -> str:
        """sudo's password on the host, asked for once and kept in memory only."""
        with self._asking:
            if host.name not in self._passwords:
                self._passwords[host.name] = self._ask_password(host.name)
            return self._passwords[host.name]

    def _endpoint(self, host: Host) -> Endpoint:
        return Endpoint("127.0.0.1", self._coordinator.port) if host.tunnel else self._coordinator

    def _installer(self, host: Host, connection: HostConnection) -> Installer:
        return Installer(host, connection, lambda: self.ask(host), self._supplies)

    def _reporter(self, host: Host) -> Callable[[str], None]:
        return lambda text: self._report(host.name, text)

    def _bundled_nodeos(self) -> Archive:
        with self._fetching:
            if self._runtime is None:
                try:
                    held = archive(fetch())
                except BundledError as error:
                    raise BundleError(str(error)) from error
                self._runtime = Archive(held.path, held.sha256)
            return self._runtime
