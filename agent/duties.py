"""What each task means on this host. Everything is derived from the sealed network that the agent itself holds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from agent.blocks import StalledError, following
from agent.config import AgentConfig
from agent.errors import DutyError
from agent.keys import KeyStore, KeyStoreError
from agent.keys.keosd import KeosdError
from agent.nodeos.errors import NodeosError
from agent.nodeos.spec import NodeSpec, SpecError
from agent.nodes.errors import NodeFault
from agent.nodes.supervisor import Nodes
from agent.producers import ProducerEndpoints
from agent.pushes import Pushed, Pusher, PushError
from agent.records import PushRecords
from agent.session import FetchArtifact, SessionEnded
from agent.sponsorship import Sponsorship
from agent.tasks import Memory, Report
from antelope.errors import AntelopeError, NodeError
from antelope.genesis import Genesis
from antelope.keys import PublicKey, SigningKey
from boot.blueprint import Blueprint
from boot.step import ChainStep, NodeMode, Work
from boot.steps import OPTIONAL, STEPS
from inventory.network import GENESIS_ACCOUNT
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.artifacts import ArtifactStore, DamagedError, MissingError
from support.journal import Journal, JournalError
from support.possession import Challenge
from support.retry import DeadlineError

log = logging.getLogger(__name__)

FETCHES = 2
"""Artifacts that are fetched at the same time: each may fill memory up to its limit."""
STORE_LIMIT = 2 << 30
"""Bytes of all artifacts: a coordinator that offers one sealed network after another does not fill the disk."""

MODES: Mapping[NodeMode, pb.Mode.ValueType] = {
    NodeMode.GENESIS: pb.MODE_GENESIS,
    NodeMode.NORMAL: pb.MODE_NORMAL,
    NodeMode.STARTER: pb.MODE_STARTER,
    NodeMode.AUDIT: pb.MODE_AUDIT,
}
_WANTED: Mapping[int, NodeMode | None] = {number: mode for mode, number in MODES.items()} | {pb.MODE_RECORDED: None}
"""How a task asks for a node to run; None: as it ran last."""

Body = TypeVar("Body")
Duty = Callable[[], Awaitable[pb.Result | None]]
"""Carries out one task. Returns the result, or None when there is nothing to tell but that it went well."""


class Duties:
    """Carries out tasks with this host's nodes and keys."""

    def __init__(
        self,
        config: AgentConfig,
        nodes: Nodes,
        keys: KeyStore,
        artifacts: ArtifactStore,
        journal: Journal,
        memory: Memory,
        fetch: FetchArtifact,
    ) -> None:
        """fetch: an artifact from the coordinator, unverified; raises SessionEnded."""
        self._config = config
        self._nodes = nodes
        self._keys = keys
        self._artifacts = artifacts
        self._journal = journal
        self._memory = memory
        self._fetch = fetch
        self.producers = ProducerEndpoints(memory)
        self._sponsorship = Sponsorship(nodes, keys, journal, self._have)
        self._blueprint: Blueprint | None = None
        self._work: dict[str, dict[str, Work]] = {}
        self._fetching, self._storing = asyncio.Semaphore(FETCHES), asyncio.Lock()
        self._steps: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def manifest(self) -> str:
        """The manifest of the sealed network that this agent holds; empty: it holds none yet."""
        return self._memory.get("manifest")

    def duties(self, task: pb.Task, report: Report) -> Mapping[str, Duty]:
        """What this agent does, by the name of the task's body."""
        return {
            "collect": lambda: self._collect(task.collect),
            "hold": lambda: self._hold(task.hold.sha256),
            "start_node": lambda: self._start_node(task.start_node),
            "set_peers": lambda: self._nodes.set_peers(task.set_peers.name, task.set_peers.peers),
            "producers": lambda: self._keep_producers(task.producers.endpoints),
            "run_step": lambda: self._run_step(task.run_step, report),
            "recount": lambda: self._recount(task.recount, report),
            "sponsor": lambda: self._for_parties(self._sponsorship.sponsor, task.sponsor, report),
            "elect": lambda: self._for_parties(self._sponsorship.elect, task.elect, report),
            "propose": lambda: self._for_parties(self._sponsorship.propose, task.propose, report),
            "endorse": lambda: self._for_parties(self._sponsorship.endorse, task.endorse, report),
            "execute": lambda: self._for_parties(self._sponsorship.execute, task.execute, report),
        }

    def unknown(self, kind: str) -> str:
        """What is said of a task that is none of the duties."""
        return "this agent does not know such a task: install the coordinator's version"

    async def carry_out(self, task: pb.Task, report: Report) -> pb.Result:
        """Carries the task out. That it failed, and why, is in the result: nothing is raised."""
        kind = task.WhichOneof("body") or ""
        try:
            duty = self.duties(task, report).get(kind)
            if duty is None:
                raise DutyError(self.unknown(kind))
            result = await duty() or pb.Result()
            result.ok = True
            return result
        except (DutyError, PushError, NodeFault, NodeError) as error:
            return _failed(error, error.retryable)
        except (SessionEnded, StalledError, DeadlineError, KeosdError, OSError) as error:
            return _failed(error, retryable=True)
        except (
            NodeosError,
            SpecError,
            KeyStoreError,
            AntelopeError,
            JournalError,
            DamagedError,
            MissingError,
        ) as error:
            return _failed(error, retryable=False)
        except Exception as error:
            log.exception("task %s: a fault of this agent", kind)
            return _failed(DutyError(f"a fault of this agent ({type(error).__name__}): see its log"), retryable=False)

    async def _keep_producers(self, endpoints: Iterable[str]) -> None:
        self.producers.keep(endpoints)

    async def _collect(self, wanted: pb.Collect) -> pb.Result:
        if wanted.network != self._config.network:
            raise DutyError(f"this agent is of network {self._config.network}, not {wanted.network[:80]!r}")
        found = await self._nodes.capabilities(wanted.nodeos)
        collected = pb.Collected(features_json=found.features_json)
        await asyncio.to_thread(self._collect_keys, wanted, collected)
        return pb.Result(collected=collected)

    def _collect_keys(self, wanted: pb.Collect, collected: pb.Collected) -> None:
        if wanted.import_file:
            users, producers = self._keys.import_accounts(wanted.import_file)
            collected.imported_users.extend(self._key(name, key, wanted) for name, key in users.items())
            collected.imported_producers.extend(self._key(name, key, wanted) for name, key in producers.items())
        self._keys.make(wanted.accounts, wanted.signers)
        for name in wanted.accounts:
            collected.accounts.append(self._key(name, self._keys.account_key(name), wanted))
        for name in wanted.signers:
            collected.signers.append(self._key(name, self._keys.signer_key(name), wanted))

    def _key(self, account: str, key: PublicKey, wanted: pb.Collect) -> pb.Key:
        proof = self._keys.prove(key, account, Challenge(wanted.network, "", wanted.nonce))
        return pb.Key(account=account, public_key=str(key), proof=proof)

    def _check_held(self, manifest: str) -> None:
        """The first sealed network is kept for good. Raises DutyError."""
        if self.manifest and self.manifest != manifest:
            raise DutyError(
                f"this agent holds the sealed network {self.manifest[:16]}…, and takes no other ({manifest[:16]}…): "
                "booted anew, a network needs new data folders (`coord down --purge` removes its hosts')"
            )

    async def _hold(self, manifest: str) -> None:
        self._check_held(manifest)
        await self._have(manifest)
        sealed = _parse(self._artifacts.get(manifest))
        if sealed.network != self._config.network:
            raise DutyError(f"the sealed network is {sealed.network!r}, this agent's is {self._config.network}")
        chain_id = Genesis.from_json(json.dumps(dict(sealed.genesis))).chain_id()
        if chain_id != sealed.chain_id:
            raise DutyError(f"the sealed chain id {sealed.chain_id[:16]}… does not follow from its genesis")
        self.check_chain(chain_id)
        for sha256 in sealed.artifacts:
            await self._have(sha256)
        self._check_held(manifest)  # another one may have been taken while these files came
        self._memory.keep(manifest=manifest)

    def check_chain(self, chain_id: str) -> None:
        """Whether this agent may take a network of that chain. Raises DutyError."""

    async def _have(self, sha256: str) -> None:
        async with self._fetching:
            try:
                self._artifacts.get(sha256)
                return
            except KeyError:
                data = await self._fetch(sha256)
            except ValueError as error:
                raise DutyError(str(error)) from error
            if hashlib.sha256(data).hexdigest() != sha256:
                raise DutyError(f"the coordinator sent other bytes for artifact {sha256[:16]}…", retryable=True)
            async with self._storing:  # the limit holds for all of them together
                if self._artifacts.size() + len(data) > STORE_LIMIT:
                    raise DutyError(f"refused: this agent keeps {STORE_LIMIT >> 20} MiB of artifacts at most")
                await asyncio.to_thread(self._artifacts.put, data)

    async def _held(self) -> Blueprint:
        """The sealed network. Raises DutyError when there is none yet."""
        if not self.manifest:
            raise DutyError("this agent holds no sealed network yet", retryable=True)
        if self._blueprint is None:
            sealed = _parse(self._artifacts.get(self.manifest))
            self._blueprint = Blueprint(sealed, self._artifacts.get)
        return self._blueprint

    async def _start_node(self, wanted: pb.StartNode) -> None:
        if wanted.mode not in _WANTED:
            raise DutyError(f"node {wanted.spec.name}: this agent does not know mode {wanted.mode}")
        spec, mode = NodeSpec.of(wanted.spec), _WANTED[wanted.mode]
        sealed = (await self._held()).sealed
        genesis = Genesis.from_json(json.dumps(dict(sealed.genesis))).to_json()
        await self._nodes.start(spec, mode, genesis.encode(), sealed.chain_id)

    async def _run_step(self, wanted: pb.RunStep, report: Report) -> None:
        blueprint = await self._held()
        step = chain_step(wanted.step)
        node = self._nodes.client(wanted.node)
        async with self._steps[step.name]:
            work = await self._work_of(step, blueprint)
            unknown = [key for key in wanted.keys if key not in work]
            if unknown:
                raise DutyError(f"{step.name}: {unknown[0]!r} is no part of it, as this agent derives it")
            records = PushRecords(self._journal, blueprint.sealed.chain_id)
            done: list[Pushed] = []

            def pushed(one: Pushed) -> None:
                done.append(one)
                told = pb.Pushed(key=one.key, transaction=one.transaction, block=one.block)
                report(pb.Progress(done=len(done), total=len(wanted.keys), pushed=[told]))

            async with following(node) as follower:
                if follower.info.chain_id != blueprint.sealed.chain_id:
                    raise DutyError(f"node {wanted.node} runs another chain ({follower.info.chain_id[:16]}…)")
                pusher = Pusher(node, follower, records, self._signing(blueprint.sealed), pushed, wanted.seen)
                await pusher.run(step, [work[key] for key in dict.fromkeys(wanted.keys)])

    async def _work_of(self, step: ChainStep, blueprint: Blueprint) -> dict[str, Work]:
        if step.name not in self._work:
            work = await asyncio.to_thread(step.work, blueprint)
            self._work[step.name] = {item.key: item for item in work}
        return self._work[step.name]

    def _signing(self, sealed: Sealed) -> Callable[[str], SigningKey]:
        """The key of an account; the system's accounts share eosio's until they hand themselves over."""
        shared = {GENESIS_ACCOUNT, *sealed.system_accounts}

        def key(account: str) -> SigningKey:
            return self._keys.key(GENESIS_ACCOUNT if account in shared else account)

        return key

    async def _for_parties(
        self, duty: Callable[[Blueprint, Body, Report], Awaitable[None]], body: Body, report: Report
    ) -> None:
        await duty(await self._held(), body, report)

    async def _recount(self, wanted: pb.Recount, report: Report) -> None:
        records = PushRecords(self._journal, (await self._held()).sealed.chain_id)
        keys = set(wanted.keys)
        found = [one for one in records.of_step(wanted.step) if one.block and (not keys or one.key in keys)]
        told = [pb.Pushed(key=one.key, transaction=one.id, block=one.block) for one in found]
        report(pb.Progress(done=len(told), total=len(told), pushed=told))


def chain_step(name: str) -> ChainStep:
    """The step of that name, which pushes transactions. Raises DutyError when this agent knows none."""
    for step in (*STEPS, *OPTIONAL):
        if step.name == name and isinstance(step, ChainStep):
            return step
    raise DutyError(f"this agent knows no step {name[:80]!r} that pushes: install the coordinator's version")


def _parse(document: bytes) -> Sealed:
    try:
        return Sealed.parse(document)
    except ValueError as error:
        raise DutyError(f"the artifact is {error}: install the coordinator's version") from error


def _failed(error: Exception, retryable: bool) -> pb.Result:
    return pb.Result(ok=False, error=" ".join(str(error).split()), retryable=retryable)
