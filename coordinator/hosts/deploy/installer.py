"""Installs, upgrades, stops and removes one host's agent. Sends and changes only what differs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boot.reads import few
from coordinator.advising import typed
from coordinator.hosts.deploy.bundle import Archive, Bundle
from coordinator.hosts.deploy.connection import HostConnection
from coordinator.hosts.deploy.enrolment import Enrolment, dials
from coordinator.hosts.deploy.errors import PYTHON_HINT, CommandFailed, DeployError, OtherMachine, PythonMissing
from coordinator.hosts.deploy.onhost.base import UPLOADS
from coordinator.hosts.deploy.onhost.words import last_words
from coordinator.hosts.deploy.privileged import Privileged
from coordinator.hosts.deploy.target import Target
from coordinator.hosts.deploy.unit import Installation, data_dir, unit_name
from inventory.network import BUNDLED, Host

Say = Callable[[str], None]
COMMAND_SECONDS = 20.0


@dataclass(frozen=True)
class Installed:
    """What an installation did on a host."""

    sent: int
    """Bytes of files that were sent."""
    changes: tuple[str, ...]
    """What was changed, in a few words each; empty if everything was there already."""


@dataclass(frozen=True)
class Supplies:
    """What all hosts' installations share."""

    network: str
    bundle: Callable[[Target], Bundle]
    runtime: Callable[[], Archive]
    enrolment: Enrolment


@dataclass(frozen=True)
class Plan:
    """What an installation has to do."""

    send: tuple[Archive, ...]
    enrol: bool
    restart: bool
    """Whether the agent must be restarted, because its code, unit or certificate is new."""
    changes: tuple[str, ...]


