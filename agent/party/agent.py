"""The agent of a party: registers with the coordinator, follows its own node, and answers its operator."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from agent.advising import typed_agent
from agent.background import begin, keep_running, together
from agent.config import AgentConfig, DataFolder
from agent.daemon import Agent
from agent.dialling import Dialling
from agent.duties.tools import Tools
from agent.errors import AccessEnded, AgentError, ControlError, Refused, UnknownNode
from agent.foreign import translating
from agent.nodes.outages import watch_outages
from agent.nodes.signers import watch_signers
from agent.party import settings as party_settings
from agent.party.control import Answer, Answerer, Request, Say, listening
from agent.party.duties import PartyDuties
from agent.party.keosd import watch_keosd
from agent.party.leaving import unregister
from agent.party.own_keys import keosd_key
from agent.party.progress import watch_progress
from agent.party.requests import Requests
from agent.party.rotating import Rotating
from agent.party.settings import PartySettings
from agent.session import Credentials, Send
from antelope.errors import NodeError
from antelope.keys import PublicKey
from protos import coordination_pb2 as pb
from support.files import write_atomic
from support.journal import Journal
from support.possession import Challenge
from support.retry import DeadlineError, poll
from support.tasks import end
from support.texts import plain

log = logging.getLogger(__name__)

AGAIN_SECONDS = 15.0
"""Seconds until the next attempt after a refused registration."""
FAREWELL_SECONDS = 3.0
RESUME_SECONDS = 60.0
"""How long a start of the node may still take when the coordinator refuses the agent during it."""


def party_agent(folder: DataFolder, config: AgentConfig, journal: Journal) -> PartyAgent:
    """The agent of a party's data folder. Raises ConfigError (party.toml), KeyStoreError."""
    settings = party_settings.settle(party_settings.read_file(folder.party))
    dialling = Dialling(folder, config)
    tools = Tools.of(folder, config, journal, dialling, settings.keys_elsewhere)
    tools.keys.make([settings.account], [settings.account])
    return PartyAgent(folder, dialling, tools, settings, PartyDuties(settings, folder.path, tools))


