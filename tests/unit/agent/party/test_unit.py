"""The systemd unit of a party's agent, and what it knows of the agent's exit statuses."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from agent import cli, exits
from agent.config import DataFolder
from agent.errors import AccessEnded, ConfigError
from agent.party import settings
from agent.party.joining import Joining, read_token
from agent.party.unit import unit_text
from coordinator.parties.invitations import invite
from tests.unit.agent.party.conftest import ALICE
from tests.unit.coordinator.parties.conftest import open_party_hub


@pytest.fixture
async def joined(tmp_path: Path) -> DataFolder:
    """A party's folder."""
    folder = DataFolder(tmp_path / "alice")
    async with open_party_hub(tmp_path / "state") as hub:
        endpoint = (f"127.0.0.1:{hub.port}",)
        token = invite(hub.records.journal, hub.authority, "alice", ALICE, endpoint, timedelta(hours=1))
        await Joining(read_token(token), folder).redeem("info", local=False)
    settings.write(folder.party, settings.settle({"account": ALICE, "p2p": "8.8.8.8:9876"}))
    return folder


def test_what_starting_again_does_not_mend_is_not_started_again(
    joined: DataFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A revoked access has an exit status of its own; the printed unit names it, and that of mistakes."""

    async def refused(_folder: DataFolder, _metrics: str) -> None:
        raise AccessEnded("the coordinator refuses this agent: alice was revoked")

    monkeypatch.setattr("agent.serve.serve", refused)
    monkeypatch.setattr(sys, "argv", ["agent", "serve", "--data", str(joined.path)])
    assert cli.main() == exits.ENDED
    assert capsys.readouterr().err.splitlines()[-1].endswith("alice was revoked")
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--unit"])
    assert cli.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"RestartPreventExitStatus={exits.WRONG} {exits.ENDED}" in lines
    assert f"ExecStart={sys.executable} -m agent.cli serve --data {joined.path}" in lines


@pytest.mark.parametrize("word", ["/srv/a b", "/srv/%h", "/srv/a\nUser=root", '/srv/"'])
def test_nothing_slips_into_the_unit(word: str) -> None:
    """A path that systemd would misread is refused."""
    with pytest.raises(ConfigError, match="systemd unit"):
        unit_text("net", ALICE, Path(word), Path("/cache"), "alice", "/usr/bin/python3")
