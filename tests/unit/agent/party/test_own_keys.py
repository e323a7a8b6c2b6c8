"""Keys that a party brings from its own files: never replaced, never shown."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.errors import ConfigError, KeosdError, KeyStoreError
from agent.keys import KeyStore
from agent.keys.keosd import Keosd
from agent.party.own_keys import own_key, read_key
from antelope.keys import PrivateKey, PublicKey


def _file(path: Path, key: PrivateKey, mode: int = 0o600) -> Path:
    path.write_text(f"{key.wif}\n")
    path.chmod(mode)
    return path


def test_given_keys_are_used_and_others_made(tmp_path: Path) -> None:
    """A block-signing key of the party's own beside a generated account key; both are there at the next start."""
    own = PrivateKey.generate()
    KeyStore(tmp_path / "keys").adopt("alice", signer=own_key(str(_file(tmp_path / "signer", own)), None))
    keys = KeyStore(tmp_path / "keys")
    assert keys.signers("alice")[0] == own
    keys.make(["alice"], ["alice"])
    made = keys.private("alice")
    assert made != own
    keys.adopt("alice")
    assert KeyStore(tmp_path / "keys").private("alice") == made


def test_a_key_never_takes_the_place_of_another(tmp_path: Path) -> None:
    """A key that was given once stays; the error names only public keys."""
    keys = KeyStore(tmp_path / "keys")
    first, second = PrivateKey.generate(), PrivateKey.generate()
    keys.adopt("alice", key=own_key(str(_file(tmp_path / "a", first)), None))
    with pytest.raises(KeyStoreError, match=str(first.public)) as refused:
        keys.adopt("alice", key=own_key(str(_file(tmp_path / "b", second)), None))
    assert second.wif not in str(refused.value)
    assert keys.private("alice") == first


@pytest.mark.advice("agent/party: …: others can read it: chmod 600 …")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Others may know such a key already; the error says what to run."""
    key = PrivateKey.generate()
    path = _file(tmp_path / "key", key, mode)
    with pytest.raises(ConfigError) as refused:
        read_key(path)
    subprocess.run(["sh", "-c", str(refused.value).rpartition(": ")[2]], check=True)
    assert read_key(path) == key


@pytest.mark.parametrize("text", ["", "5Knot-a-key", "a b"])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    """A file has one key and nothing else; the message does not repeat its content."""
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        read_key(path)
    assert "not-a" not in str(refused.value)
    with pytest.raises(ConfigError, match="No such file"):
        read_key(tmp_path / "none")


def test_a_public_key_is_one_in_a_keosd(tmp_path: Path) -> None:
    """keosd must be named and must answer; an empty text is not a key."""
    public = PrivateKey.generate().public
    assert own_key("", None) is None
    for text in (str(public), public.modern):
        with pytest.raises(ConfigError, match="with --keosd"):
            own_key(text, None)
        with pytest.raises(ConfigError, match="is it running"):
            own_key(text, Keosd(str(tmp_path / "keosd.sock")))


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.1:8900", "https://127.0.0.1:8900", "http://127.0.0.1:8900/x", "/run/a b", "http://127.0.0.1@h:1",
     "/run/a\nplugin", "keosd.sock", f"/{'x' * 107}", "", "http://localhost.example:8900", "http://127.0.0.1:99999", "http://[::1]:0"],
)  # fmt: skip
def test_no_keosd_but_one_of_this_machine(address: str) -> None:
    """Neither another host's keosd, nor text that would be more than an address in nodeos' configuration."""
    with pytest.raises(KeosdError, match="not a keosd of this machine"):
        Keosd(address)


def test_a_key_that_cannot_sign_here_is_no_key(tmp_path: Path) -> None:
    """keosd may hold R1 keys: one is refused before the party joins with it."""
    public = str(PublicKey(PrivateKey.generate().public.data, kind=1))
    with pytest.raises(ConfigError, match="can sign here"):
        own_key(public, Keosd(str(tmp_path / "keosd.sock")))


def test_a_home_that_nobody_has(tmp_path: Path) -> None:
    """A mistyped ~user is reported as well."""
    with pytest.raises(KeosdError, match="~nosuchuser"):
        Keosd.at("~nosuchuser/keosd.sock", tmp_path)


def test_a_keosds_address_as_it_is_typed(tmp_path: Path) -> None:
    """Paths count from a folder; nodeos gets the whole URL of what it asks for."""
    assert Keosd.at("keosd.sock", tmp_path) == Keosd(f"{tmp_path}/keosd.sock")
    assert Keosd.at("http://[::1]:8900/").signing_url == "http://[::1]:8900/v1/wallet/sign_digest"
    assert Keosd("/run/keosd.sock").signing_url == "unix:///run/keosd.sock/v1/wallet/sign_digest"
