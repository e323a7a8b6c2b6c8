"""Keys in a backup: only its recipient reads them, and they come back whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest

from agent.errors import KeyStoreError
from agent.keys import KeyStore
from agent.keys.backup import back_up, put_back
from support.age import AgeError


def _made(folder: Path) -> KeyStore:
    store = KeyStore(folder)
    store.make(["prod", "user"], ["prod"])
    return store


def test_keys_come_back_and_are_seen_by_a_running_agent(tmp_path: Path) -> None:
    """In another store, which had been opened before; a second time changes nothing."""
    identity = pyrage.x25519.Identity.generate()
    old, new = _made(tmp_path / "old"), KeyStore(tmp_path / "new")
    running = KeyStore(tmp_path / "new")
    data = back_up(old, "net", "h1", [str(identity.to_public())])
    assert old.private("user").wif.encode() not in data
    plain = pyrage.decrypt(data, [identity])
    assert put_back(new, "net", "h1", plain) == ("prod", "user")
    assert put_back(new, "net", "h1", plain) == ("prod", "user")
    for store in (new, running):
        assert store.private("user").wif == old.private("user").wif
        assert store.signer_keys("prod") == old.signer_keys("prod")
    assert (tmp_path / "new" / "signing.json").stat().st_mode & 0o777 == 0o600


def test_another_hosts_or_other_keys_are_refused(tmp_path: Path) -> None:
    """And nothing is changed; the message has no secret."""
    identity = pyrage.x25519.Identity.generate()
    old = _made(tmp_path / "old")
    plain = pyrage.decrypt(back_up(old, "net", "h1", [str(identity.to_public())]), [identity])
    with pytest.raises(KeyStoreError, match="those of h1 in net, this is h2 in net"):
        put_back(KeyStore(tmp_path / "new"), "net", "h2", plain)
    other = _made(tmp_path / "other")
    before = other.private("user").wif
    with pytest.raises(KeyStoreError, match="has another key in this host's key store already") as refused:
        put_back(other, "net", "h1", plain)
    assert other.private("user").wif == before
    assert "5" not in str(refused.value).split("has another")[0]
    for bad in (b"", b"[]", b'{"format": "x"}', json.dumps({"format": "bootcoord keys 1"}).encode()):
        with pytest.raises(KeyStoreError):
            put_back(other, "net", "h1", bad)


def test_a_bad_recipient_is_told(tmp_path: Path) -> None:
    """Before anything is encrypted."""
    with pytest.raises(AgeError, match="is not an age recipient"):
        back_up(_made(tmp_path), "net", "h1", ["age1x"])
