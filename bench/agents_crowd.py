"""The agents of the benchmark of many agents: real sessions, which finish every task immediately."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe

import grpc
from cryptography.hazmat.primitives.asymmetric import ec

from agent.dialling import LONGEST_PAUSE
from agent.errors import SessionEnded
from agent.party.joining import JOIN_SECONDS
from agent.session import OPTIONS, Credentials, Session
from bench.agents_hub import Enrolled, serve
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from support.invitation import Invitation, parse
from support.retry import retrying
from support.tls import key_pem, make_csr
from tests.unit.coordinator.fakes import FakeWork
from tests.unit.coordinator.parties.crowd import Crowd

PATIENCE = 200.0
"""Seconds within which an invitation must be redeemed; each try may take as long as a real agent's."""


async def _dialling(coordinator: str, shown: Credentials, work: FakeWork) -> None:
    """A session that redials for ever, as agents do."""
    while True:
        with contextlib.suppress(SessionEnded):
            await Session(coordinator, shown, work).run(lambda _: None)
        await asyncio.sleep(random.uniform(0.1, LONGEST_PAUSE))  # noqa: S311 (no secret)


class _Dialler:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    async def keys(self, names: Sequence[str]) -> dict[str, bytes]:
        """A key for each, and its signing request."""
        self._keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in names}
        return {name: make_csr(key, name) for name, key in self._keys.items()}

    async def dial(self, enrolled: Enrolled) -> None:
        """Opens a session for each agent, all at the same time."""
        for name, certificate in enrolled.certificates.items():
            shown = Credentials(key_pem(self._keys[name]), certificate, enrolled.ca)
            self.start(f"localhost:{enrolled.port}", shown, FakeWork())

    def start(self, coordinator: str, shown: Credentials, work: FakeWork) -> None:
        """Opens one session and keeps it open."""
        self._running.add(asyncio.create_task(_dialling(coordinator, shown, work)))


async def run_hosts(pipe: Pipe) -> None:
    """Hosts' agents."""
    dialler = _Dialler()
    await serve(pipe, {"keys": dialler.keys, "dial": dialler.dial})


class _Parties:
    """The operator's agent and the parties' agents. They share one simulated chain."""

    def __init__(self) -> None:
        self._dialler = _Dialler()
        self._crowd: Crowd | None = None
        self._count = 0

    async def operator(self, given: tuple[Sealed, Enrolled, bytes]) -> None:
        """The sealed network, and what the operator's agent reports."""
        sealed, enrolled, key = given
        self._crowd = Crowd(sealed)
        shown = Credentials(key, enrolled.certificates["local"], enrolled.ca)
        self._dialler.start(f"localhost:{enrolled.port}", shown, self._crowd.operator())

    async def join(self, tokens: Sequence[str]) -> None:
        """Redeems all of these invitations at once, and registers with each."""
        await asyncio.gather(*(self._join(parse(token)) for token in tokens))

    async def _join(self, invitation: Invitation) -> None:
        assert self._crowd  # noqa: S101 (the operator comes first)
        self._count += 1
        endpoint = f"8.{self._count // 250}.{self._count % 250}.8:9876"
        key = ec.generate_private_key(ec.SECP256R1())
        trust = grpc.ssl_channel_credentials(invitation.ca, invitation.key, invitation.certificate)
        request = pb.JoinRequest(csr=make_csr(key, invitation.name))
        coordinator = invitation.coordinators[0]

        async def redeemed() -> pb.JoinReply:
            async with grpc.aio.secure_channel(coordinator, trust, options=OPTIONS) as channel:
                return await rpc.CoordinationStub(channel).Join(request, timeout=JOIN_SECONDS)

        reply = await retrying(redeemed, on=grpc.aio.AioRpcError, deadline=PATIENCE, most=LONGEST_PAUSE)
        shown = Credentials(key_pem(key), reply.certificate, invitation.ca)
        self._dialler.start(coordinator, shown, self._crowd.party(invitation.name, endpoint, {}))


async def run_crowd(pipe: Pipe) -> None:
    """The operator's agent and the parties'."""
    parties = _Parties()
    await serve(pipe, {"operator": parties.operator, "join": parties.join})