class Installer:
    """Installs, upgrades, stops and removes the agent of one connected host."""

    def __init__(self, host: Host, connection: HostConnection, ask: Callable[[], str], supplies: Supplies) -> None:
        """ask: returns sudo's password; called only if sudo wants one."""
        self._host = host
        self._connection = connection
        self._root = Privileged(connection, ask)
        self._supplies = supplies

    def install(self, coordinator: str, report: Say, producers: Sequence[str] = ()) -> Installed:
        """Makes sure that the agent is enrolled, runs, and dials the coordinator (HOST:PORT). Raises DeployError.

        producers: those whose keys are on the enrolled machine; one without anything is another machine.
        """
        report("looking")
        facts = self.facts()
        self._check_same_machine(facts, producers)
        if facts["python"]["problem"]:
            raise PythonMissing(f"none of its Pythons can run the agent ({facts['python']['problem']}): {PYTHON_HINT}")
        bundle, runtime = self._archives(facts)
        shall = Installation(
            self._supplies.network,
            self._host,
            facts["python"]["path"],
            tuple(archive.sha256 for archive in bundle.archives),
            runtime.sha256 if runtime else "",
        )
        archives = {archive.sha256: archive for archive in (*bundle.archives, *([runtime] if runtime else []))}
        enrolled = self._supplies.enrolment.is_good(self._host.name, facts["certificate"])
        plan = decide(facts, shall, archives, enrolled and dials(facts["config"], coordinator))
        if plan.send:
            self._send(plan, shall, report)
        if plan.changes:
            self._change(plan, shall, coordinator, bool(facts["systemd"]), report)
        return Installed(self._connection.sent, plan.changes)

    def facts(self) -> Mapping[str, Any]:
        """What is on the host. Raises DeployError if an agent could not run there."""
        network = self._supplies.network
        found: Mapping[str, Any] = self._root.request(
            "facts",
            network=network,
            data=data_dir(self._host, network),
            unit=unit_name(network),
            user=self._host.user,
        )
        if not found["root"]:
            raise DeployError(
                f'{self._connection.ssh.user} is not root there: write sudo = "passwordless" or "password" below ssh'
            )
        return found

    def _check_same_machine(self, facts: Mapping[str, Any], producers: Sequence[str]) -> None:
        name = self._host.name
        if facts["record"] is None and producers and self._supplies.enrolment.knows(name):
            raise OtherMachine(
                f"nothing is installed on this machine, but another one is enrolled as {name} and has the keys of "
                f"{few(producers)}; for this one to take its place: {typed('host', 'replace', name)}"
            )

    def require_ours(self) -> None:
        """Raises DeployError if another coordinator installed a network of this name there."""
        self._supplies.enrolment.is_good(self._host.name, self.facts()["certificate"])

    def down(self) -> bool:
        """Stops the agent for good, and its nodes. Returns whether the network was installed there."""
        return self._known("down")

    def purge(self) -> bool:
        """Stops them, and removes everything that was installed. Returns whether the network was installed there."""
        return self._known("purge")

    def back_up_keys(self, recipients: Sequence[str]) -> str:
        """The host's keys, encrypted there to these recipients (age1…), in base64. Raises DeployError."""
        self.require_ours()
        answer = self._root.request("back_up_keys", network=self._supplies.network, recipients=list(recipients))
        return str(answer["keys"])

    def restore_keys(self, keys: str) -> tuple[str, ...]:
        """Hands decrypted keys to the agent's key store. Returns their accounts. Raises DeployError."""
        answer = self._root.request("restore_keys", network=self._supplies.network, keys=keys)
        return tuple(map(str, answer["accounts"]))

    def logs(self, node: str, lines: int, follow: bool) -> Iterator[bytes]:
        """A node's log in pieces, or the agent's without a node. Raises DeployError."""
        data = data_dir(self._host, self._supplies.network)
        if node:
            command = ["tail", "-n", str(lines), *(["-F"] if follow else []), f"{data}/nodes/{node}/log/nodeos.log"]
        elif self.facts()["systemd"]:
            unit = unit_name(self._supplies.network)
            command = [
                "journalctl",
                "--no-pager",
                "-o",
                "cat",
                "-n",
                str(lines),
                *(["-f"] if follow else []),
                "-u",
                unit,
            ]
        else:
            command = ["tail", "-n", str(lines), *(["-F"] if follow else []), f"{data}/agent.log"]
        sudo, password = self._root.sudo()
        yield from self._connection.stream([*sudo, *command], password)

    def _known(self, verb: str) -> bool:
        network = self._supplies.network
        return bool(self._root.request(verb, network=network, unit=unit_name(network))["known"])

    def _archives(self, facts: Mapping[str, Any]) -> tuple[Bundle, Archive | None]:
        version = facts["python"]["version"]
        bundle = self._supplies.bundle(Target((version[0], version[1]), facts["machine"]))
        return bundle, self._supplies.runtime() if self._host.nodeos == BUNDLED else None

    def _send(self, plan: Plan, shall: Installation, report: Say) -> None:
        with self._temporary_folder() as folder:
            places = {}
            for archive in plan.send:
                report(f"sending {archive.path.stat().st_size / 1e6:.1f} MB")
                places[archive.sha256] = f"{folder}/{archive.sha256}.tar.gz"
                self._connection.upload(archive.path, places[archive.sha256])
            report("unpacking")
            self._root.request(
                "place",
                bundles={sha256: place for sha256, place in places.items() if sha256 != shall.runtime},
                runtimes={sha256: place for sha256, place in places.items() if sha256 == shall.runtime},
                python=shall.python,
                environment=shall.environment,
            )

    def _change(self, plan: Plan, shall: Installation, coordinator: str, systemd: bool, report: Say) -> None:
        report("setting up")
        enrol = ("--network", shall.network, "--name", self._host.name, "--coordinator", coordinator, "--remote")
        answer = self._root.request(
            "configure",
            network=shall.network,
            user=self._host.user,
            data=shall.data,
            unit=shall.unit,
            unit_text=shall.unit_text() if systemd else "",
            bundles=shall.bundles,
            runtime=shall.runtime,
            python=shall.python,
            environment=shall.environment,
            options=shall.options,
            enrol=enrol if plan.enrol else (),
        )
        admit = self._supplies.enrolment.admit(self._host.name, answer["csr"]) if plan.enrol else ""
        report("starting")
        self._root.request("start", network=shall.network, admit=admit, systemd=systemd, changed=plan.restart)

    @contextlib.contextmanager
    def _temporary_folder(self) -> Iterator[str]:
        """A temporary folder of the SSH user's, with an unguessable name."""
        network = self._supplies.network
        self._root.request("clear", network=network)
        prefix = f"{UPLOADS}.{network}."
        made = self._connection.command(["mktemp", "-d", f"{prefix}XXXXXXXXXX"], seconds=COMMAND_SECONDS)
        folder = made.stdout.decode().strip()
        if made.status or not folder.startswith(prefix):
            raise CommandFailed(f"no temporary folder: {last_words(made.stderr)}")
        try:
            yield folder
        finally:
            with contextlib.suppress(CommandFailed):  # the connection may be gone; the next run clears it
                self._connection.command(["rm", "-rf", "--", folder], seconds=COMMAND_SECONDS)


def decide(facts: Mapping[str, Any], shall: Installation, archives: Mapping[str, Archive], enrolled: bool) -> Plan:
    """What an installation has to do. enrolled: whether certificate and coordinator's address are right."""
    record = facts["record"] or {}
    missing = tuple(archive for sha256, archive in archives.items() if sha256 not in facts["held"])
    changes = []
    if not record:
        changes.append("agent installed")
    elif tuple(record["bundles"]) != tuple(shall.bundles) or record["python"] != shall.python:
        changes.append("agent upgraded")
    if shall.runtime and shall.runtime != record.get("runtime"):
        changes.append("nodeos installed")
    if not enrolled:
        changes.append("agent enrolled")
    if facts["systemd"] and facts["unit"] != shall.unit_text() and record:
        changes.append("unit renewed")
    elif record and tuple(record.get("options", ())) != shall.options:
        changes.append("options changed")
    if missing and not changes:
        changes.append("files restored")
    restart = bool(changes)
    if not restart and not (facts["active"] and (facts["enabled"] or not facts["systemd"])):
        changes.append("agent started")
    return Plan(missing, not enrolled, restart, tuple(changes))
