"""How ssh_config and key files affect a login, without connecting."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.errors import OperationFailed
from coordinator.hosts.address import advertised
from coordinator.hosts.deploy.errors import LoginRefused
from coordinator.hosts.deploy.login import VerifiedLogin, first_hop
from coordinator.hosts.deploy.sshconfig import read
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
    """HostName and Port of an alias, and of the jump host, which is the only one dialled."""
    assert first_hop(Ssh(address)) == first


def test_the_coordinators_address_is_found_by_an_alias(ssh_config: Path, tmp_path: Path) -> None:
    """The alias is in no DNS."""
    (tmp_path / "inventory.toml").write_text(INVENTORY.format("alias"))
    assert advertised(load(tmp_path / "inventory.toml")).startswith("127.")


def test_one_unknown_name_does_not_hide_the_coordinators_address(ssh_config: Path, tmp_path: Path) -> None:
    """The next host shows it as well; if none does, the first unknown name is reported."""
    path = tmp_path / "inventory.toml"
    path.write_text(INVENTORY.format("nowhere.invalid"))
    assert advertised(load(path)) == "127.0.0.1"
    path.write_text(INVENTORY.format("nowhere.invalid").replace('"127.0.0.1"', '"elsewhere.invalid"'))
    with pytest.raises(OperationFailed, match=r"^first: no route to nowhere\.invalid"):
        advertised(load(path))


def test_keys_of_ssh_config_that_are_not_here_are_passed_over(ssh_config: Path, tmp_path: Path) -> None:
    """As OpenSSH does: the key may be in ssh-agent."""
    (tmp_path / "here").touch()
    ssh_config.write_text(f"IdentityFile {tmp_path}/away\nIdentityFile {tmp_path}/here\n")
    assert VerifiedLogin(Ssh("host")).connect_kwargs["key_filename"] == [f"{tmp_path}/here"]


def test_a_key_of_the_inventory_must_be_one(ssh_config: Path, tmp_path: Path) -> None:
    """A missing file, or a public key in its place, is reported with the server that it is for."""
    ssh = Ssh("host", key=tmp_path / "id.pub", jump=Ssh("gate", key=tmp_path / "gone"))
    (tmp_path / "id.pub").write_text("ssh-ed25519 AAAA\n")
    login = VerifiedLogin(ssh)
    with pytest.raises(LoginRefused, match=r"id\.pub holds no private key .* of host "):
        login.check_key()
    with pytest.raises(LoginRefused, match=r"there is no private key .*gone: .* of gate "):
        login.gateway.check_key()
    VerifiedLogin(replace(ssh, key=None)).check_key()


def test_an_ssh_config_without_sense_is_named(ssh_config: Path) -> None:
    """In ssh's own words, with the line."""
    ssh_config.write_text("Host *\n  Port nonsense\n")
    with pytest.raises(LoginRefused, match=r"ssh itself refuses host: .*config:? line 2: Bad port"):
        VerifiedLogin(Ssh("host"))


@pytest.mark.parametrize("address", ["plain", "alias", "behind", "chained", "by-match", "web_1", "::1", "final"])
def test_ssh_config_is_read_as_ssh_reads_it(address: str, ssh_config: Path) -> None:
    """Every keyword that counts, also under `Match final`, `Match host=` and `Match exec`, as `ssh -G` has it."""
    ssh_config.write_text(KEYWORDS)
    said = read(address)
    lines = subprocess.run(["ssh", "-G", "-F", ssh_config, address], capture_output=True, text=True, check=True).stdout
    ssh = dict(line.split(" ", 1) for line in lines.splitlines() if " " in line)
    assert (said.host, said.user, str(said.port)) == (ssh["hostname"], ssh["user"], ssh["port"])
    assert said.jumps == ssh.get("proxyjump", "")
    assert said.known_as == ssh.get("hostkeyalias", "")
    assert said.identities_only == (ssh["identitiesonly"] == "yes")
    assert " ".join(map(str, said.global_known_hosts)) == ssh["globalknownhostsfile"]


KEYWORDS = """\
Match host=by-match exec "true"
  ProxyJump one,two
  Port 2200
Host alias
  HostName 10.0.0.7
  User somebody
  HostKeyAlias the-alias
Host behind
  ProxyJump jump@[fe80::1]:2222
Host chained
  ProxyCommand nc -x %h:%p %r %n
Host web_1
  IdentitiesOnly yes
Match final all
  GlobalKnownHostsFile /dev/null
"""


