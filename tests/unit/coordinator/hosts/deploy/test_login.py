"""What ssh_config and key files do to a login; nothing is connected to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.errors import OperationFailed
from coordinator.hosts.address import advertised
from coordinator.hosts.deploy.errors import LoginRefused
from coordinator.hosts.deploy.login import VerifiedLogin, first_hop
from inventory.load import load
from inventory.network import Ssh

CONFIG = """\
Host alias
  HostName 127.0.0.7
  Port 2222
Host behind
  ProxyJump operator@127.0.0.8:2200
Host command
  ProxyCommand nc %h %p
"""
INVENTORY = """\
[network]
name = "two"
[producers]
count = 2
[[hosts]]
name = "first"
address = "10.0.0.1"
ssh.address = "{}"
[[hosts]]
name = "second"
address = "127.0.0.1"
"""


@pytest.fixture
def ssh_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's own, with these entries."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".ssh/config"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ("127.0.0.1", ("127.0.0.1", 22)),
        ("alias", ("127.0.0.7", 2222)),
        ("behind", ("127.0.0.8", 2200)),
        ("command", ("command", 22)),
    ],
)
def test_the_first_hop_is_ssh_configs(address: str, first: tuple[str, int], ssh_config: Path) -> None:
    """HostName and Port of an alias, and the jump host's, which alone is dialled."""
    assert first_hop(Ssh(address)) == first


def test_the_coordinators_address_is_found_by_an_alias(ssh_config: Path, tmp_path: Path) -> None:
    """No name service knows it."""
    (tmp_path / "inventory.toml").write_text(INVENTORY.format("alias"))
    assert advertised(load(tmp_path / "inventory.toml")).startswith("127.")


def test_one_unknown_name_does_not_hide_the_coordinators_address(ssh_config: Path, tmp_path: Path) -> None:
    """The next host tells it as well; where none does, the first one is named."""
    path = tmp_path / "inventory.toml"
    path.write_text(INVENTORY.format("nowhere.invalid"))
    assert advertised(load(path)) == "127.0.0.1"
    path.write_text(INVENTORY.format("nowhere.invalid").replace('"127.0.0.1"', '"elsewhere.invalid"'))
    with pytest.raises(OperationFailed, match=r"^first: no route to nowhere\.invalid"):
        advertised(load(path))


def test_keys_of_ssh_config_that_are_not_here_are_passed_over(ssh_config: Path, tmp_path: Path) -> None:
    """As by OpenSSH: the key may be in ssh-agent."""
    (tmp_path / "here").touch()
    ssh_config.write_text(f"IdentityFile {tmp_path}/away\nIdentityFile {tmp_path}/here\n")
    assert VerifiedLogin(Ssh("host")).connect_kwargs["key_filename"] == [f"{tmp_path}/here"]


def test_a_key_of_the_inventory_must_be_one(ssh_config: Path, tmp_path: Path) -> None:
    """A missing file, and a public key in its place, are named with the server whose key it should be."""
    ssh = Ssh("host", key=tmp_path / "id.pub", jump=Ssh("gate", key=tmp_path / "gone"))
    (tmp_path / "id.pub").write_text("ssh-ed25519 AAAA\n")
    login = VerifiedLogin(ssh)
    with pytest.raises(LoginRefused, match=r"id\.pub holds no private key .* of host "):
        login.check_key()
    with pytest.raises(LoginRefused, match=r"there is no private key .*gone: .* of gate "):
        login.gateway.check_key()
    VerifiedLogin(replace(ssh, key=None)).check_key()


def test_an_ssh_config_without_sense_is_named(ssh_config: Path) -> None:
    """In one line, instead of a number that could not be read."""
    ssh_config.write_text("Host *\n  Port ssh\n")
    with pytest.raises(LoginRefused, match=r"ssh_config makes no sense for host: .*'ssh'"):
        VerifiedLogin(Ssh("host"))
