"""A party whose account's key stays in a keosd, which signs registration, transactions and attestation for it."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

from antelope.keys import PrivateKey, PublicKey, Signature
from support import bundled
from tests.live.coordinator.network import Network
from tests.live.coordinator.parties.conftest import MakeParty, Party, Start
from tests.live.keosd import running_keosd
from tests.waiting import until

PARTIES = '[parties]\nsponsor = "sponsor"\nlimit = 1\nshare = "all"'


def test_a_party_joins_with_its_key_in_keosd(
    make_network: Callable[[str], Network], make_party: MakeParty, start: Start, tmp_path: Path
) -> None:
    """It joins only with an open wallet; while that is locked it signs nothing, and no file has its key.

    The block-signing key stays in the agent's store: the bundled nodeos crashes when a keosd is to sign blocks.
    """
    network = make_network("walled")
    network.write(PARTIES, producers=1, elected=1)
    bob, own = make_party(network, "bob", "bobaccount11"), PrivateKey.generate()
    start(network, "boot", "--serve").await_text("phase live")
    with running_keosd(bundled.fetch(), tmp_path / "keosd") as keosd:
        keosd.make_wallet(own)
        keosd.cleos("lock_all")
        invited = bob.invited()
        options = (*invited, "--keosd", keosd.socket, "--account-key", str(own.public))
        assert f"no unlocked wallet with {own.public}" in _refused(bob, *options)
        keosd.unlock()
        assert "crashes when keosd is to sign its blocks" in _refused(bob, *options, "--producer-key", str(own.public))

        bob.serve(*options)
        bob.await_state("producing")
        assert f"keosd at {keosd.socket} signs with {own.public}" in bob.said()
        permissions = network.cleos("get", "account", bob.account, "-j", node="defproducera")["permissions"]
        assert {key["key"] for one in permissions for key in one["required_auth"]["keys"]} == {str(own.public)}
        _attests(bob, own.public)
        _nowhere(bob, own)

        keosd.cleos("lock_all")
        until(lambda: "until then nothing is signed" in bob.said(), "the agent's word on the locked wallet", 20)
        vote = bob.command_of("vote", bob.account)
        locked = subprocess.run(vote, capture_output=True, text=True, timeout=60, check=False)
        assert (locked.returncode, locked.stdout.count("\n"), locked.stderr) == (1, 1, ""), (
            locked.stdout + locked.stderr
        )
        assert "no unlocked wallet" in locked.stdout
        keosd.unlock()
        assert "voteproducer is in block" in bob.type("vote", bob.account)


def _refused(party: Party, *options: str) -> str:
    """The one line that `agent serve` ends with; the invitation is not used up."""
    done = subprocess.run(party.command_of("serve", *options), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    return done.stderr


def _attests(party: Party, key: PublicKey) -> None:
    """Its attestation is signed with the key that keosd has."""
    until(lambda: bool(party.shown().get("signature")), "its attestation", 60)
    row = party.shown()
    digest = hashlib.sha256(row["document"].encode()).digest()
    assert Signature.parse(row["signature"]).recover(digest) == key


def _nowhere(party: Party, *keys: PrivateKey) -> None:
    """No file of the party's folder has such a private key, in any text form."""
    files = [path for path in party.folder.rglob("*") if path.is_file()]
    assert any(path.name == "config.ini" for path in files)
    for path in files:
        content = path.read_bytes()
        assert not any(form.encode() in content for key in keys for form in (key.wif, key.modern)), path
