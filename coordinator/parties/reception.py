"""Answers parties: redeems invitations, checks registrations, and tells each party whether it is accepted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import grpc

from coordinator.agents.connection import Connection
from coordinator.agents.records import Records
from coordinator.agents.throttle import Throttle
from coordinator.parties.admission import Brought, Rules, Unacceptable, check, endpoints_of, read
from coordinator.parties.joining import Joining
from coordinator.parties.lookup import Lookups
from coordinator.parties.store import Party, PartyStore, Standing
from protos import coordination_pb2 as pb
from support.identity import Identity
from support.possession import Challenge
from support.resolving import Resolve, resolve
from support.texts import plain

log = logging.getLogger(__name__)

TIMES, SECONDS = 20, 60.0
"""At most TIMES registrations of one party are checked per SECONDS; a party that sends more is disconnected."""


class Reception:
    """The hub's PartyHandler."""

    def __init__(self, records: Records, rules: Callable[[], Rules], resolver: Resolve = resolve) -> None:
        """rules: returns the current rules; the seal changes them."""
        self.store = PartyStore(records.journal)
        self._journal = records.journal
        self._adopting = records.adopting
        self._joining = Joining(records, self.store)
        self._rules = rules
        self._lookups = Lookups(resolver)
        self._throttle = Throttle(TIMES, SECONDS)
        self._judging: set[asyncio.Task[None]] = set()
        self._connections: dict[str, Connection] = {}
        self._troubles: dict[str, tuple[Connection, str]] = {}
        """The last trouble that each party was told, and over which connection."""

    @property
    def chain_id(self) -> str:
        """As the hub's PartyHandler."""
        return self._rules().chain_id

    def redeem(self, identity: Identity, fingerprint: str, request: pb.JoinRequest) -> bytes:
        """As the hub's PartyHandler."""
        return self._joining.redeem(identity, fingerprint, request.csr, request.account)

    def registered(self, connection: Connection, registration: pb.Registration) -> str:
        """See the hub's PartyHandler. The answer follows once the endpoint's host is resolved."""
        if not self._throttle.allows(connection.identity.name, time.monotonic()):
            return f"more than {TIMES} registrations in {SECONDS:g} s"
        self._connections[connection.identity.name] = connection
        task = asyncio.create_task(self._judge(connection, registration))
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)
        return ""

    def left(self, connection: Connection, leave: pb.Leave) -> None:
        """As the hub's PartyHandler."""
        name = connection.identity.name
        said = plain(leave.reason, 200)
        self._connections.pop(name, None)  # a check that is still running is void
        self.store.stands(name, Standing.LEFT, said or "its operator ended it")
        log.info("party %s leaves: %s", name, said)

    def tell_trouble(self, name: str, why: str) -> None:
        """Tells an accepted party what holds it up: once per connection, and again when that changes."""
        connection = self._connections.get(name)
        if connection and self._troubles.get(name) != (connection, why):
            self._troubles[name] = connection, why
            admission = pb.Admission(accepted=True, manifest=self._rules().manifest, reason=why)
            connection.send(pb.FromCoordinator(admission=admission))

    async def _judge(self, connection: Connection, registration: pb.Registration) -> None:
        name = connection.identity.name
        try:
            brought = read(registration, Challenge(self._rules().network, connection.chain_id, connection.nonce))
            addresses = await self._lookups.addresses(name, brought.endpoint.rpartition(":")[0])
            if self._connections.get(name) is not connection:
                return  # it has left or reconnected meanwhile
            party = self._accept(name, brought, addresses)
        except Unacceptable as error:
            self._refuse(connection, str(error))
        except Exception:
            log.exception("party %s: its registration could not be checked", name)
            connection.close(grpc.StatusCode.INTERNAL, "the coordinator could not check the registration")
        else:
            log.info("party %s is accepted: account %s at %s", name, party.account, brought.endpoint)
            self._answer(connection, brought.pinned)

    def _accept(self, name: str, brought: Brought, addresses: tuple[str, ...]) -> Party:
        """Checks and records in one transaction: another process may be accepting other parties."""
        with self._journal.transaction():
            party = self.store.find(name)
            if party is None and self._adopting:  # this CA signed its certificate; its record was lost
                self.store.joined(name, brought.account)
                party = self.store.find(name)
            if party is None or party.state is Standing.REVOKED:
                raise Unacceptable(f"{name} is not a party of this network: ask the operator for an invitation")
            keys = (brought.account_key, brought.signing_key)
            rivals = self.store.rivals(name, brought.account, endpoints_of(brought, addresses), keys)
            check(brought, addresses, party, rivals, self._rules())
            self.store.accepted(
                name, brought.account_key, brought.signing_key, brought.endpoint, brought.nodeos, brought.pinned
            )
        return party

    def _answer(self, connection: Connection, pinned: str) -> None:
        manifest = self._rules().manifest
        if pinned and manifest and pinned != manifest:
            self._refuse(connection, f"you pinned manifest {pinned[:16]}…, and this network's is {manifest[:16]}…")
            return
        connection.send(pb.FromCoordinator(admission=pb.Admission(accepted=True, manifest=manifest)))

    def _refuse(self, connection: Connection, reason: str) -> None:
        party = self.store.find(connection.identity.name)
        if party and not party.accepted and not party.state.gone:
            self.store.stands(party.name, Standing.REFUSED, reason)
        known = party is not None and (party.state, party.why) == (Standing.REFUSED, reason)
        level = logging.INFO if known else logging.WARNING  # agents retry every few seconds
        log.log(level, "party %s is not accepted: %s", connection.identity.name, reason)
        connection.send(pb.FromCoordinator(admission=pb.Admission(accepted=False, reason=reason)))
