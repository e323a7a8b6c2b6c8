"""Keys that a party brings: from files of its own, never replaced, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import ConfigError
from agent.keys import KeyStore, KeyStoreError
from agent.party.own_keys import adopt, read_key
from antelope.keys import PrivateKey


def _file(path: Path, key: PrivateKey, mode: int = 0o600) -> Path:
    path.write_text(f"{key.wif}\n")
    path.chmod(mode)
    return path


def test_given_keys_are_used_and_others_made(tmp_path: Path) -> None:
    """A block-signing key of one's own beside an account key made here; both are there at the next start."""
    own = PrivateKey.generate()
    adopt(KeyStore(tmp_path / "keys"), "alice", None, _file(tmp_path / "signer", own))
    keys = KeyStore(tmp_path / "keys")
    assert keys.signer("alice") == own
    made = keys.private("alice")
    assert made != own
    adopt(keys, "alice", None, None)
    assert KeyStore(tmp_path / "keys").private("alice") == made


def test_a_key_never_takes_the_place_of_another(tmp_path: Path) -> None:
    """What was told once stays; the error names public keys alone."""
    keys = KeyStore(tmp_path / "keys")
    first, second = PrivateKey.generate(), PrivateKey.generate()
    adopt(keys, "alice", _file(tmp_path / "a", first), None)
    with pytest.raises(KeyStoreError, match=str(first.public)) as refused:
        adopt(keys, "alice", _file(tmp_path / "b", second), None)
    assert second.wif not in str(refused.value)
    assert keys.private("alice") == first


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Such a key may be known already; the error says what to type."""
    path = _file(tmp_path / "key", PrivateKey.generate(), mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_key(path)


@pytest.mark.parametrize("text", ["", "5Knot-a-key", "a b"])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    """One key and nothing else; what was there instead is not repeated."""
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        read_key(path)
    assert "not-a" not in str(refused.value)
    with pytest.raises(ConfigError, match="No such file"):
        read_key(tmp_path / "none")
