"""Agents renew their certificates over their own connection, so a network outlives them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.config import AgentConfig, DataFolder
from agent.daemon import host_agent
from agent.dialling import read_credentials
from agent.errors import Refused, SessionEnded
from agent.identity import admit, request
from agent.renewal import Renewal
from agent.session import Credentials, Session
from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.hub import RENEWALS, Hub
from support.identity import Identity, Kind, TlsError, Validity
from support.journal import Journal
from support.retry import poll
from support.tls import check_issued, fingerprint, load_certificate
from tests.unit.coordinator.fakes import FakeWork, dial, open_hub

YEAR = timedelta(days=365)
NOW = datetime.now(UTC)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """An acting hub on a free port."""
    async with open_hub(tmp_path / "state") as hub:
        yield hub


def _enrolled(hub: Hub, folder: Path, age: timedelta, kind: Kind = Kind.PARTY) -> Renewal:
    """An agent that was enrolled so long ago."""
    config = AgentConfig("net", "alice", f"localhost:{hub.port}", local=True, kind=kind)
    data = DataFolder(folder / "alice")
    data.make()
    csr = request(data, config)
    old = CertificateAuthority(hub.authority.folder, "net", clock=lambda: NOW - age)
    certificate = old.sign(csr, Identity("net", kind, "alice"))
    hub.register.enrol(Identity("net", kind, "alice"), fingerprint(load_certificate(certificate)))
    admit(data, certificate + hub.authority.pem)
    return Renewal(data, config)


def _held(renewal: Renewal) -> x509.Certificate:
    return load_certificate(renewal.folder.certificate.read_bytes())


def _shown(renewal: Renewal) -> Credentials:
    return read_credentials(renewal.folder, renewal.config)


def test_it_is_due_when_half_of_its_time_is_over(tmp_path: Path) -> None:
    """Not earlier; so a coordinator may be away for five months."""
    authority = CertificateAuthority(tmp_path / "ca", "net", clock=lambda: NOW)
    data = DataFolder(tmp_path / "alice")
    csr = request(data, AgentConfig("net", "alice", "localhost:1"))
    certificate = load_certificate(authority.sign(csr, Identity("net", Kind.HOST, "alice")))
    assert certificate.not_valid_after_utc - NOW >= YEAR - timedelta(seconds=1)
    validity = Validity.of(certificate.public_bytes(Encoding.PEM))
    assert not validity.due(NOW + timedelta(days=180))
    assert validity.due(NOW + timedelta(days=184))
    assert validity.due(NOW + 2 * YEAR)


def test_ca_and_coordinator_do_not_end(tmp_path: Path) -> None:
    """Agents pin the CA, and require the coordinator's certificate; one of a year, from an earlier version, is
    replaced.
    """
    authority = CertificateAuthority(tmp_path / "ca", "net")
    assert authority.certificate.not_valid_after_utc.year == 9999
    server = load_certificate(authority.server(("h",))[1])
    assert server.not_valid_after_utc == authority.certificate.not_valid_after_utc
    check_issued(server, authority.certificate)
    assert load_certificate(authority.server(("h",))[1]) == server
    yearly = authority._issue(
        server.public_key(),  # type: ignore[arg-type] # an EC key, as all of ours
        Identity("net", Kind.COORDINATOR),
        list(server.extensions[1].value),
        server.extensions[2].value._usages[0],
        NOW + YEAR,
    )
    (tmp_path / "ca" / "server.pem").write_bytes(yearly)
    assert load_certificate(authority.server(("h",))[1]).not_valid_after_utc.year == 9999


@pytest.mark.parametrize("kind", [Kind.HOST, Kind.PARTY])
async def test_a_running_agent_renews_by_itself(
    hub: Hub, tmp_path: Path, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    """It renews while its session continues; its next dial uses the new certificate, and the older one is void."""
    renewal = _enrolled(hub, tmp_path, timedelta(days=200), kind)
    old, shown = _held(renewal), _shown(renewal)
    journal = Journal(renewal.folder.journal)
    agent = host_agent(renewal.folder, renewal.config, journal)
    with caplog.at_level(logging.INFO):
        running = asyncio.create_task(agent.run(shown))
        link = await hub.agent("alice", 30)
        first = link._connection

        async def renewed() -> bool:
            return "certificate is renewed" in caplog.text

        await poll(renewed, what="the new certificate", deadline=30, every=0.02)
    assert not renewal.due
    assert identity(renewal) == Identity("net", kind, "alice")
    assert link._connection is first
    assert hub.refusal(identity(renewal), fingerprint(old)) is None  # until the new one was shown
    assert first
    first.close(grpc.StatusCode.UNAVAILABLE, "a moment")

    async def back() -> bool:
        return link._connection not in (first, None)

    await poll(back, what="the agent to come back", deadline=30, every=0.02)
    assert link._connection
    assert link._connection.fingerprint == fingerprint(_held(renewal))
    assert "another certificate" in str(hub.refusal(identity(renewal), fingerprint(old)))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await agent.close()
    journal.close()


def identity(renewal: Renewal) -> Identity:
    """Whose it is."""
    return Identity("net", renewal.config.kind, renewal.config.name)


async def test_a_lost_answer_locks_nobody_out(hub: Hub, tmp_path: Path) -> None:
    """If the new certificate never arrives, the agent keeps the old one and asks again, and the later one counts."""
    renewal = _enrolled(hub, tmp_path, timedelta(days=300))
    lost = hub.renew(identity(renewal), renewal.request())
    running = dial(hub, _shown(renewal), FakeWork())
    await hub.agent("alice", 30)
    running.cancel()
    renewal.keep(hub.renew(identity(renewal), renewal.request()))
    running = dial(hub, _shown(renewal), FakeWork())
    await hub.agent("alice", 30)
    assert hub.refusal(identity(renewal), fingerprint(load_certificate(lost)))
    running.cancel()


async def test_only_who_is_enrolled_is_renewed(hub: Hub, tmp_path: Path) -> None:
    """A revoked agent gets no new certificate, and one that was issued before the revocation is void."""
    renewal = _enrolled(hub, tmp_path, timedelta(days=300))
    talk = Session(f"localhost:{hub.port}", _shown(renewal), FakeWork())
    running = asyncio.create_task(talk.run(lambda _: None))
    await hub.agent("alice", 30)
    fresh = await talk.renew(renewal.request())
    hub.register.revoke("alice")
    with pytest.raises(SessionEnded):
        await talk.renew(renewal.request())
    with pytest.raises(SessionEnded):
        await running
    renewal.keep(fresh)
    (ended,) = await asyncio.gather(dial(hub, _shown(renewal), FakeWork()), return_exceptions=True)
    assert isinstance(ended, Refused)
    assert "revoked" in str(ended)


async def test_a_flood_of_renewals_and_nonsense(hub: Hub, tmp_path: Path) -> None:
    """They are refused with a reason, while the session continues."""
    renewal = _enrolled(hub, tmp_path, timedelta(days=300))
    talk = Session(f"localhost:{hub.port}", _shown(renewal), FakeWork())
    running = asyncio.create_task(talk.run(lambda _: None))
    await hub.agent("alice", 30)
    for wrong in (b"", bytes(9000)):
        with pytest.raises(SessionEnded, match="certificate signing request"):
            await talk.renew(wrong)
    for _ in range(RENEWALS - 2):
        await talk.renew(renewal.request())
    with pytest.raises(SessionEnded, match="certificates in"):
        await talk.renew(renewal.request())
    assert not running.done()
    running.cancel()


async def test_what_does_not_follow_is_not_kept(hub: Hub, tmp_path: Path) -> None:
    """An answer with another's certificate, another CA's, or an older one changes nothing."""
    renewal = _enrolled(hub, tmp_path, timedelta(days=10))
    held, csr = _held(renewal), renewal.request()
    past = CertificateAuthority(hub.authority.folder, "net", clock=lambda: NOW - timedelta(days=100))
    for wrong in (
        hub.authority.sign(csr, Identity("net", Kind.PARTY, "bob")),
        hub.authority.sign(csr, Identity("net", Kind.HOST, "alice")),
        CertificateAuthority(tmp_path / "rogue", "net").sign(csr, identity(renewal)),
        past.sign(csr, identity(renewal)),
        b"nonsense",
    ):
        with pytest.raises(TlsError):
            renewal.keep(wrong)
    assert _held(renewal) == held
    assert (renewal.folder.path / "identity" / "ca.pem").read_bytes() == hub.authority.pem