class PartyAgent(Agent):
    """Registers with each coordinator, follows its own node, and answers its operator."""

    def __init__(
        self, folder: DataFolder, dialling: Dialling, tools: Tools, settings: PartySettings, duties: PartyDuties
    ) -> None:
        super().__init__(folder, dialling, tools, duties)
        self.settings = settings
        self.party = duties
        self._keys = tools.keys
        self._network = tools.config.network
        self._send: Send | None = None
        self._welcome = pb.Welcome()
        self._version = ""
        self._left = asyncio.Event()
        self._registering: asyncio.Task[None] | None = None
        self._said = ""
        """The coordinator's last verdict, as shown to its operator."""
        self._retry: asyncio.TimerHandle | None = None
        self._unproved = ""
        """Why the last proof of possession failed; empty if it succeeded."""

    async def run(self, credentials: Credentials) -> None:
        """Runs until it leaves the network or is cancelled. Raises AccessEnded, NodeosError."""
        own = self.party.own
        self._version = (await self.nodes.capabilities(self.settings.nodeos)).version
        log.info("account %s, its key here: %s", self.settings.account, own.account_key)
        log.info("nodeos %s (%s), p2p endpoint %s", self._version, self.settings.nodeos, self.settings.p2p)
        resuming = asyncio.create_task(keep_running(self._resume))
        try:
            async with listening(self._folder.path, self._answerers()):
                await together(
                    self._dialling.run(credentials, self),
                    keep_running(lambda: watch_outages(self.nodes, self.party.producers)),
                    keep_running(lambda: watch_signers(self.nodes, self._leases)),
                    keep_running(lambda: watch_progress(own)),
                    keep_running(lambda: watch_keosd(self.settings.keys_elsewhere, self._keys.in_keosd)),
                    self._left.wait(),
                )
        except Refused as error:
            await asyncio.wait([resuming], timeout=RESUME_SECONDS)  # the party's own node keeps running
            raise AccessEnded(str(error)) from error
        finally:
            await end(resuming, *filter(None, [self._registering]))

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """Registers the party with this coordinator. The proofs are bound to this stream."""
        super().welcome(welcome, send)
        self._send, self._welcome = send, welcome
        self._register(send)

    def parted(self) -> None:
        """The connection is over."""
        super().parted()
        self._send = None

    def admitted(self, admission: pb.Admission) -> None:
        """The coordinator's answer to the registration."""
        if admission.accepted and admission.reason:
            said = f"{self.settings.account} is held up, says the coordinator: {plain(admission.reason, 500)}"
        elif admission.accepted:
            sealed = f"the network is sealed: {admission.manifest[:64]}" if admission.manifest else "not sealed yet"
            said = f"the coordinator knows {self.settings.account} now ({sealed})"
        else:
            said = f"the coordinator does not take {self.settings.account}: {plain(admission.reason, 500)}"
        if said != self._said:  # it says so again and again
            log.log(logging.INFO if admission.accepted and not admission.reason else logging.WARNING, "%s", said)
        self._said = said
        if not admission.accepted and self._send:
            self._try_again(self._send)

    def _try_again(self, send: Send) -> None:
        """Registers once more after a while; once, however often it is refused meanwhile."""
        if self._retry is None or self._retry.cancelled() or self._retry.when() <= asyncio.get_running_loop().time():
            self._retry = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._register_again, send)

    def _register(self, send: Send) -> None:
        """Starts a registration, unless the party is leaving. It is dropped if the connection ends meanwhile."""
        if self.party.leaving:
            return
        self._registering = begin(lambda: self._bring(send, self._welcome), "registering")

    def _register_again(self, send: Send) -> None:
        if self._send is send:
            self._register(send)

    async def _bring(self, send: Send, welcome: pb.Welcome) -> None:
        own = self.party.own
        try:
            with translating():
                challenge = self.party.proving.challenge(welcome)
                keys = [await self._key(key, challenge) for key in (own.account_key, await self._signer())]
        except AgentError as error:
            if str(error) != self._unproved:
                log.warning("cannot prove possession of its keys yet, will try again: %s", error)
            self._unproved = str(error)
            self._try_again(send)
            return
        registration = pb.Registration(
            account=self.settings.account,
            p2p_endpoint=self.settings.p2p,
            account_key=keys[0],
            signing_key=keys[1],
            nodeos_version=self._version,
            pinned_manifest=self.settings.manifest or self.party.manifest,
        )
        self._unproved = ""
        if self._send is send:
            send(pb.FromAgent(registration=registration))

    async def _signer(self) -> PublicKey:
        """The block-signing key that the chain knows; otherwise the current one."""
        with contextlib.suppress(UnknownNode, NodeError):
            return await self.party.own.registered_key() or self.party.own.signer_key
        return self.party.own.signer_key

    async def _key(self, key: PublicKey, challenge: Challenge) -> pb.Key:
        account = self.settings.account
        proof = await asyncio.to_thread(self._keys.prove, key, account, challenge)
        return pb.Key(account=account, public_key=str(key), proof=proof)

    async def _resume(self) -> None:
        """Starts the node again where it ran before."""
        try:
            with translating():
                await self.party.node.resume()
        except AgentError as error:
            log.warning("%s", error)

    def _answerers(self) -> Mapping[str, Answerer]:
        return {
            "leave": self._leave,
            "rotate": self._rotate,
            **Requests(self.party.own, self.party.approving).answerers,
        }

    async def _rotate(self, request: Request, say: Say) -> Answer:
        """Gives the producer another block-signing key, and tells the coordinator."""

        def changed() -> None:
            if self._send:
                self._register(self._send)

        with translating():
            given = keosd_key(request.key, self.settings.keys_elsewhere)
            key = await Rotating(self.party.own, self.nodes, say, changed).run(given)
        return Answer(key=str(key))

    async def _leave(self, request: Request, say: Say) -> Answer:
        """Unregisters the producer, tells the coordinator, stops the node, and ends the agent."""
        self.party.leaving = True
        try:
            return await self._end_membership(request, say)
        finally:
            self.party.leaving = self._left.is_set()  # if it failed, the party is still a member, and may try again

    async def _end_membership(self, request: Request, say: Say) -> Answer:
        try:
            with translating():
                await unregister(self.party.own, say)
        except AgentError as error:
            if not request.force:
                raise ControlError(
                    f"{error}; nothing was stopped; to leave without unregistering: "
                    f"{typed_agent('leave', self._folder.path, '--force')}"
                ) from error
            say(f"not unregistered: {error}")
        await self._farewell(say)
        if any(node.name == self.settings.account for node in await self.nodes.status()):
            await self.nodes.stop(self.settings.account)
            say("the node is stopped; its blocks are kept")
        write_atomic(self._folder.path / party_settings.LEFT, b"")
        say(f"{self.settings.account} has left {self._network}")
        self._left.set()
        return Answer()

    async def _farewell(self, say: Say) -> None:
        if self._send is None:
            say("no coordinator is connected, so none is told")
            return
        self._send(pb.FromAgent(leave=pb.Leave(reason="its operator ended it")))

        async def gone() -> bool:
            return self._send is None

        with contextlib.suppress(DeadlineError):  # It was sent, which is enough.
            await poll(gone, what="the coordinator to end the session", deadline=FAREWELL_SECONDS)
        say("the coordinator is told")
