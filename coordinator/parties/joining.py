"""Redeems an invitation: signs a certificate for the party's own key, once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from coordinator.agents.records import Records
from coordinator.agents.register import RegisterError
from coordinator.agents.server import CSR_LIMIT, JoinRefused
from coordinator.agents.throttle import Throttle
from coordinator.parties.invite_store import InviteRefused, Invites
from coordinator.parties.store import PartyStore
from support.identity import Identity, Kind, TlsError
from support.tls import fingerprint, load_certificate, load_csr, public_bytes

PARTIES = 1000
"""Maximum number of parties enrolled at the same time."""
TRIES, TRY_SECONDS = 10, 10.0
"""At most TRIES redemptions of one invitation are handled per TRY_SECONDS."""


class Joining:
    """Checks, signs and records, all or nothing."""

    def __init__(self, records: Records, store: PartyStore, clock: Callable[[], float] = time.time) -> None:
        """clock: unix seconds."""
        self._journal = records.journal
        self._authority = records.authority
        self._register = records.register
        self._invites = Invites(records.journal)
        self._store = store
        self._clock = clock
        self._throttle = Throttle(TRIES, TRY_SECONDS)

    def redeem(self, identity: Identity, print_: str, csr: bytes, account: str = "") -> bytes:
        """The party's certificate (PEM). identity and print_ are the invitation's; account: the one that the party
        asks for, if any. Raises JoinRefused.
        """
        if not self._throttle.allows(print_, time.monotonic()):
            raise JoinRefused("this invitation is being tried too often: wait a few seconds", later=True)
        if len(csr) > CSR_LIMIT:
            raise JoinRefused(f"the certificate signing request is larger than {CSR_LIMIT} bytes")
        party = Identity(identity.network, Kind.PARTY, identity.name)
        try:
            key = hashlib.sha256(public_bytes(load_csr(csr))).hexdigest()
            certificate = self._authority.sign(csr, party)
            with self._journal.transaction():
                invite = self._invites.redeem(print_, key, self._clock())
                if account and account != invite.account:
                    raise InviteRefused(f"{invite.name} was invited for account {invite.account}, not {account[:20]}")
                if invite.used_at is None and self._store.count() >= PARTIES:
                    raise InviteRefused(f"this network has {PARTIES} parties already")
                self._register.take(party, fingerprint(load_certificate(certificate)))
                self._store.joined(invite.name, invite.account)
        except (TlsError, RegisterError, InviteRefused) as error:
            raise JoinRefused(str(error)) from error
        return certificate
