"""A sealed network whose chain is made up: the operator's agent answers for it, and parties' agents act on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.session import Send
from antelope.keys import PrivateKey
from antelope.names import name_to_int
from coordinator.agents.hub import Hub
from coordinator.engine.access import NodeAccess
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.reception import Reception
from coordinator.reporter import StepResult
from coordinator.state.folder import StateFolder
from inventory.allocation import holdings
from inventory.load import load
from inventory.network import Network
from inventory.seal import Collected, seal
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from tests.unit.coordinator.fakes import FakeWork
from tests.unit.coordinator.parties.conftest import FakeParty, account_of, private, registration
from tests.unit.inventory.material import SUPPORTED, contracts, key

INVENTORY = """
[network]
name = "net"

[users]
count = 10

[producers]
count = 1

[parties]
share = "all"
sponsor = "sponsor"
limit = 100
endpoints = "public"
"""
HEAD = 100


def make_network(folder: Path) -> Network:
    """One producer, a sponsor for a hundred."""
    path = folder / "net.toml"
    path.write_text(INVENTORY)
    return load(path)


def make_sealed(network: Network, state: StateFolder) -> Sealed:
    """Sealed, with its boot behind it."""
    held = holdings(network)
    collected = Collected(
        eosio_key=key("eosio"),
        account_keys={holding.account: key(holding.account) for holding in held},
        signing_keys={producer.account: key(f"sign {producer.account}") for producer in network.producers},
        features={network.genesis_node.host: SUPPORTED},
        contracts=contracts(network),
        now=datetime(2026, 1, 2, tzinfo=UTC),
    )
    bundle = seal(network, collected)
    state.seal(bundle.sealed, dict(bundle.artifacts))
    for step in ("accounts", "resign"):
        state.record_step(step, StepResult.DONE, 1.0, "")
    return bundle.sealed


def make_session(network: Network, state: StateFolder, hub: Hub, reception: Reception) -> OpenNetwork:
    """As open_network makes it."""
    return OpenNetwork(network, state, hub, NodeAccess(network, hub, reception.store.reached), reception)


@dataclass
class Crowd:
    """The chain, and who answers at which endpoint."""

    sealed: Sealed
    accounts: dict[str, str] = field(default_factory=dict)
    """Sponsored ones, with their keys."""
    registered: dict[str, str] = field(default_factory=dict)
    voted: tuple[str, ...] = ()
    listening: set[str] = field(default_factory=set)
    shaking: dict[str, PrivateKey] = field(default_factory=dict)
    """The keys with which nodes shake hands, by endpoint, where they have one."""
    peers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of the operator's nodes, as their agent was told."""
    producers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The producers' endpoints that each agent was told."""

    def operator(self) -> FakeWork:
        """The one host's agent."""
        return Operator(carry_out=self._operate, answers=self._answer)

    def party(self, name: str, endpoint: str, says: Mapping[str, Callable[[pb.Task], pb.Result | None]]) -> FakeParty:
        """A party's agent; `says` replaces what it answers to some tasks, None: nothing at all."""
        work = Member(
            say=lambda nonce: [pb.FromAgent(registration=registration(name, nonce, endpoint, self.sealed.chain_id))]
        )

        def carry_out(task: pb.Task, send: Send) -> None:
            kind = str(task.WhichOneof("body"))
            if kind == "producers":
                self.producers[name] = tuple(task.producers.endpoints)
            result = says[kind](task) if kind in says else self._honest(name, endpoint, kind, work)
            if result is not None:
                result.task = task.id
                send(pb.FromAgent(result=result))

        work.account, work.carry_out = account_of(name), carry_out
        return work

    def _honest(self, name: str, endpoint: str, kind: str, work: Member) -> pb.Result:
        account = account_of(name)
        result = pb.Result(ok=True)
        if kind == "follow":
            work.running = True
            self.listening.add(endpoint)
        elif kind == "enlist" and account not in self.accounts:
            return pb.Result(error=f"account {account} is not there")
        elif kind == "enlist":
            self.registered[account] = str(private(f"signing {name}").public)
        elif kind == "attest":
            result.attestation.CopyFrom(self.attestation(name))
        return result

    def attestation(self, name: str, **changes: Any) -> pb.Attestation:
        """What an honest party signs."""
        content: dict[str, Any] = {"network": "net", "chain_id": self.sealed.chain_id, "manifest": self.sealed.manifest}
        content |= {"block": {"num": HEAD, "id": "aa"}, "ok": True, "differences": []} | changes
        document = json.dumps(content)
        signature = private(f"account {name}").sign(hashlib.sha256(document.encode()).digest())
        return pb.Attestation(account=account_of(name), document=document, signature=str(signature))

    def _operate(self, task: pb.Task, send: Send) -> None:
        result = pb.Result(task=task.id, ok=True)
        match task.WhichOneof("body"):
            case "set_peers":
                self.peers[task.set_peers.name] = tuple(task.set_peers.peers)
            case "producers":
                self.producers["local"] = tuple(task.producers.endpoints)
            case "sponsor":
                self.accounts[task.sponsor.account] = task.sponsor.public_key
            case "elect":
                self.voted = tuple(task.elect.producers)
        send(pb.FromAgent(result=result))

    def _answer(self, query: pb.Query) -> pb.Answer:
        body = json.loads(query.body or b"{}")
        status, answer = 200, self._read(query, body)
        if answer is None:
            detail = {"code": 3060002, "name": "account_query_exception", "what": "unknown key", "details": []}
            status, answer = 500, {"code": 500, "error": detail}
        return pb.Answer(id=query.id, status=status, body=json.dumps(answer).encode())

    def _read(self, query: pb.Query, body: dict[str, Any]) -> Any:
        match query.path.rpartition("/")[2]:
            case "get_info":
                return {"head_block_num": HEAD, "head_block_producer": "defproducera", "chain_id": self.sealed.chain_id}
            case "get_producer_schedule":
                return {"active": {"producers": [{"producer_name": name} for name in self.sealed.elected]}}
            case "get_account":
                return self._account(body["account_name"])
            case "connections":
                return [
                    {"peer": peer, "last_handshake": {"chain_id": self.sealed.chain_id} | self._shakes(peer)}
                    for peer in self.peers.get(query.node, ())
                    if peer in self.listening
                ]
        return {"rows": self._rows(body), "more": False}

    def _shakes(self, endpoint: str) -> dict[str, Any]:
        """What a nodeos with a `peer-private-key` adds."""
        if endpoint not in self.shaking:
            return {}
        token = hashlib.sha256((1).to_bytes(8, "little")).digest()
        key = self.shaking[endpoint]
        return {"key": str(key.public), "time": 1, "token": token.hex(), "sig": str(key.sign(token))}

    def _rows(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        if body["table"] == "producers":
            return [{"owner": name, "producer_key": k, "is_active": 1} for name, k in self.registered.items()]
        voter = next(vote.voter for vote in self.sealed.votes)
        asked = body["lower_bound"] == str(name_to_int(voter))
        return [{"owner": voter, "producers": list(self.voted)}] if asked else []

    def _account(self, name: str) -> dict[str, Any] | None:
        if name not in self.accounts:
            return None
        authority = {"threshold": 1, "keys": [{"key": self.accounts[name], "weight": 1}]}
        return {"account_name": name, "permissions": [{"perm_name": "active", "required_auth": authority}]}


class Operator(FakeWork):
    """Says that the genesis and the producer's node run."""

    async def status(self) -> pb.Status:
        """Both."""
        names = ("genesis", "defproducera")
        return pb.Status(nodes=[pb.NodeStatus(name=name, state="running", head=HEAD) for name in names])


@dataclass
class Member(FakeParty):
    """Says how its own node is, once it was told to follow."""

    account: str = ""
    running: bool = False

    async def status(self) -> pb.Status:
        """Its one node, or none."""
        nodes = [pb.NodeStatus(name=self.account, state="running", head=HEAD)] if self.running else []
        return pb.Status(nodes=nodes)
