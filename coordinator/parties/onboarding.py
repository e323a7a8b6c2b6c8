"""Takes every party through its next steps, all parties concurrently, while it runs."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from antelope.errors import NodeError
from coordinator.agents.link import LinkError
from coordinator.parties import attestations, voting, vouchers
from coordinator.parties.chain_view import find_account, look
from coordinator.parties.neighbours import Linking
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.peers import PartyPeers
from coordinator.parties.progress import AccountState, Act, ChainView, Decision, Seen, decide, electable
from coordinator.parties.silent_producers import Turns
from coordinator.parties.store import Attested, Party
from coordinator.parties.track import Track, Trouble
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.json_log import about
from support.retry import DeadlineError
from support.snapshots import Snapshot
from support.tasks import end, tolerated
from support.texts import plain

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
CHAIN_SECONDS = 1.0
"""Seconds between two reads of the chain."""
GATHER_SECONDS = 3.0
"""Newcomers that become votable within this many seconds are voted for together."""
HOLD_SECONDS, FOLLOW_SECONDS, PUSH_SECONDS, AUDIT_SECONDS = 180.0, 600.0, 120.0, 900.0
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 120.0
"""Seconds until a failed act is retried, doubled each time up to the second number."""

Tell = Callable[[str], None]


class Onboarding:
    """Runs beside a boot, or by itself in `coord serve`."""

    def __init__(self, opened: OpenNetwork, tell: Tell) -> None:
        """tell: is called with one line for every change."""
        self._opened = opened
        self._network = opened.network
        self._store = opened.parties
        self._tell = tell
        self._attested: frozenset[str] = frozenset()
        """Parties that have attested, as last read: one read for all parties, since there may be many."""
        self._tracks: dict[str, Track] = {}
        self._chain = ChainView()
        self._turns = Turns()
        self._looked = 0.0
        self._whole: tuple[str, ...] = ()
        """Endpoints of nodes with all blocks. Every party needs one of them: other nodes lack old blocks."""
        self._party_peers: PartyPeers | None = None
        self._told: dict[str, str] = {}
        self._decisions: dict[str, Decision] = {}
        self._seen: dict[str, Seen] = {}
        self._electing: asyncio.Task[None] | None = None
        self._elected: tuple[str, ...] = ()
        self._ready: tuple[tuple[str, ...], float] = ((), 0.0)

    async def run(self) -> None:
        """Runs until cancelled. A failure of one party, or a fault of the coordinator, does not stop the others."""
        try:
            while True:
                await tolerated(self._look(), "parties", NodeError, LinkError, DeadlineError)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            jobs = [job for track in self._tracks.values() for job in track.jobs.values()]
            jobs += [self._electing] if self._electing else []
            await end(*jobs)
            if self._party_peers:
                await self._party_peers.close()

    async def _look(self) -> None:
        parties = self._store.parties()
        if not parties:
            return
        self._attested = self._store.attesting()
        sealed = self._opened.state.sealed if self._party_peers is None else self._sealed
        if sealed and self._party_peers is None:
            self._sealed: Sealed | None = sealed
            self._party_peers = PartyPeers(self._opened.access, self._store, sealed.chain_id)
        if time.monotonic() - self._looked >= CHAIN_SECONDS:
            chain = await look(self._opened.access, self._opened.state, sealed)
            self._looked = time.monotonic()
            silent = self._turns.silent(chain.schedule, chain.head, chain.signer, self._looked)
            self._chain = replace(chain, silent=silent, full=self._full(chain))
            self._whole = self._opened.access.with_all_blocks()
        await self._find_accounts(parties)
        with self._store.together():
            if sealed:
                self._link_newcomers(parties)
            for party in parties:
                if party.neighbours or not party.accepted or not sealed:
                    self._look_at(party, sealed)
        if self._party_peers and self._chain.follows:
            self._party_peers.spread()
        if sealed:
            self._elect(sealed)

    async def _find_accounts(self, parties: Iterable[Party]) -> None:
        """Looks up the accounts of all parties that need one, concurrently."""
        if not self._chain.follows:
            return

        async def find(party: Party, track: Track) -> None:
            track.account = await find_account(self._opened.access, party.account, str(party.account_key))

        tracks = ((party, self._tracks.setdefault(party.name, Track())) for party in parties)
        wanted = [
            (party, track)
            for party, track in tracks
            if party.found and party.account_key and track.account is not AccountState.THERE
        ]
        await asyncio.gather(*(find(party, track) for party, track in wanted))

    def _link_newcomers(self, parties: Iterable[Party]) -> None:
        """Chooses the neighbours of parties that were just accepted, for the next round."""
        newcomers = [party.name for party in parties if party.accepted and not party.neighbours]
        if newcomers:
            linking = Linking(self._network, parties)
            for name in newcomers:
                self._store.linked(name, linking.choose(name))

    def _look_at(self, party: Party, sealed: Sealed | None) -> None:
        track = self._tracks.setdefault(party.name, Track())
        if track.endpoint != party.endpoint:  # failures of the old endpoint do not delay the new one
            track.endpoint = party.endpoint
            track.trouble.pop(Act.DIAL, None)
        seen = self._see(party, track, sealed)
        decision = decide(seen, self._chain)
        self._seen[party.name], self._decisions[party.name] = seen, decision
        self._note(party, decision)
        if decision.act and sealed and not track.busy(decision.act):
            with about(party=party.name):
                job = asyncio.create_task(self._act(decision.act, party, track, sealed))
            track.jobs[decision.act is Act.ATTEST] = job

    def _see(self, party: Party, track: Track, sealed: Sealed | None) -> Seen:
        link = self._opened.hub.links.get(party.name)
        connected = link is not None and link.connected
        status = None
        if link and link.connected and link.status:
            status = next((node for node in link.status.nodes if node.name == party.account), None)
        manifest = sealed.manifest if sealed else ""
        return Seen(
            party=party,
            connected=connected,
            sealed=sealed is not None,
            holds=bool(manifest) and link is not None and link.manifest == manifest,
            peers=self._peers(party),
            told=track.told,
            node=status.state if status else "",
            detail=status.detail if status else "",
            head=status.head if status else 0,
            account=track.account,
            attested=party.name in self._attested,
            trouble=track.troubles(),
            due=track.due(time.monotonic()),
        )

    def _peers(self, party: Party) -> tuple[str, ...]:
        """Its neighbours. The prober is included only after it has dialled back: nodeos keeps one of two links.

        At least one of them has all blocks.
        """
        if self._party_peers is None:
            return ()
        prober = None if party.found else self._party_peers.prober(party)
        peers = self._party_peers.graph.peers_of_party(party, prober.name if prober else "")
        return (*peers, self._whole[0]) if self._whole and not set(self._whole) & set(peers) else peers

    def _note(self, party: Party, decision: Decision) -> None:
        if not party.accepted:  # the state is not decided here
            if party.state.gone and self._told.pop(party.name, ""):
                self._tell(f"party {party.name} ({party.account}): {party.state}: {party.why}")
            return
        if (party.state, party.why) != (decision.standing, decision.why):
            self._store.advanced(party.name, decision.standing, decision.why)
        if decision.stuck:
            self._opened.reception.tell_trouble(party.name, decision.why)
        news = re.sub(r"\d+", "", f"{decision.standing}: {decision.why}")  # a new block number alone is not news
        if news != self._told.get(party.name, ""):
            self._told[party.name] = news
            with about(party=party.name):
                self._tell(f"party {party.name} ({party.account}): {decision.standing}: {decision.why}")

    async def _act(self, act: Act, party: Party, track: Track, sealed: Sealed) -> None:
        """Performs one act for a party, and records its failure."""
        try:
            error = await self._acts[act](party, track, sealed)
        except (LinkError, NodeError, DeadlineError) as failure:
            error = str(failure)
        except Exception as failure:
            log.exception("party %s: %s", party.name, act)
            error = f"a fault of the coordinator ({type(failure).__name__}): see its log"
        if not error:
            track.trouble.pop(act, None)
            return
        before = track.trouble.get(act)
        pause = min(before.pause * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
        track.trouble[act] = Trouble(plain(error), pause, time.monotonic() + pause)
        log.info("party %s: %s: %s", party.name, act, plain(error))

    @property
    def _acts(self) -> Mapping[Act, Callable[[Party, Track, Sealed], Awaitable[str]]]:
        return {
            Act.HOLD: self._hold,
            Act.FOLLOW: self._follow,
            Act.DIAL: self._dial,
            Act.SPONSOR: self._sponsor,
            Act.ENLIST: self._enlist,
            Act.ATTEST: self._attest,
        }

    async def _hold(self, party: Party, track: Track, sealed: Sealed) -> str:
        return await self._task(party.name, pb.Hold(sha256=sealed.manifest), HOLD_SECONDS)

    async def _follow(self, party: Party, track: Track, sealed: Sealed) -> str:
        peers = self._peers(party)
        body = pb.Follow(peers=peers)
        if track.told is None and (found := self._offer()):
            body.snapshot.CopyFrom(pb.Snapshot(**found.told))
            body.vouchers.extend(vouchers.kept(self._opened.state.snapshots, found.sha256))
        error = await self._task(party.name, body, FOLLOW_SECONDS)
        track.told = track.told if error else peers
        return error

    def _offer(self) -> Snapshot | None:
        """The newest snapshot that a party has signed."""
        store = self._opened.state.snapshots
        return next((one for one in store.all() if vouchers.kept(store, one.sha256)), None)

    async def _dial(self, party: Party, track: Track, sealed: Sealed) -> str:
        return await self._party_peers.dial(party) if self._party_peers else "the network is not sealed yet"

    async def _sponsor(self, party: Party, track: Track, sealed: Sealed) -> str:
        body = pb.Sponsor(account=party.account, public_key=str(party.account_key))
        return await self._task(self._network.genesis_node.host, body, PUSH_SECONDS)

    async def _enlist(self, party: Party, track: Track, sealed: Sealed) -> str:
        return await self._task(party.name, pb.Enlist(), PUSH_SECONDS)

    async def _attest(self, party: Party, track: Track, sealed: Sealed) -> str:
        link = self._opened.hub.links[party.name]
        upgrades = sorted(self._store.upgrades())
        replaced = [pb.Replacement(account=account, wasm=wasm, abi=abi) for account, wasm, abi in upgrades]
        result = await link.task(pb.Attest(replaced=replaced), deadline=AUDIT_SECONDS)
        if not result.ok:
            return result.error
        found = result.attestation
        attested = Attested(party.name, party.account, found.document, found.signature, time.time())
        wrong = attestations.check(attested, party, sealed).wrong
        if not wrong:
            self._store.attest(attested)
        return wrong

    async def _task(self, name: str, body: pb.Hold | pb.Follow | pb.Sponsor | pb.Enlist, seconds: float) -> str:
        """The agent's error; empty if it succeeded."""
        result = await self._opened.access.link(name).task(body, deadline=seconds)
        return "" if result.ok else result.error or "its agent gave no reason"

    def _full(self, chain: ChainView) -> str:
        """Why no further party is voted for; empty if one may be."""
        if not self._network.parties.vote:
            return "parties.vote is false"
        places = voting.seats(self._network, chain)
        return "" if places.free else f"{places}, and {places.taken} are taken"

    def _elect(self, sealed: Sealed) -> None:
        """Has the operator's voters vote for parties that are ready: one vote for those ready at the same time."""
        if not self._network.parties.vote or not self._chain.settled or not sealed.votes:
            return
        ready = electable(self._decisions, self._seen)
        now = time.monotonic()
        if ready != self._ready[0]:
            self._ready = (ready, now)
        vote = voting.choose(self._network, sealed.elected, ready, self._chain)
        if not vote.new or now - self._ready[1] < GATHER_SECONDS:
            return
        if (self._electing and not self._electing.done()) or vote.producers == self._elected:
            return
        places = voting.seats(self._network, self._chain)
        self._tell(f"{', '.join(vote.new)} can be voted for: {places.taken + len(vote.new)} then; {places}")
        self._electing = asyncio.create_task(self._vote(vote.producers))

    async def _vote(self, wanted: tuple[str, ...]) -> None:
        try:
            error = await self._vote_task(wanted)
        except (LinkError, NodeError, DeadlineError) as failure:
            error = str(failure)
        if error:
            self._tell(f"the vote for parties failed: {plain(error)}")
            await asyncio.sleep(LONGEST_PAUSE)  # the agent has already retried what can be retried at once
            return
        self._elected = wanted
        self._tell(f"the network's voters vote for {', '.join(wanted)}")

    async def _vote_task(self, wanted: tuple[str, ...]) -> str:
        link = self._opened.access.link(self._network.genesis_node.host)
        result = await link.task(pb.Elect(producers=wanted), deadline=PUSH_SECONDS)
        return "" if result.ok else result.error
