"""A network on this machine as commands of coord meet it: real state, hub and gRPC; agents and chain are made up.

Each agent dials as soon as a command listens, in that command's own event loop, and keeps between commands what a real
agent keeps: its nodes, its keys, the sealed network. A process that does nothing stands for the agent's.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.session import Credentials, Send
from antelope.keys import PrivateKey
from coordinator.agents.hub import Hub
from coordinator.hosts.preflight.model import HostProblem, Preflight, Row
from inventory.load import load
from inventory.resolve_contracts import folder_of
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.artifacts import ArtifactStore
from support.endpoint import Endpoint
from support.processes import Process
from support.tasks import end
from tests.ports import free_port
from tests.unit.coordinator.fakes import FakeWork, credentials, dial
from tests.unit.coordinator.parties.conftest import private, proved
from tests.unit.inventory.material import SUPPORTED, contracts

INVENTORY = """
[network]
name = "home"
[coordinator]
listen = "127.0.0.1:{port}"
[users]
count = 3
[producers]
count = 2
[[hosts]]
name = "one"
local = true
[[hosts]]
name = "two"
local = true
"""


@dataclass
class HostAgent(FakeWork):
    """One host's agent, its nodes, and the chain that they share with the others'."""

    home: Home = field(kw_only=True)
    name: str = field(kw_only=True)
    nodes: dict[str, pb.NodeStatus] = field(default_factory=dict)
    manifest: str = ""

    def hello(self) -> pb.Hello:
        """With what it holds."""
        return pb.Hello(epoch=self.epoch, instance=self.instance, manifest=self.manifest, moved=self.home.moved)

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """Remembers whom it follows."""
        super().welcome(welcome, send)
        self.epoch, self.instance = welcome.epoch or self.epoch, welcome.instance or self.instance

    def accept(self, task: pb.Task) -> None:
        """Does every task at once."""
        self.tasks.append(task)
        assert self.send
        kind = str(task.WhichOneof("body"))
        result = pb.Result(task=task.id, ok=True)
        if reason := self.home.fails.get((self.name, kind)):
            result = pb.Result(task=task.id, error=reason)
        elif kind == "collect":
            result.collected.CopyFrom(self._keys(task.collect))
            kept = self.home.state / "hosts" / self.name / "keys" / "accounts.json"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text("{}")
        elif kind == "hold":
            self.manifest = task.hold.sha256
            self.home.keep(self.manifest)
        elif kind == "hand":
            data = b"torn" if self.name in self.home.torn else self.home.held[task.hand.sha256]
            result.handed.CopyFrom(pb.Handed(size=len(data), data=data[task.hand.offset :][:1000]))
        elif kind == "stop_node":
            self.nodes[task.stop_node.name].state = "stopped"
        elif kind == "produce":
            self.home.pauses(task.produce)
        elif kind == "start_node":
            spec = task.start_node.spec
            self.nodes[spec.name] = pb.NodeStatus(name=spec.name, state="running", spec=spec, peers=1)
        elif kind == "run_step":
            self.home.done |= {(task.run_step.step, key) for key in task.run_step.keys}
        self.send(pb.FromAgent(result=result))

    def _keys(self, asked: pb.Collect) -> pb.Collected:
        def proofs(accounts: Iterable[str], kind: str) -> list[pb.Key]:
            keys = {account: self.home.key_of(kind, account) for account in accounts}
            network = "another" if self.name in self.home.forging else asked.network
            return [proved(key, account, asked.nonce, network, "") for account, key in keys.items()]

        return pb.Collected(
            accounts=proofs(asked.accounts, "account"),
            signers=proofs(asked.signers, "signing"),
            features_json=json.dumps(SUPPORTED),
        )

    async def answer(self, query: pb.Query) -> pb.Answer:
        """As nodeos."""
        answer = self.home.answer(query)
        status = 200 if answer is not None else 404
        return pb.Answer(id=query.id, status=status, body=json.dumps(answer or {}).encode())

    async def status(self) -> pb.Status:
        """Its nodes, at the chain's head."""
        for node in self.nodes.values():
            if node.state == "running":
                node.head, node.lib = self.home.head, self.home.head
        lost = self.home.lost.get(self.name, ())
        return pb.Status(nodes=self.nodes.values(), disk_free=7 << 30, lost_keys=lost)


