"""Parties on this machine: agents with separate folders, started with the command that `coord invite` prints."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.coordinator.network import MakeNetwork, Network, Running, networks_below
from tests.ports import free_port
from tests.waiting import until

HERE = Path(__file__).parent
AGENT = Path(sys.executable).with_name("agent")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is marked `live`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live)


@dataclass
class Party:
    """One party's host."""

    network: Network
    name: str
    account: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def p2p(self) -> str:
        """Where others dial its node."""
        return f"127.0.0.1:{self.port}"

    def join(self) -> None:
        """Invites the party, which types what `coord invite` prints."""
        self.serve(*self.invited())

    def invited(self) -> list[str]:
        """The options of the `agent serve` that `coord invite` prints."""
        answer = json.loads(self.network.coord("invite", self.name, "--account", self.account, "--json").out)
        agent, serve, *options = shlex.split(answer["command"].replace("HOST:PORT", self.p2p))
        assert (agent, serve) == ("agent", "serve")
        return options

    def command_of(self, *words: str) -> list[str]:
        """A command line of its agent."""
        return [str(AGENT), *words, "--data", str(self.folder / "data")]

    def serve(self, *options: str) -> None:
        """Starts its agent."""
        self.folder.mkdir(exist_ok=True)
        command = self.command_of("serve", *options)
        with (self.folder / "agent.out").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def type(self, *command: str) -> str:
        """Runs one of the agent's other commands, which must succeed."""
        done = subprocess.run(self.command_of(*command), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def typed(self, line: str) -> str:
        """Types a line that its log advises, which must succeed."""
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_typed(self, line: str) -> None:
        """Starts its agent by a line that was advised."""
        with (self.folder / "agent.out").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], stdout=log, stderr=log, start_new_session=True
            )

    def refused(self, *command: str) -> str:
        """Runs one of the agent's other commands, which must fail. Returns what it prints."""
        done = subprocess.run(self.command_of(*command), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in (1, 2), done.stdout + done.stderr
        return done.stderr

    def said(self) -> str:
        """Its log."""
        return (self.folder / "agent.out").read_text(errors="replace")

    def shown(self) -> Any:
        """Its row of `coord parties --json`."""
        return next((row for row in self.network.document("parties")["parties"] if row["name"] == self.name), {})

    def await_state(self, *states: str, seconds: float = 180) -> None:
        """Waits until the coordinator says that the party is at that stage."""

        def there() -> bool:
            return self.shown().get("state") in states

        try:
            until(there, f"{self.name} {' or '.join(states)}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.shown()}\n{self.said()[-3000:]}") from error

    def stop(self) -> None:
        """Ends only the agent."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def down(self) -> None:
        """Ends agent and node."""
        self.stop()
        if (self.folder / "data").exists():
            self.type("down")


MakeParty = Callable[[Network, str, str], Party]
Start = Callable[..., Running]


@pytest.fixture
def make_party(tmp_path: Path) -> Iterator[MakeParty]:
    """Parties that end with the test."""
    made: list[Party] = []

    def make(network: Network, name: str, account: str) -> Party:
        made.append(Party(network, name, account, tmp_path / f"host-{name}", free_port()))
        return made[-1]

    yield make
    for party in made:
        party.down()


@pytest.fixture
def make_network(tmp_path: Path) -> Iterator[MakeNetwork]:
    """Networks that end with the test."""
    with networks_below(tmp_path) as make:
        yield make


@pytest.fixture
def start(make_network: object) -> Iterator[Start]:
    """Commands of coord that keep running; they end before their networks do."""
    running: list[Running] = []

    def begin(network: Network, command: str, *options: str) -> Running:
        running.append(network.start(command, *options))
        return running[-1]

    yield begin
    for one in running:
        one.kill()
        one.wait(10)


def node_process(party: Party) -> int:
    """The pid of its node."""
    record = json.loads((party.folder / "data" / "nodes" / party.account / "process.json").read_text())
    return int(record["pid"])


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
