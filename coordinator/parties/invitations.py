"""Makes invitations: a key and a certificate that permit only the Join call, packed into a token."""

from __future__ import annotations

import time
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from coordinator.advising import typed
from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.register import Entry, Register
from coordinator.errors import UsageProblem
from coordinator.parties.invite_store import Invites
from coordinator.parties.store import PartyStore, Standing
from inventory import syntax
from inventory.names import user_number
from inventory.network import Network, UserSource
from support.identity import Identity, Kind
from support.invitation import pack
from support.journal import Journal
from support.tls import LIFETIME, fingerprint, load_certificate, make_csr

HOURS = 24.0
"""How long an invitation is valid by default."""
MOST_HOURS = 24.0 * 365


def invite(
    journal: Journal,
    authority: CertificateAuthority,
    name: str,
    account: str,
    coordinators: tuple[str, ...],
    lasting: timedelta,
) -> str:
    """The token for a party of that name. It voids an unused older one.

    Only the certificate's hash is stored. Raises UsageProblem on a name or account that cannot be invited.
    """
    if wrong := syntax.identifier(name):
        raise UsageProblem(f"a party's name: {wrong}")
    if wrong := syntax.account(account):
        raise UsageProblem(f"a party's account: {wrong}")
    register, store, invites = Register(journal), PartyStore(journal), Invites(journal)  # these may create tables
    with journal.transaction():  # concurrent commands must not promise one account to two parties
        _check_name(register, store, name)
        _check_account(store, invites, name, account)
        key = ec.generate_private_key(ec.SECP256R1())
        identity = Identity(authority.network, Kind.INVITE, name)
        certificate = load_certificate(authority.sign(make_csr(key, name), identity, lasting))
        token = pack(authority.network, coordinators, authority.certificate, certificate, key)
        invites.add(fingerprint(certificate), name, account, certificate.not_valid_after_utc.timestamp())
    return token


def _check_name(register: Register, store: PartyStore, name: str) -> None:
    """Checks that the name is free, or that its party left or its certificate expired. Raises UsageProblem."""
    entry, known = register.find(name), store.find(name)
    left = known is not None and known.state is Standing.LEFT
    if entry and (entry.revoked or not (left or _expired(entry))):
        state = "was revoked: choose another name" if entry.revoked else f"is enrolled already, as a {entry.kind}"
        raise UsageProblem(f"{name} {state}")


def check_name(network: Network, name: str, account: str) -> None:
    """Checks that the inventory uses neither the name nor the account. Raises UsageProblem."""
    if name in {host.name for host in network.hosts} | {node.name for node in network.nodes}:
        raise UsageProblem(f"{name} is the name of a host or node of {network.source}: choose another")
    awaited = account in network.parties.wait_for
    taken = {producer.account for producer in network.producers if not producer.party}
    sponsor, users = network.parties.sponsor, network.users
    number = user_number(account) if users.source is UserSource.GENERATED else None
    drawn = number is not None and number < users.count
    if account in taken or drawn or (sponsor and account == sponsor.account):
        raise UsageProblem(f"account {account} is in {network.source}: choose another with --account")
    if not awaited and not late(account) and network.users.rows.find(account) is None:
        raise UsageProblem(
            f"account {account!r}: a party's account has 12 characters without a dot, as only those can be created "
            "late; choose one with --account, or list it in parties.wait_for before the boot"
        )


def late(account: str) -> bool:
    """Whether such an account can be created after the boot; any other is one of the boot's own."""
    return len(account) == 12 and "." not in account


def revoke(journal: Journal, name: str) -> str:
    """Revokes a party, or a host that left the inventory, for good, and voids its invitations. Returns what was done;
    empty if there is none of that name.
    """
    register, store = Register(journal), PartyStore(journal)
    entry = register.find(name)
    if entry is not None and entry.kind is not Kind.PARTY:
        return "its access is ended; its nodes keep running on that machine" if register.revoke(name) else ""
    done = ["its invitation is void"] if Invites(journal).revoke(name) else []
    if register.revoke(name):
        store.stands(name, Standing.REVOKED, "its access was ended")
        done = ["its access is ended"]
    return ", ".join(done)


def _expired(entry: Entry) -> bool:
    """Whether it is a party whose certificate expired without renewal: with an invitation it may join again."""
    ended = entry.enrolled_at + LIFETIME.total_seconds() < time.time()
    return entry.kind is Kind.PARTY and not entry.revoked and ended


def _check_account(store: PartyStore, invites: Invites, name: str, account: str) -> None:
    for party in store.parties():
        if party.name == name and party.account != account:
            raise UsageProblem(f"{name}'s account is {party.account}, not {account}")
        if party.account == account and party.name != name and party.state is not Standing.REVOKED:
            raise UsageProblem(f"account {account} belongs to party {party.name}")
    for other in invites.open(time.time()):
        if other.account == account and other.name != name:
            raise UsageProblem(f"account {account} is promised to {other.name}: {typed('revoke', other.name)} first")
