"""A malicious coordinator with the true CA's key, against a party's agent as it runs: `agent serve`, over mTLS."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from agent.config import DataFolder
from agent.exits import ENDED
from agent.keys import KeyStore
from agent.nodeos.throwaway import free_ports
from agent.party import settings
from agent.party.joining import Joining, read_token
from antelope import actions
from antelope.asset import Asset
from antelope.genesis import DEVELOPMENT_KEY
from antelope.transaction import Transaction
from coordinator.agents.ca import CertificateAuthority
from coordinator.parties.invitations import invite
from inventory.seal import SealedBundle
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from support.retry import poll
from tests.unit.agent.party import fake_nodeos
from tests.unit.agent.party.conftest import ALICE, sealed_network
from tests.unit.coordinator.parties.conftest import open_party_hub

THEFT = Transaction(4_000_000_000, 0, 0, (actions.transfer(ALICE, "mallory", Asset.parse("1.0000 SYS")),)).packed
THEFT_HASH = hashlib.sha256(THEFT).hexdigest()
SECRETS = re.compile(r"\b5[HJK][1-9A-HJ-NP-Za-km-z]{49}\b|PVT_K1_|PRIVATE KEY")
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z (INFO|WARNING|ERROR) |agent: ")


class Rogue(rpc.CoordinationServicer):
    """Sends what the test tells it to, and remembers what it receives."""

    def __init__(self, artifacts: dict[str, bytes]) -> None:
        self.artifacts = artifacts
        self.heard: list[pb.FromAgent] = []
        self.hellos = 0
        self.end = asyncio.Event()
        self._say: asyncio.Queue[pb.FromCoordinator] = asyncio.Queue()

    async def Session(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]  # noqa: N802
        """Welcomes every agent with the highest epoch."""
        self.heard.append(await context.read())
        self.hellos += 1
        await context.write(pb.FromCoordinator(welcome=pb.Welcome(epoch=99, instance="rogue", nonce=b"n")))
        saying = asyncio.create_task(self._speak(context))
        reading = asyncio.create_task(self._listen(context))
        await asyncio.wait({reading, asyncio.create_task(self.end.wait())}, return_when=asyncio.FIRST_COMPLETED)
        for task in (saying, reading):
            task.cancel()
        await asyncio.gather(saying, reading, return_exceptions=True)
        if self.end.is_set():
            await context.abort(
                grpc.StatusCode.PERMISSION_DENIED, "go\n2026-01-01T00:00:00.000Z INFO all is well\x1b[2J"
            )

    async def _speak(self, context: Any) -> None:
        while True:
            await context.write(await self._say.get())

    async def _listen(self, context: Any) -> None:
        while (message := await context.read()) is not grpc.aio.EOF:
            self.heard.append(message)

    async def Fetch(self, request: pb.FetchRequest, context: Any) -> AsyncIterator[pb.Chunk]:  # noqa: N802
        """Serves every artifact that it has."""
        yield pb.Chunk(data=self.artifacts[request.sha256])

    async def Join(self, request: pb.JoinRequest, context: Any) -> pb.JoinReply:  # noqa: N802
        """Nobody joins here."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        raise AssertionError

    async def Renew(self, request: pb.JoinRequest, context: Any) -> pb.JoinReply:  # noqa: N802
        """Nobody asks."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        raise AssertionError

    async def heard_that(self, what: Callable[[pb.FromAgent], bool], seconds: float = 20) -> pb.FromAgent:
        """The first message that fits, once there is one."""

        async def there() -> pb.FromAgent | None:
            return next((message for message in self.heard if what(message)), None)

        return await poll(there, what="the agent's answer", deadline=seconds, every=0.02)

    def say(self, message: pb.FromCoordinator) -> None:
        """To the agent that is connected."""
        self._say.put_nowait(message)

    async def task(self, name: str, **body: Any) -> pb.Result:
        """What the agent answers to a demand."""
        self.say(pb.FromCoordinator(task=pb.Task(id=name, **({"epoch": 99} | body))))
        return (await self.heard_that(lambda message: message.result.task == name)).result

    async def query(self, **parts: Any) -> pb.Answer:
        """What the agent answers to a question."""
        name = f"q{len(self.heard)}"
        self.say(pb.FromCoordinator(query=pb.Query(id=name, **parts)))
        return (await self.heard_that(lambda message: message.answer.id == name)).answer


@dataclass
class Siege:
    """A party that joined an honest coordinator, whose address and keys a rogue has taken over."""

    rogue: Rogue
    folder: DataFolder
    nodeos: Path
    agent: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        """What its operator reads."""
        return "".join(self.lines)

    async def logged(self, text: str) -> None:
        """Waits until its operator can read that."""

        async def there() -> bool:
            return text in self.log

        await poll(there, what=f"{text!r} in the agent's log", deadline=30, every=0.02)


async def _joined(tmp_path: Path) -> tuple[DataFolder, int]:
    async with open_party_hub(tmp_path / "state") as hub:
        token = invite(
            hub.records.journal, hub.authority, "alice", ALICE, (f"127.0.0.1:{hub.port}",), timedelta(hours=1)
        )
        folder = DataFolder(tmp_path / "alice")
        await Joining(read_token(token), folder).redeem("info", local=False)
        return folder, hub.port


@asynccontextmanager
async def besieged(tmp_path: Path, artifacts: dict[str, bytes]) -> AsyncIterator[Siege]:
    """The agent's process, connected to the rogue."""
    folder, port = await _joined(tmp_path)
    nodeos = fake_nodeos.install(tmp_path / "nodeos", folder.path)
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    own = {"account": ALICE, "p2p": "8.8.8.8:9876", "p2p_listen": listen, "nodeos": str(nodeos)}
    settings.write(folder.party, settings.settle(own))
    rogue, authority = Rogue(artifacts), CertificateAuthority(tmp_path / "state" / "ca", "net")
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    rpc.add_CoordinationServicer_to_server(rogue, server)
    pair = [authority.server(("127.0.0.1",))]
    server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials(pair, authority.pem, True))
    await server.start()
    command = (sys.executable, "-m", "agent.cli", "serve", "--data", str(folder.path))
    agent = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    siege = Siege(rogue, folder, nodeos.parent, agent)

    async def read() -> None:
        assert agent.stderr
        async for line in agent.stderr:
            siege.lines.append(line.decode())

    reading = asyncio.create_task(read())
    try:
        yield siege
    finally:
        await server.stop(None)
        down = (sys.executable, "-m", "agent.cli", "down", "--data", str(folder.path))
        await (await asyncio.create_subprocess_exec(*down, stdout=subprocess.DEVNULL)).wait()
        await agent.wait()
        await reading


