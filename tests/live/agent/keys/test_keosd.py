"""A real keosd that has keys of the agent's store, and signs for the agent."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.config import AgentConfig, DataFolder
from agent.errors import KeosdError
from agent.keys import KeyStore
from agent.keys.keosd import Keosd
from agent.keys.wallet import import_keys
from agent.party.keosd import trouble_with
from antelope.keys import PrivateKey
from support.bundled import Runtime
from tests.live.keosd import RunningKeosd, running_keosd
from tests.ports import free_port
from tests.secrets import private_keys

ACCOUNTS = ["useraaaaaaaa", "useraaaaaaab", "eosio"]
DIGEST = hashlib.sha256(b"something").digest()


@pytest.fixture
def keosd(runtime: Runtime, tmp_path: Path) -> Iterator[RunningKeosd]:
    """Without any wallet yet."""
    with running_keosd(runtime, tmp_path / "keosd") as keosd:
        yield keosd


@pytest.mark.parametrize("way", ["url", "socket"])
def test_cleos_sees_the_imported_keys(keosd: RunningKeosd, tmp_path: Path, way: str) -> None:
    """Keys go into a new wallet over either address; cleos lists exactly them; a second import changes nothing."""
    store = KeyStore(tmp_path / "keys")
    expected = {str(store.account_key(name)) for name in ACCOUNTS}
    private = [PrivateKey.parse(text) for text in private_keys(tmp_path / "keys")]
    password = tmp_path / "wallet.password"
    for _ in range(2):
        keys = import_keys(Keosd(getattr(keosd, way)), "boot", private, password)
        assert {str(key) for key in keys} == expected
    assert password.stat().st_mode & 0o777 == 0o600
    assert {line.strip(' ",') for line in keosd.cleos("keys").splitlines() if "EOS" in line} == expected


@pytest.mark.parametrize("way", ["url", "socket"])
def test_it_signs_with_the_keys_of_its_open_wallets(keosd: RunningKeosd, way: str) -> None:
    """A signature verifies under the key; no wallet, another's key and a locked wallet each give one clear line."""
    client, own, other = Keosd(getattr(keosd, way)), PrivateKey.generate(), PrivateKey.generate()
    key = client.key(own.public)
    assert client.public_keys() == frozenset()
    with pytest.raises(KeosdError, match="no unlocked wallet"):
        key.sign(DIGEST)
    keosd.make_wallet(own)
    assert client.public_keys() == {own.public}
    assert key.sign(DIGEST).verify(DIGEST, own.public)
    assert trouble_with(client, [own.public]) == ""
    assert str(other.public) in trouble_with(client, [own.public, other.public])
    with pytest.raises(KeosdError, match=f"no unlocked wallet with {other.public}"):
        client.key(other.public).sign(DIGEST)
    keosd.cleos("lock_all")
    assert client.public_keys() == frozenset()
    with pytest.raises(KeosdError, match="cleos wallet unlock"):
        key.sign(DIGEST)
    keosd.unlock()
    assert key.sign(DIGEST).verify(DIGEST, own.public)
    keosd.stop()
    with pytest.raises(KeosdError, match="does not answer"):
        key.sign(DIGEST)
    assert "is it running" in trouble_with(client, [own.public])


@pytest.mark.advice(
    "agent/keys: keosd at … has a wallet … whose password is not in …: write it there, as a line of "
    "its own, or name another wallet (--wallet)",
)
def test_an_unknown_wallets_password_is_asked_for(keosd: RunningKeosd, tmp_path: Path) -> None:
    """A wallet whose password is not on file is refused, locked or not; with the password written there it works."""
    keys, other = [PrivateKey.generate()], tmp_path / "other.password"
    import_keys(Keosd(keosd.url), "boot", keys, tmp_path / "wallet.password")
    for _ in range(2):
        with pytest.raises(KeosdError, match=r"has a wallet 'boot' whose password is not in .*: write it there"):
            import_keys(Keosd(keosd.url), "boot", keys, other)
        keosd.cleos("lock_all")
    other.write_text("PW5wrong\n" + (tmp_path / "wallet.password").read_text())
    assert import_keys(Keosd(keosd.url), "boot", keys, other) == (keys[0].public,)


