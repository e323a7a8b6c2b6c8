"""A hub that takes parties in, and parties that speak to it over real gRPC and TLS."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from agent.session import OPTIONS, Credentials, Send, Session
from antelope.keys import PrivateKey
from coordinator.agents.hub import Hub
from coordinator.agents.records import Records
from coordinator.parties.admission import Rules
from coordinator.parties.invitations import invite
from coordinator.parties.reception import Reception
from coordinator.parties.store import PartyStore
from inventory.reach import Reach
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from support.invitation import Invitation, parse
from support.possession import Challenge
from support.retry import poll
from support.tls import key_pem, load_or_make_key, make_csr
from tests.unit.coordinator.fakes import FakeWork, listening

CHAIN = "c4" * 32
RULES = Rules(
    network="net",
    reach=Reach.PUBLIC,
    manifest="ab" * 32,
    chain_id=CHAIN,
    belongs=lambda account: "one of the operator's producers" if account == "defproducera" else "",
    owned=lambda account: "EOSowned" if account == "useraaaaaaaa" else "",
    keys={},
    endpoints={"8.8.4.4:9876": "node genesis"},
    sealed={},
)


@dataclass
class Setting:
    """What registrations are judged by."""

    rules: Rules = RULES
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of hosts that have a name."""

    async def resolve(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; its own name where it has none."""
        return self.addresses.get(host, (host,))


@dataclass
class World:
    """The hub, what answers parties, and the rules it goes by; a test may change them."""

    hub: Hub
    folder: Path
    reception: Reception
    setting: Setting

    @property
    def store(self) -> PartyStore:
        """Who came."""
        return self.reception.store

    def invited(self, name: str, account: str = "", hours: float = 24) -> Invitation:
        """A token of that name, as its holder reads it."""
        account = account or account_of(name)
        endpoint = (f"localhost:{self.hub.port}",)
        return parse(
            invite(self.hub.records.journal, self.hub.authority, name, account, endpoint, timedelta(hours=hours))
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An acting hub on a free port that takes parties in."""
    setting = Setting()
    with Records(tmp_path / "state", "net") as records:
        reception = Reception(records, lambda: setting.rules, setting.resolve)
        async with listening(records, reception) as hub:
            yield World(hub, tmp_path, reception, setting)


@asynccontextmanager
async def open_party_hub(folder: Path) -> AsyncIterator[Hub]:
    """A hub that takes parties in by RULES; hosts resolve to their own name."""
    with Records(folder, "net") as records:
        async with listening(records, Reception(records, lambda: RULES, Setting().resolve)) as hub:
            yield hub


def account_of(name: str) -> str:
    """An account of 12 characters for a party."""
    return name.translate(str.maketrans("06789", "vwxyz")).ljust(12, "1")


async def join(invitation: Invitation, key: Path, csr: bytes | None = None) -> Credentials:
    """Redeems an invitation for the key in that file. Raises grpc's AioRpcError."""
    own = load_or_make_key(key)
    trust = grpc.ssl_channel_credentials(invitation.ca, invitation.key, invitation.certificate)
    async with grpc.aio.secure_channel(invitation.coordinators[0], trust, options=OPTIONS) as channel:
        request = pb.JoinRequest(csr=make_csr(own, invitation.name) if csr is None else csr)
        reply = await rpc.CoordinationStub(channel).Join(request, timeout=20)
    return Credentials(key_pem(own), reply.certificate, invitation.ca)


def private(name: str) -> PrivateKey:
    """A key that is always the same for the same name."""
    return PrivateKey(hashlib.sha256(name.encode()).digest())


def proved(key: PrivateKey, account: str, nonce: bytes, network: str = "net", chain_id: str = CHAIN) -> pb.Key:
    """A public key with its proof of possession."""
    proof = str(key.sign(Challenge(network, chain_id, nonce).digest(account)))
    return pb.Key(account=account, public_key=str(key.public), proof=proof)


def registration(name: str, nonce: bytes, endpoint: str = "8.8.8.8:9876", chain_id: str = CHAIN) -> pb.Registration:
    """What an honest party of that name says."""
    account = account_of(name)
    return pb.Registration(
        account=account,
        p2p_endpoint=endpoint,
        account_key=proved(private(f"account {name}"), account, nonce, chain_id=chain_id),
        signing_key=proved(private(f"signing {name}"), account, nonce, chain_id=chain_id),
        nodeos_version="v5.0.3",
    )


Say = Callable[[bytes], list[pb.FromAgent]]
"""What a party says after its Welcome, for the nonce in it."""


@dataclass
class FakeParty(FakeWork):
    """A party's agent: says what it is to say, and remembers the answers."""

    say: Say = lambda nonce: []
    admissions: list[pb.Admission] = field(default_factory=list)

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """Remembers it, and says its lines."""
        super().welcome(welcome, send)
        for message in self.say(welcome.nonce):
            send(message)

    def admitted(self, admission: pb.Admission) -> None:
        """Remembers it."""
        self.admissions.append(admission)

    async def answered(self, count: int = 1) -> pb.Admission:
        """The latest admission, once there are this many."""

        async def there() -> bool:
            return len(self.admissions) >= count

        await poll(there, what="an admission", deadline=30, every=0.01)
        return self.admissions[-1]


def party(name: str, endpoint: str = "8.8.8.8:9876") -> FakeParty:
    """An honest one."""
    return FakeParty(say=lambda nonce: [pb.FromAgent(registration=registration(name, nonce, endpoint))])


def dial(world: World, shown: Credentials, work: FakeWork) -> asyncio.Task[None]:
    """Runs its session; cancel the task to drop the connection."""
    return asyncio.create_task(Session(f"localhost:{world.hub.port}", shown, work).run(lambda _: None))


async def admission(world: World, name: str, say: Say) -> pb.Admission:
    """What the coordinator answers a new party that says this."""
    work = FakeParty(say=say)
    session = dial(world, await join(world.invited(name), world.folder / f"{name}.key"), work)
    try:
        return await work.answered()
    finally:
        session.cancel()


def with_rules(world: World, **changes: object) -> None:
    """Other rules from now on."""
    world.setting.rules = replace(world.setting.rules, **changes)  # type: ignore[arg-type]


async def joined(world: World, name: str, endpoint: str = "8.8.8.8:9876") -> tuple[FakeParty, asyncio.Task[None]]:
    """A party that has joined, registered and been answered, and its session."""
    work = party(name, endpoint)
    session = dial(world, await join(world.invited(name), world.folder / f"{name}.key"), work)
    await work.answered()
    return work, session
