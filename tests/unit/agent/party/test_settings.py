"""party.toml and --config files: what they may contain, and how they are kept."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError
from agent.party.policy import Policy
from agent.party.settings import JOINING, PartySettings, read_file, settle, write

LEAST: dict[str, Any] = {"account": "alice1111111", "p2p": "p2p.alice.example:9876"}


def test_settings_are_kept_as_they_are(tmp_path: Path) -> None:
    """Settings are read back as written, with policy and options, and nobody else can read the file."""
    said = {
        **LEAST,
        "url": "https://alice.example",
        "location": 49,
        "options": {"max-clients": 30},
        "policy": {"approve": "canary", "voteproducer": False},
    }
    settings = settle(said)
    write(tmp_path / "party.toml", settings)
    assert settle(read_file(tmp_path / "party.toml")) == settings
    assert settings.policy == Policy(approve="canary", voteproducer=False)
    assert settings.options == {"max-clients": "30"}
    assert (tmp_path / "party.toml").stat().st_mode & 0o777 == 0o600


def test_where_the_node_listens() -> None:
    """On every address at the advertised port; on loopback only, if the whole network is; or where the setting says."""
    assert settle(LEAST).listen == "0.0.0.0:9876"
    assert settle(LEAST | {"p2p": "127.0.0.1:9876", "peers": "loopback"}).listen == "127.0.0.1:9876"
    assert settle(LEAST | {"p2p_listen": "10.0.0.5:7000"}).listen == "10.0.0.5:7000"
    assert not settle(LEAST).loopback


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"account": "Alice"}, "Alice"),
        ({"account": ""}, "--account NAME is missing"),
        ({"account": "eosio.bad"}, "system"),
        ({"account": "eosio"}, "system"),
        ({"p2p": "host"}, "not HOST:PORT"),
        ({"p2p": "host:0"}, "port is missing"),
        ({"p2p": "host:9876\nplugin = x"}, "not HOST:PORT"),
        ({"http_port": 70000}, "http_port"),
        ({"http_port": "8888"}, "http_port|8888"),
        ({"nodeos": "nodeos"}, "absolute path"),
        ({"manifest": "abc"}, "manifest"),
        ({"url": "https://x.example\nfoo"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"location": 65536}, "location"),
        ({"options": {"plugin": "eosio::x"}}, "options.plugin"),
        ({"options": {"max-clients": "1\nplugin = x"}}, "options.max-clients"),
        ({"options": {"agent-name": "BP #1"}}, "options.agent-name"),
        ({"options": {"chain-state-db-size-mb": "64"}}, "options.chain-state-db-size-mb: 64 is too small"),
        ({"policy": {"aprove": "ask"}}, "aprove"),
        ({"policy": {"approve": "all"}}, "policy.approve"),
        ({"policy": {"regproducer": "no"}}, "no"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], words: str) -> None:
    """Everything that reaches config.ini or a transaction is checked first."""
    with pytest.raises(ConfigError, match=words):
        settle(LEAST | change)


def test_unknown_names_in_a_file_are_mistakes(tmp_path: Path) -> None:
    """A --config file may name token and key files; party.toml may not."""
    path = tmp_path / "a.toml"
    path.write_text('join = "@token"\naccount = "alice"\n')
    assert read_file(path, JOINING) == {"join": "@token", "account": "alice"}
    with pytest.raises(ConfigError, match="'join' is not a setting"):
        read_file(path)
    path.write_text("account = ")
    with pytest.raises(ConfigError, match=r"a\.toml"):
        read_file(path)


def test_every_setting_is_written() -> None:
    """party.toml shows its operator every setting."""
    written = tomllib.loads(PartySettings("alice", "h:1").toml())
    assert {"account", "p2p_listen", "manifest", "policy", "options", "log_level"} <= written.keys()
    assert set(written["policy"]) == {
        "regproducer",
        "unregprod",
        "voteproducer",
        "claimrewards",
        "approve",
        "unapprove",
    }
