"""The running agent: its nodes and duties, and its sessions with coordinators."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
from typing import Protocol

from agent.background import keep_running, together
from agent.config import AgentConfig, DataFolder
from agent.dialling import Dialling
from agent.duties.host import HostDuties
from agent.duties.tools import Tools
from agent.errors import AgentError, Replaced, UnknownNode
from agent.keys.losses import lost_keys
from agent.nodeos.spec import NodeSpec
from agent.nodes.outages import watch_outages
from agent.nodes.signers import watch_signers
from agent.nodes.state import NodeStatus
from agent.producers import ProducerEndpoints
from agent.queries import Queries
from agent.reports import ReportProgress
from agent.session import Credentials, Send
from agent.tasks import Tasks
from boot.step import NodeMode
from protos import coordination_pb2 as pb
from protos import modes
from support.journal import Journal
from support.snapshots import SnapshotStore


class Duties(Protocol):
    """What an agent does for a coordinator: HostDuties or PartyDuties."""

    producers: ProducerEndpoints

    @property
    def manifest(self) -> str:
        """The manifest of the sealed network that it holds; empty if it holds none yet."""

    async def carry_out(self, task: pb.Task, report: ReportProgress) -> pb.Result:
        """Carries a task out. Failures are in the result."""


class Agent:
    """The shared part of hosts' and parties' agents. Its sessions hand messages to it (session.Work)."""

    def __init__(
        self,
        folder: DataFolder,
        dialling: Dialling,
        tools: Tools,
        duties: Duties,
        *,
        tells_specs: bool = False,
        snapshots: SnapshotStore | None = None,
    ) -> None:
        """Call `nodes.open` to start watching the nodes.

        tells_specs: the coordinator may know what the nodes run with. snapshots: it may have them write their state,
        and know which are kept.
        """
        self._tells_specs = tells_specs
        self._snapshots = snapshots
        self.nodes = tools.nodes
        self.exports = ""
        """HOST:PORT where it exports values for Prometheus; empty: nowhere."""
        self._leases = tools.leases
        self._keys = tools.keys
        self._folder = folder
        self._dialling = dialling
        self._duties = duties
        self._tasks = Tasks(tools.memory, duties.carry_out)
        self._queries = Queries(self._http_port, snapshots)

    async def run(self, credentials: Credentials) -> None:
        """Runs until it is cancelled. Raises Refused."""
        try:
            await together(
                self._dialling.run(credentials, self),
                keep_running(lambda: watch_outages(self.nodes, self._duties.producers)),
                keep_running(lambda: watch_signers(self.nodes, self._leases)),
            )
        except Replaced as error:
            await self._stand_down(str(error))
            raise

    async def _stand_down(self, why: str) -> None:
        """Another machine has replaced this host: no node here may sign, now or after a restart."""
        for name in self.nodes.names:
            record = self.nodes.record(name)
            if record.spec.account and record.mode is not NodeMode.GENESIS:
                self._leases.taken(record.spec.account, why)
                with contextlib.suppress(AgentError):  # it does not run with its key then
                    await self.nodes.withhold(name)

    async def close(self) -> None:
        """Stops tasks and watching. Nodes keep running."""
        await self._tasks.close()
        await self._queries.close()
        await self.nodes.close()

    def hello(self) -> pb.Hello:
        """This agent's name and the network that it holds."""
        tasks = self._tasks
        return pb.Hello(epoch=tasks.epoch, instance=tasks.instance, moved=tasks.moved, manifest=self._duties.manifest)

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """A coordinator accepted this agent."""
        self._tasks.welcome(welcome, send)

    def parted(self) -> None:
        """The connection is over."""
        self._tasks.parted()
        self._leases.parted()

    def accept(self, task: pb.Task) -> None:
        """A task came."""
        self._tasks.accept(task)

    def admitted(self, admission: pb.Admission) -> None:
        """Does nothing: only parties register and are admitted."""

    async def answer(self, query: pb.Query) -> pb.Answer:
        """A query came."""
        return await self._queries.answer(query)

    async def status(self) -> pb.Status:
        """The state of the nodes."""
        nodes = [_status(node, self._spec(node.name)) for node in await self.nodes.status()]
        kept = (pb.Snapshot(**one.told) for one in (self._snapshots.all() if self._snapshots else ()))
        exports = self.exports if self._tells_specs else ""  # a party does not tell where
        free = shutil.disk_usage(self._folder.path).free
        lost = lost_keys(self._keys, self._signing()) if self._tells_specs else ()
        data, user = (str(self._folder.path), _user()) if self._tells_specs else ("", "")
        return pb.Status(
            nodes=nodes, disk_free=free, snapshots=kept, metrics=exports, lost_keys=lost, data=data, user=user
        )

    def standing(self) -> tuple[int, bool, float]:
        """Free bytes of its disk, whether a coordinator is connected, and when its certificate ends (Unix seconds)."""
        free = shutil.disk_usage(self._folder.path).free
        return free, self._dialling.connected, self._dialling.certificate_end

    def _signing(self) -> list[str]:
        """The accounts whose nodes run here to sign."""
        records = [self.nodes.record(name) for name in self.nodes.names if self.nodes.running(name)]
        return [record.spec.account for record in records if record.spec.account and record.mode is not NodeMode.AUDIT]

    def _spec(self, name: str) -> pb.NodeSpec | None:
        """The specification of a host's node. A party does not reveal how its node runs."""
        return _message(self.nodes.record(name).spec) if self._tells_specs else None

    def _http_port(self, name: str) -> int:
        try:
            return self.nodes.record(name).spec.http_port
        except UnknownNode as error:
            raise KeyError(name) from error


def host_agent(folder: DataFolder, config: AgentConfig, journal: Journal) -> Agent:
    """The agent of a host of the inventory. Raises KeyStoreError."""
    dialling = Dialling(folder, config)
    tools = Tools.of(folder, config, journal, dialling)
    return Agent(folder, dialling, tools, HostDuties(tools), tells_specs=True, snapshots=tools.snapshots)


def _message(spec: NodeSpec) -> pb.NodeSpec:
    return pb.NodeSpec(
        name=spec.name,
        role=spec.role.value,
        account=spec.account or "",
        p2p_bind=spec.p2p_bind,
        p2p_endpoint=spec.p2p_endpoint,
        http_port=spec.http_port,
        peers=spec.peers,
        options=dict(spec.options),
        nodeos=spec.nodeos,
        api=spec.api,
        history=spec.history,
        prometheus=spec.prometheus,
    )


def _status(node: NodeStatus, spec: pb.NodeSpec | None) -> pb.NodeStatus:
    return pb.NodeStatus(
        name=node.name,
        state=node.state.value,
        mode=modes.number(node.mode.value),
        head=node.head,
        lib=node.lib,
        peers=node.peers,
        detail=node.detail,
        lasting=node.lasting,
        withheld=node.withheld,
        doubles=node.doubles,
        spec=spec,
        keys=node.keys if spec else (),
        since=node.since,
    )


def _user() -> str:
    """The name of the user that this process runs as; empty if it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""
