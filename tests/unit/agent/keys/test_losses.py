"""Keys that are gone from the disk are named while the agent or a node still has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.keys import KeyStore
from agent.keys.losses import lost_keys
from tests.secrets import private_keys

SIGNING = "keys/signing.json is gone, with the block-signing key of prod"
ACCOUNTS = "keys/accounts.json is gone, with the account keys of prod, user1, user2 and 1 more"


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    """Of an agent whose host has a producer's and three users' keys."""
    made = KeyStore(tmp_path / "keys")
    made.make(["prod", "user1", "user2", "user3"], ["prod"])
    return made


def test_nothing_is_lost_of_what_is_there_or_never_was(store: KeyStore, tmp_path: Path) -> None:
    """A host without producers has no key files."""
    assert lost_keys(store, ["prod"]) == ()
    assert lost_keys(KeyStore(tmp_path / "none"), []) == ()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["signing.json"], (SIGNING,)),
        (["accounts.json"], (ACCOUNTS,)),
        (["signing.json", "accounts.json"], (SIGNING, ACCOUNTS)),
    ],
)
def test_a_running_agent_knows_what_its_files_had(store: KeyStore, files: list[str], said: tuple[str, ...]) -> None:
    """Each file that is gone, with its accounts, but no secret; and nothing once it is put back."""
    secrets = private_keys(store.accounts_file.parent)
    kept = {name: store.accounts_file.with_name(name).read_bytes() for name in files}
    for name in files:
        store.accounts_file.with_name(name).unlink()
    for _ in range(2):
        assert lost_keys(store, ["prod"]) == said
    assert len(secrets) == 5
    assert not any(secret in line for secret in secrets for line in said)
    for name, data in kept.items():
        store.accounts_file.with_name(name).write_bytes(data)
    assert lost_keys(store, ["prod"]) == ()


def test_the_whole_folder_is_gone(store: KeyStore) -> None:
    """As somebody removes it."""
    shutil.rmtree(store.accounts_file.parent)
    assert lost_keys(store, ["prod"]) == (SIGNING, ACCOUNTS)


def test_an_agent_that_started_afterwards_knows_whose_node_signs(store: KeyStore) -> None:
    """Its node runs still, with a key that no file has."""
    shutil.rmtree(store.accounts_file.parent)
    assert lost_keys(KeyStore(store.accounts_file.parent), ["prod"]) == (SIGNING,)
    other = KeyStore(store.accounts_file.parent)
    other.make([], ["other"])
    assert lost_keys(other, ["prod", "other"]) == (
        "keys/signing.json has no block-signing key of prod, whose node runs",
    )


def test_a_damaged_file_is_named(store: KeyStore) -> None:
    """With what is wrong with it."""
    store.signing_file.write_text("{")
    (line,) = lost_keys(store, ["prod"])
    assert line.startswith(f"{store.signing_file}, line 1: ")


def test_a_change_of_the_block_signing_key_mends_the_loss(store: KeyStore) -> None:
    """The agent still signs with both keys meanwhile, and with the account's; the file has the new one afterwards."""
    account, before = store.private("prod").public, store.signer_key("prod")
    shutil.rmtree(store.accounts_file.parent)
    after = store.succeed("prod")
    assert store.signer_keys("prod") == (before, after)
    assert store.private("prod").public == account
    store.keep_signer("prod", after)
    assert KeyStore(store.accounts_file.parent).signer_keys("prod") == (after,)
    assert lost_keys(store, ["prod"]) == (ACCOUNTS,)