def _answers(siege: Siege, chain_id: str) -> None:
    """A chain with the party's account, and a proposal that would take its tokens."""
    key = str(KeyStore(siege.folder.keys).account_key(ALICE))
    active = {"threshold": 1, "keys": [{"key": key, "weight": 1}], "accounts": [], "waits": []}
    level = {"level": {"actor": ALICE, "permission": "active"}, "time": "1970-01-01T00:00:00.000"}
    head = {"head_block_num": 100, "head_block_id": "64".rjust(8, "0") + "00" * 28, "head_block_producer": "eosio"}
    lib = {"last_irreversible_block_num": 99, "last_irreversible_block_id": "00" * 32}
    rows = {
        "eosio.msig eosio proposal": [{"proposal_name": "canary", "packed_transaction": THEFT.hex()}],
        "eosio.msig eosio approvals2": [{"requested_approvals": [level], "provided_approvals": []}],
    }
    account = {"account_name": ALICE, "ram_quota": -1, "ram_usage": 0, "permissions": [
        {"perm_name": name, "parent": "", "required_auth": active} for name in ("owner", "active")]}  # fmt: skip
    told = {"info": {"chain_id": chain_id, "server_version_string": "v5.0.3"} | head | lib, "account": account}
    (siege.nodeos / "answers.json").write_text(json.dumps(told | {"rows": rows}))


def _demands(other: str) -> dict[str, dict[str, Any]]:
    spec = pb.NodeSpec(
        name=ALICE, role="producer", account=ALICE, p2p_bind="0.0.0.0:1", p2p_endpoint="h:1", http_port=1,
        nodeos="/bin/sh", options={"plugin": "eosio::x\nenable-stale-production = true"},
    )  # fmt: skip
    return {
        "steps of others": {"run_step": pb.RunStep(step="resign", keys=["resign"], node=ALICE)},
        "others' part": {"run_step": pb.RunStep(step="register", keys=[ALICE, "defproducera"], node=ALICE)},
        "not a part of it": {"run_step": pb.RunStep(step="claim", keys=[ALICE], node=ALICE)},
        "a path as a node": {"run_step": pb.RunStep(step="claim", keys=[ALICE], node="../alice1111111")},
        "a node": {"start_node": pb.StartNode(spec=spec, mode=pb.MODE_STARTER)},
        "keys of others": {"collect": pb.Collect(accounts=["eosio"], signers=["eosio"], network="net")},
        "a file": {"collect": pb.Collect(import_file="/etc/passwd", network="net", nodeos="/bin/sh")},
        "an account": {"sponsor": pb.Sponsor(account="mallory11111", public_key=DEVELOPMENT_KEY)},
        "votes": {"elect": pb.Elect(producers=["mallory11111"])},
        "a contract": {"propose": pb.Propose(proposal="x", account="eosio", wasm="f" * 64, abi="f" * 64)},
        "an execution": {"execute": pb.Execute(proposal="canary")},
        "a line of config.ini": {"follow": pb.Follow(peers=["h:1\nplugin = eosio::x"])},
        "peers without end": {"follow": pb.Follow(peers=[f"h:{port}" for port in range(1, 66)])},
        "a port of this machine": {"follow": pb.Follow(peers=["8.8.4.4:1", "127.0.0.1:8888"])},
        "a machine nearby": {"follow": pb.Follow(peers=["[::ffff:10.0.0.1]:22"])},
        "the cloud's secrets": {"set_peers": pb.SetPeers(name=ALICE, peers=["169.254.169.254:80"])},
        "another node's peers": {"set_peers": pb.SetPeers(name="../x", peers=["h:1"])},
        "another network": {"hold": pb.Hold(sha256=other)},
        "a path for an artifact": {"hold": pb.Hold(sha256="../../party.toml")},
        "theft called canary": {"endorse": pb.Endorse(proposer="eosio", proposal="canary", hash=THEFT_HASH)},
        "theft, another hash": {"endorse": pb.Endorse(proposer="eosio", proposal="canary", hash="f" * 64)},
        "no name": {"endorse": pb.Endorse(proposer="eosio\n", proposal="../x", hash="f" * 64)},
        "nothing": {},
        "an older coordinator": {"epoch": 98, "follow": pb.Follow(peers=["h:1"])},
    }  # fmt: skip


