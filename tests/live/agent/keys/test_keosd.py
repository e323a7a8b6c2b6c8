"""A real keosd, with keys of the agent's store in it, and signing for the agent."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.keys import KeyStore
from agent.keys.keosd import Keosd, KeosdError
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
    """A signature verifies under the key; no wallet, another's key and a locked wallet are each one clear line."""
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


def test_an_unknown_wallets_password_is_asked_for(keosd: RunningKeosd, tmp_path: Path) -> None:
    """A wallet that is there, but whose password is not on file, is refused without touching it."""
    keys = [PrivateKey.generate()]
    import_keys(Keosd(keosd.url), "boot", keys, tmp_path / "wallet.password")
    with pytest.raises(KeosdError, match="has a wallet 'boot' already"):
        import_keys(Keosd(keosd.url), "boot", keys, tmp_path / "other.password")


def test_no_keosd_is_one_clear_line(tmp_path: Path) -> None:
    """Where nobody listens, the error says which address, and holds no key."""
    key = PrivateKey.generate()
    with pytest.raises(KeosdError, match="does not answer") as caught:
        import_keys(Keosd(f"http://127.0.0.1:{free_port()}"), "boot", [key], tmp_path / "password")
    assert key.wif not in str(caught.value)


def test_the_agents_own_command_imports(keosd: RunningKeosd, tmp_path: Path) -> None:
    """`agent wallet` puts the named accounts' keys into a wallet, and refuses to send them off this machine."""
    store = KeyStore(tmp_path / "keys")
    expected = str(store.account_key("useraaaaaaaa"))

    def agent(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agent.cli", "wallet", "--data", str(tmp_path), *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    done = agent("--keosd", keosd.socket, "useraaaaaaaa")
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert store.private("useraaaaaaaa").wif not in done.stdout + done.stderr
    missing = agent("--keosd", keosd.socket, "nobody")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    away = agent("--keosd", "http://192.0.2.1:8900", "useraaaaaaaa")
    assert away.returncode == 1
    assert "no keosd of this machine" in away.stderr
