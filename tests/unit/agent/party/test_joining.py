"""A token becomes a certificate: with the coordinator whose CA it pins, for the name that it names, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.config import DataFolder
from agent.errors import ConfigError, JoinError
from agent.party.joining import Joining, read_token
from coordinator.agents.hub import Hub
from coordinator.parties.invitations import invite
from coordinator.parties.store import PartyStore
from support.identity import Identity, InvitationError, Kind
from support.tls import identity_of, load_certificate
from tests.unit.coordinator.parties.conftest import open_party_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """An acting hub that takes parties in."""
    async with open_party_hub(tmp_path / "state") as hub:
        yield hub


def _token(hub: Hub, *endpoints: str, hours: float = 1) -> str:
    places = endpoints or (f"127.0.0.1:{hub.port}",)
    return invite(hub.records.journal, hub.authority, "alice", "alice1111111", places, timedelta(hours=hours))


async def test_joining_by_a_token(hub: Hub, tmp_path: Path) -> None:
    """The folder has certificate and CA, the configuration is a party's, and no file has the token's secret."""
    invitation = read_token(_token(hub))
    folder = DataFolder(tmp_path / "alice")
    joining = Joining(invitation, folder)
    assert not joining.done
    await joining.redeem("info", local=False)
    assert joining.done
    assert identity_of(load_certificate(folder.certificate.read_bytes())) == Identity("net", Kind.PARTY, "alice")
    assert folder.read().kind is Kind.PARTY
    assert (folder.path / "identity" / "ca.pem").read_bytes() == invitation.ca
    kept = b"".join(path.read_bytes() for path in folder.path.rglob("*") if path.is_file())
    secret = b"".join(invitation.key.splitlines()[1:-1])
    assert secret not in kept.replace(b"\n", b"")
    assert invitation.certificate not in kept


async def test_the_next_coordinator_is_tried(hub: Hub, tmp_path: Path) -> None:
    """If one endpoint does not answer, the next one is tried."""
    token = _token(hub, "127.0.0.1:1", f"127.0.0.1:{hub.port}")
    folder = DataFolder(tmp_path / "alice")
    await Joining(read_token(token), folder).redeem("info", local=False)
    assert folder.read().others == (f"127.0.0.1:{hub.port}",)


async def test_nobody_else_than_the_pinned_coordinator(hub: Hub, tmp_path: Path) -> None:
    """A hub with another CA at that address gets no request, and the agent gets no certificate."""
    async with open_party_hub(tmp_path / "impostor") as impostor:
        token = _token(hub, f"127.0.0.1:{impostor.port}")
        joining = Joining(read_token(token), DataFolder(tmp_path / "alice"))
        with pytest.raises(JoinError, match="no coordinator of net answers"):
            await joining.redeem("info", local=False)
        assert PartyStore(impostor.records.journal).parties() == ()
    assert not joining.done


async def test_a_token_is_good_once(hub: Hub, tmp_path: Path) -> None:
    """Another folder, and hence another key, is refused with the coordinator's reason."""
    invitation = read_token(_token(hub))
    await Joining(invitation, DataFolder(tmp_path / "alice")).redeem("info", local=False)
    with pytest.raises(JoinError, match="refuses the invitation"):
        await Joining(invitation, DataFolder(tmp_path / "thief")).redeem("info", local=False)


async def test_another_account_does_not_use_a_token_up(hub: Hub, tmp_path: Path) -> None:
    """The error names the invited account, and the token can still be redeemed with it."""
    invitation, folder = read_token(_token(hub)), DataFolder(tmp_path / "alice")
    with pytest.raises(JoinError, match="invited for account alice1111111, not alice2222222"):
        await Joining(invitation, folder, "alice2222222").redeem("info", local=False)
    assert PartyStore(hub.records.journal).parties() == ()
    await Joining(invitation, folder, "alice1111111").redeem("info", local=False)
    assert [party.account for party in PartyStore(hub.records.journal).parties()] == ["alice1111111"]


@pytest.mark.parametrize(("kind", "name"), [(Kind.HOST, "alice"), (Kind.PARTY, "bob")])
async def test_a_certificate_of_somebody_else_is_not_kept(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind, name: str
) -> None:
    """Only the certificate that the token is for is accepted, whatever else the pinned coordinator signs."""

    async def other(self: Joining, csr: bytes) -> bytes:
        return hub.authority.sign(csr, Identity("net", kind, name))

    monkeypatch.setattr(Joining, "_certificate", other)
    folder = DataFolder(tmp_path / "alice")
    with pytest.raises(JoinError, match="sent a certificate of"):
        await Joining(read_token(_token(hub)), folder).redeem("info", local=False)
    assert not folder.certificate.exists()


async def test_an_expired_token_is_not_sent(hub: Hub, tmp_path: Path) -> None:
    """The agent reports an expired token without contacting anybody."""
    invitation = replace(read_token(_token(hub)), expires=datetime.now(UTC))
    with pytest.raises(InvitationError, match="expired"):
        await Joining(invitation, DataFolder(tmp_path / "alice")).redeem("info", local=False)
    assert not (tmp_path / "alice").exists()


async def test_a_folder_is_one_partys(hub: Hub, tmp_path: Path) -> None:
    """An invitation for another name does not take over the folder."""
    folder = DataFolder(tmp_path / "alice")
    await Joining(read_token(_token(hub)), folder).redeem("info", local=False)
    other = invite(
        hub.records.journal, hub.authority, "bob", "bob111111111", (f"127.0.0.1:{hub.port}",), timedelta(hours=1)
    )
    with pytest.raises(ConfigError, match="belongs to alice"):
        await Joining(read_token(other), folder).redeem("info", local=False)


async def test_where_a_token_may_come_from(hub: Hub, tmp_path: Path) -> None:
    """The text itself, a file, or stdin: the latter two keep it out of the process list."""
    token = _token(hub)
    (tmp_path / "token").write_text(f"{token}\n")
    assert read_token(token) == read_token(f"@{tmp_path / 'token'}") == read_token("-", f" {token}\n")
    with pytest.raises(ConfigError, match="No such file"):
        read_token(f"@{tmp_path / 'none'}")
    with pytest.raises(ConfigError, match="but it is empty"):
        read_token("-", "")
    with pytest.raises(InvitationError):
        read_token(token[:-5])