@pytest.fixture
def networks(tmp_path: Path) -> tuple[SealedBundle, SealedBundle]:
    """The party's, and another of the same name."""
    (tmp_path / "other").mkdir()
    other = sealed_network(tmp_path / "other", '[network]\nname = "net"\n[users]\ncount = 3\n')
    return sealed_network(tmp_path), other


async def test_it_gets_nothing_and_both_sides_read_why(
    tmp_path: Path, networks: tuple[SealedBundle, SealedBundle]
) -> None:
    """Every demand beyond the policy is refused, in the result and in the party's log. Nothing is signed, started,
    stored or disclosed, and the agent keeps running until it is told to stop.
    """
    own, other = networks
    held = (
        {one.sealed.manifest: one.sealed.canonical() for one in networks} | dict(own.artifacts) | dict(other.artifacts)
    )
    async with besieged(tmp_path, held) as siege:
        rogue = siege.rogue
        await rogue.heard_that(lambda message: message.HasField("registration"))
        _answers(siege, own.sealed.chain_id)
        assert (await rogue.task("hold", hold=pb.Hold(sha256=own.sealed.manifest))).ok
        assert (await rogue.task("follow", follow=pb.Follow(peers=["8.8.4.4:1"]))).ok
        config = (siege.folder.nodes / ALICE / "config.ini").read_text()

        for name, body in _demands(other.sealed.manifest).items():
            result = await rogue.task(name, **body)
            assert not result.ok, name
            assert result.error, name
            if name != "an older coordinator":
                await siege.logged(result.error)
        for parts in (
            {"node": ALICE, "path": "/v1/chain/send_transaction", "body": b"{}"},
            {"node": ALICE, "path": "/v1/producer/pause"},
            {"node": ALICE, "path": "/v1/chain/get_info/../../producer/pause"},
            {"node": ALICE, "path": "/v1/chain/get_info HTTP/1.1\r\nX: y"},
            {"node": "../x", "path": "/v1/chain/get_info"},
        ):
            answer = await rogue.query(**parts)
            assert (answer.status, bool(answer.error)) == (0, True), parts

        registrations = sum(message.HasField("registration") for message in rogue.heard)
        for number in range(3000):
            rogue.say(pb.FromCoordinator(admission=pb.Admission(accepted=number % 2 == 0, reason=f"flood {number}")))
        rogue.say(pb.FromCoordinator(admission=pb.Admission(accepted=True, manifest="\n\x1b[2J")))
        rogue.say(pb.FromCoordinator(task=pb.Task(id="\n\x1b[2J", epoch=99, hold=pb.Hold(sha256="\n\x1b[2J"))))
        await rogue.heard_that(lambda message: message.result.task == "\n\x1b[2J")
        rogue.say(pb.FromCoordinator(query=pb.Query(id="big", body=bytes(9 << 20))))
        await poll(_so(lambda: rogue.hellos > 1), what="the agent to come back", deadline=20)
        rogue.end.set()
        assert await asyncio.wait_for(siege.agent.wait(), 20) == ENDED

        assert sum("flood" in line for line in siege.lines) < 250
        assert sum(message.HasField("registration") for message in rogue.heard) <= registrations + 2
        assert not (siege.nodeos / "pushed").exists()
        assert (siege.nodeos / "started").read_text().count("\n") == 1
        assert (siege.folder.nodes / ALICE / "config.ini").read_text() == config
        assert [path.name for path in siege.folder.nodes.iterdir() if path.is_dir()] == [ALICE]
        kept = {path.name for path in siege.folder.artifacts.iterdir()}
        assert other.sealed.manifest not in kept
        told = siege.log + "\n".join(str(message) for message in rogue.heard)
        assert not SECRETS.search(told)
    assert "\x1b" not in siege.log
    assert "Traceback" not in siege.log
    assert all(LINE.match(line) for line in siege.lines), siege.log
    assert sum("all is well" in line for line in siege.lines) == 1  # within the line that says who said so


def _so(what: Callable[[], bool]) -> Callable[[], Any]:
    async def look() -> bool:
        return what()

    return look