def test_one_file_for_the_wallets_of_two_keosds(keosd: RunningKeosd, runtime: Runtime, tmp_path: Path) -> None:
    """Both may have a wallet of the same name: neither password overwrites the other."""
    first, second, passwords = PrivateKey.generate(), PrivateKey.generate(), tmp_path / "password"
    with running_keosd(runtime, tmp_path / "second") as other:
        import_keys(Keosd(keosd.url), "boot", [first], passwords)
        import_keys(Keosd(other.url), "boot", [second], passwords)
        keosd.cleos("lock_all")
        other.cleos("lock_all")
        assert import_keys(Keosd(keosd.url), "boot", [], passwords) == (first.public,)
        assert import_keys(Keosd(other.url), "boot", [], passwords) == (second.public,)


def test_no_keosd_is_one_clear_line(tmp_path: Path) -> None:
    """If nothing listens there, the error names the address, and has no key."""
    key = PrivateKey.generate()
    with pytest.raises(KeosdError, match="does not answer") as caught:
        import_keys(Keosd(f"http://127.0.0.1:{free_port()}"), "boot", [key], tmp_path / "password")
    assert key.wif not in str(caught.value)


@dataclass
class Host:
    """An agent's folder, and `agent wallet` run on it."""

    data: Path
    home: Path

    def make(self, network: str) -> KeyStore:
        """As after a boot: the folder with the agent's settings and keys."""
        folder = DataFolder(self.data)
        folder.make()
        folder.write(AgentConfig(network, "local", "127.0.0.1:7000", local=True))
        return KeyStore(folder.keys)

    def wallet(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The command's end."""
        command = [sys.executable, "-m", "agent.cli", "wallet", "--data", str(self.data), *options]
        environment = os.environ | {"XDG_STATE_HOME": str(self.home)}
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environment)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Not there yet."""
    return Host(tmp_path / "data", tmp_path / "home")


def test_the_agents_own_command_imports(keosd: RunningKeosd, host: Host) -> None:
    """`agent wallet` puts the named accounts' keys into a wallet, and refuses to send them off this machine."""
    store = host.make("net")
    expected = str(store.account_key("useraaaaaaaa"))
    done = host.wallet("--keosd", keosd.socket, "useraaaaaaaa")
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert store.private("useraaaaaaaa").wif not in done.stdout + done.stderr
    missing = host.wallet("--keosd", keosd.socket, "nobody")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    away = host.wallet("--keosd", "http://192.0.2.1:8900", "useraaaaaaaa")
    assert away.returncode == 1
    assert "not a keosd of this machine" in away.stderr
    strange = host.wallet("--keosd", keosd.socket, "--wallet", "../x", "useraaaaaaaa")
    assert (strange.returncode, strange.stderr.count("\n")) == (1, 1)


def test_a_wallet_outlives_its_network(keosd: RunningKeosd, host: Host) -> None:
    """The network is purged and booted again while keosd runs: its wallet opens, and takes the new keys. Another
    network has another wallet.
    """
    before = str(host.make("net").account_key("useraaaaaaaa"))
    assert host.wallet("--keosd", keosd.socket, "useraaaaaaaa").returncode == 0
    shutil.rmtree(host.data)
    after = str(host.make("net").account_key("useraaaaaaaa"))
    again = host.wallet("--keosd", keosd.socket, "useraaaaaaaa")
    assert again.returncode == 0, again.stderr
    assert "wallet bootcoord-net is open and holds 2 keys" in again.stdout
    assert before in again.stdout
    assert after in again.stdout
    shutil.rmtree(host.data)
    third = str(host.make("other-net").account_key("useraaaaaaaa"))
    other = host.wallet("--keosd", keosd.socket, "useraaaaaaaa")
    assert "wallet bootcoord-other-net is open and holds 1 keys" in other.stdout
    assert third in other.stdout
    assert {path.stat().st_mode & 0o777 for path in (host.home / "bootcoord" / "wallets").iterdir()} == {0o600}


def test_one_command_unlocks(keosd: RunningKeosd, host: Host) -> None:
    """After keosd has locked its wallets, or was restarted, the command without accounts opens the network's."""
    expected = str(host.make("net").account_key("useraaaaaaaa"))
    never = host.wallet("--keosd", keosd.socket)
    assert (never.returncode, never.stderr.count("\n")) == (1, 1)
    assert "has no wallet 'bootcoord-net' yet: name the accounts" in never.stderr
    assert host.wallet("--keosd", keosd.socket, "useraaaaaaaa").returncode == 0
    keosd.stop()
    keosd.start()
    done = host.wallet("--keosd", keosd.socket)
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout
    assert expected in keosd.cleos("keys")