def test_percents_and_tildes_are_filled_in(ssh_config: Path, tmp_path: Path) -> None:
    """As ssh_config(5) says, for files and commands; the first of the known_hosts files is the one to write to."""
    ssh_config.write_text(
        "Host name\n  HostName real\n  Port 2200\n  User me\n  IdentityFile ~/.ssh/%r@%h\n"
        "  UserKnownHostsFile ~/.ssh/known/%h /etc/some\\ where\n  ProxyCommand relay %h %p %r %n 100%%\n"
    )
    said = read("name")
    assert said.identities == (tmp_path / ".ssh/me@real",)
    assert said.command == "relay real 2200 me name 100%"
    assert [path.name for path in said.user_known_hosts][:1] == ["real"]


def test_what_cannot_be_followed_is_refused(ssh_config: Path) -> None:
    """Otherwise the connection would hang."""
    ssh_config.write_text("ProxyCommand nc -F %h %p\nProxyUseFdpass yes\n")
    with pytest.raises(LoginRefused, match="ProxyUseFdpass cannot be followed here"):
        VerifiedLogin(Ssh("host"))


def test_match_final_all_is_not_fatal_and_changes_no_jump_host(ssh_config: Path) -> None:
    """paramiko's own reader ends at `Match final`, and takes the wrong branch of others."""
    ssh_config.write_text("Match host=other\n  ProxyJump wrong\nMatch final all\n  Compression yes\n")
    assert first_hop(Ssh("host")) == ("host", 22)
    assert first_hop(Ssh("other")) == ("wrong", 22)


def test_a_jump_hosts_own_entry_counts(ssh_config: Path) -> None:
    """It may be behind another jump host; `Host *` may name it for itself; a circle is reported."""
    ssh_config.write_text("Host inner\n  ProxyJump middle\nHost middle\n  ProxyJump outer\n")
    assert first_hop(Ssh("inner")) == ("outer", 22)
    ssh_config.write_text("Host *\n  ProxyJump gate\n")
    assert first_hop(Ssh("inner")) == ("gate", 22)
    ssh_config.write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(LoginRefused, match="form a loop: a through b through a"):
        first_hop(Ssh("a"))


def test_without_ssh_on_this_machine_ssh_config_still_counts(ssh_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as paramiko understands it; otherwise the message says that the ssh client is missing."""
    monkeypatch.setattr("coordinator.hosts.deploy.sshconfig.shutil.which", lambda name: None)
    said = read("alias", key=Path("/key"))
    assert (said.host, said.port, said.identities) == ("127.0.0.7", 2222, (Path("/key"),))
    assert read("command").command == "nc command 22"
    ssh_config.write_text("Match final all\n  Port 3\n")
    with pytest.raises(LoginRefused, match="with OpenSSH's client on this machine"):
        read("alias")


def test_the_agent_that_ssh_config_names_is_asked(ssh_config: Path, tmp_path: Path) -> None:
    """`IdentityAgent`, as password managers need it: its keys, with or without `IdentitiesOnly`; `none` disables it."""
    key, socket = tmp_path / "key", tmp_path / "s"
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE) as agent:
        try:
            assert agent.stdout is not None
            assert agent.stdout.readline()
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            added = {"SSH_AUTH_SOCK": str(socket), "PATH": os.environ["PATH"]}
            subprocess.run(["ssh-add", "-q", key], check=True, env=added)
            key.unlink()  # its public half stays
            ssh_config.write_text(
                f"IdentityAgent {socket}\nIdentityFile {key}\nMatch host only\n  IdentitiesOnly yes\n"
            )
            offered = VerifiedLogin(Ssh("host")).client._agent.get_keys()  # type: ignore[attr-defined]
            alone = VerifiedLogin(Ssh("only")).connect_kwargs["pkey"]
            assert [each.asbytes() for each in offered] == [alone.asbytes()]
            ssh_config.write_text("IdentityAgent none\n")
            assert VerifiedLogin(Ssh("host")).connect_kwargs["allow_agent"] is False
        finally:
            agent.terminate()