@dataclass
class Home:
    """The machine."""

    folder: Path
    inventory: Path
    head: int = 100
    paused: set[str] = field(default_factory=set)
    """Nodes that are paused."""
    interrupts: bool = False
    """Whether Ctrl-C is pressed when a node has paused, before its agent can say so."""
    stands: bool = False
    """Whether the chain makes no block any more."""
    schedule: tuple[str, ...] = ("eosio",)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By table."""
    done: set[tuple[str, str]] = field(default_factory=set)
    agents: dict[str, HostAgent] = field(default_factory=dict)
    shown: dict[str, Credentials] = field(default_factory=dict)
    moved: int = 0
    """When the agents have seen that this state was moved to another machine; 0: never."""
    away: set[str] = field(default_factory=set)
    """Hosts whose agents do not dial."""
    fails: dict[tuple[str, str], str] = field(default_factory=dict)
    """The reason why a task fails, by host and kind of task."""
    held: dict[str, bytes] = field(default_factory=dict)
    """What the agents fetched to hold the network, by its hash."""
    torn: set[str] = field(default_factory=set)
    """Hosts whose copy of that is another."""
    lost: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What an agent reports of key files that are gone, by host."""
    forging: set[str] = field(default_factory=set)
    """Hosts whose keys come with proofs for another network."""
    problems: list[HostProblem] = field(default_factory=list)
    """What the preflight finds."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    sessions: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """Where the commands keep theirs."""
        return self.folder / ".coord" / "home"

    def key_of(self, kind: str, account: str) -> PrivateKey:
        """The same each time."""
        return private(f"{kind} {account}")

    def keep(self, manifest: str) -> None:
        """Takes a copy of the sealed network with its artifacts."""
        store = ArtifactStore(self.state / "artifacts")
        sealed = Sealed.parse(store.get(manifest))
        self.held |= {name: store.get(name) for name in (manifest, *sealed.artifacts)}

    def tasks(self, kind: str) -> list[str]:
        """The hosts that were given such a task."""
        return [name for name, agent in self.agents.items() for task in agent.tasks if task.WhichOneof("body") == kind]

    async def ensure_agent(self, hub: Hub, host: str, data: Path, metrics: str = "") -> bool:
        """As coordinator.hosts.local's: enrols, and starts what dials."""
        if host in self.shown:
            return False
        data.mkdir(parents=True, exist_ok=True)
        (data / "keys").mkdir(exist_ok=True)
        self.shown[host] = credentials(hub, data, host)
        self.agents[host] = HostAgent(home=self, name=host)
        self._stand_in(data)
        self._dial(hub, host)
        return True

    def _stand_in(self, data: Path) -> None:
        """A process in the place of the agent's."""
        self.processes.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE))
        Process.of(self.processes[-1].pid).write(data / "agent.json")

    def _dial(self, hub: Hub, host: str) -> None:
        if host not in self.away:
            self.sessions.append(dial(hub, self.shown[host], self.agents[host]))

    @asynccontextmanager
    async def dialled(self, hub: Hub) -> AsyncIterator[None]:
        """All agents are dialling while the block runs."""
        for host in self.shown:
            self._dial(hub, host)
        try:
            yield
        finally:
            await end(*self.sessions)
            self.sessions.clear()

    def pauses(self, wanted: pb.Produce) -> None:
        """A node pauses or resumes making blocks."""
        self.paused = self.paused | {wanted.name} if wanted.paused else self.paused - {wanted.name}
        if self.interrupts:
            signal.raise_signal(signal.SIGINT)

    def answer(self, query: pb.Query) -> Any:
        """nodeos' answer; None: it has none."""
        body = json.loads(query.body or b"{}")
        match query.path.rpartition("/")[2]:
            case "get_info":
                self.head += not self.stands
                moment = datetime(2026, 1, 1, tzinfo=UTC) if self.stands else datetime.now(UTC)
                time = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
                return {"head_block_num": self.head, "last_irreversible_block_num": self.head - 2,
                        "head_block_time": time, "head_block_producer": self.schedule[0]}  # fmt: skip
            case "get_producer_schedule":
                producers = [{"producer_name": name} for name in self.schedule]
                return {"active": {"version": 1, "producers": producers}, "pending": None, "proposed": None}
            case "paused":
                return query.node in self.paused
            case "get_table_rows":
                return {"rows": self.rows.get(body["table"], []), "more": False}
            case "get_block_info":
                moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=body["block_num"] / 2)
                return {"producer": self.schedule[0], "schedule_version": 1, "block_num": body["block_num"],
                        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]}  # fmt: skip
        return None

    def end(self) -> None:
        """Ends what stood for agents."""
        for process in self.processes:
            process.kill()
            process.communicate()


def _ship(folder: Path, inventory: Path) -> SimpleNamespace:
    """Contracts in place of the bundled ones."""
    network = load(inventory)
    files = contracts(network)
    for name, (wasm, abi) in {"eosio.bios": files.boot, **{folder_of(a): f for a, f in files.deployed.items()}}.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{name}.wasm").write_bytes(wasm)
        (folder / name / f"{name}.abi").write_bytes(abi)
    return SimpleNamespace(contracts=folder, command=lambda program: ("/opt/bundled", program))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A machine on which nothing was booted yet; commands are typed in the inventory's folder."""
    monkeypatch.chdir(tmp_path)
    inventory = Path("home.toml")
    inventory.write_text(INVENTORY.format(port=free_port()))
    home = Home(tmp_path, inventory)
    shipped = _ship(tmp_path / "shipped", inventory)
    listening = Hub.listening

    @asynccontextmanager
    async def dialled(hub: Hub, listen: Endpoint, addresses: Iterable[str] = ()) -> AsyncIterator[None]:
        async with listening(hub, listen, addresses), home.dialled(hub):
            yield

    def preflight(network: Any, *_: object) -> Preflight:
        return Preflight(tuple(Row(host.name, {"os": "linux"}) for host in network.hosts), (), tuple(home.problems))

    monkeypatch.setattr(Hub, "listening", dialled)
    monkeypatch.setattr("support.bundled.fetch", lambda *_: shipped)
    monkeypatch.setattr("coordinator.hosts.preflight.run.preflight", preflight)
    for module in ("coordinator.hosts.fleet", "coordinator.workflows.serving.keep_agents"):
        monkeypatch.setattr(f"{module}.ensure_agent", home.ensure_agent)
    yield home
    home.end()
