"""Parties on real nodeos: one from before the genesis, one after the handover, and what they do together."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antelope.keys import PrivateKey, PublicKey, Signature
from tests.live.coordinator.network import Network
from tests.live.coordinator.parties.conftest import MakeParty, Party, Start, alive, node_process
from tests.waiting import until

PARTIES = '[parties]\nsponsor = "sponsor"\nlimit = 3\nshare = "all"\nwait_for = ["alice"]\nwait_seconds = 100'


@pytest.mark.advice("agent/party/approving.py: agent approve …", "agent/party/approving.py: agent proposals")
@pytest.mark.campaign
def test_parties_join_early_and_late(
    make_network: Callable[[str], Network], make_party: MakeParty, start: Start, tmp_path: Path
) -> None:
    """Alice is sealed, produces and approves the canary; Bob comes by the printed command alone and ends up voted for.

    Both attest; the chain still passes the audit; both approve another system contract; a revoked one's node runs on.
    """
    network = make_network("open")
    network.write(PARTIES, producers=1, elected=2)
    alice, bob = make_party(network, "alicehost", "alice"), make_party(network, "bob", "bobaccount11")
    boot = start(network, "boot", "--serve")
    boot.await_text("agent of local started")
    alice.join()
    boot.await_text("phase live")
    # Both had to approve the canary, or eosio could not have resigned.
    assert set(network.document("status")["schedule"]) == {"alice", "defproducera"}

    bob.join()
    bob.await_state("voted for", "producing")
    rows = network.cleos("get", "table", "eosio", "eosio", "producers", node="defproducera")["rows"]
    assert {row["owner"] for row in rows if row["is_active"]} == {"alice", "defproducera", "bobaccount11"}
    assert network.cleos("get", "account", "bobaccount11", "-j", node="defproducera")["core_liquid_balance"]
    known = [(network.data / "nodes" / name / "config.ini").read_text() for name in ("genesis", "defproducera")]
    assert all(f"p2p-peer-address = {bob.p2p}\n" in config for config in known)
    assert network.coord("verify").status == 0
    _attested(network, alice, bob)

    bob.await_state("producing")
    _upgraded(network, tmp_path, alice, bob)

    pid = node_process(bob)
    assert network.coord("revoke", "bob").status == 0
    assert bob.process
    bob.process.wait(10)
    assert "revoked" in bob.said()
    assert alive(pid)
    assert bob.shown()["state"] == "revoked"
    boot.interrupt()
    assert boot.wait(20).status == 0


@pytest.mark.advice("agent/party/control.py: agent serve", "agent/serve.py: agent serve")
@pytest.mark.campaign
def test_eosio_does_not_resign_without_a_party_that_must_approve(
    make_network: Callable[[str], Network], make_party: MakeParty, start: Start
) -> None:
    """One of two producers approves nothing: it is named, and eosio keeps its keys; the boot continues once it does."""
    network = make_network("held")
    network.write(PARTIES, producers=1, elected=2)
    alice = make_party(network, "alicehost", "alice")
    boot = start(network, "boot")
    boot.await_text("agent of local started")
    alice.folder.mkdir()
    config = alice.folder / "alice.toml"
    config.write_text('[policy]\napprove = "never"\n')
    alice.serve(*alice.invited(), "--config", str(config))
    ended = boot.wait()
    assert ended.status == 1, ended.text
    assert "alicehost: refused: eosio.msig::approve is switched off in this party's policy" in ended.text, ended.text
    assert _owner(network)["keys"]

    alice.stop()
    kept = alice.folder / "data" / "party.toml"
    kept.write_text(kept.read_text().replace('approve = "never"', 'approve = "canary"'))
    _started_as_advised(alice)
    again = start(network, "boot").wait()
    if again.status:  # its agent had not received the sealed network again: boot "tries again, and continues"
        again = start(network, "boot").wait()
    assert (again.status, "phase live" in again.text) == (0, True), again.text
    assert _owner(network)["accounts"][0]["permission"] == {"actor": "eosio.prods", "permission": "active"}


def _started_as_advised(party: Party) -> None:
    """Its agent is away: a command says how it is started. Its journal is torn: the agent's log says what to do."""
    start = party.refused("proposals").partition("start it: ")[2].strip()
    journal = party.folder / "data" / "journal.sqlite"
    with journal.open("r+b") as file:
        file.truncate(5000)
    party.start_typed(start)
    assert party.process
    assert party.process.wait(60) == 1
    (line,) = re.findall(r"move it away and, a minute later, .* start the agent again \(by: (.*)\)", party.said())
    assert f"{journal}" in party.said()
    journal.rename(party.folder / "torn")
    party.start_typed(line)

    def answers() -> bool:
        return (
            subprocess.run(party.command_of("proposals"), capture_output=True, timeout=60, check=False).returncode == 0
        )

    until(answers, "its agent", 60)


@pytest.mark.advice(
    "agent/party: account … exists with other keys than this agent's: give it this key (cleos set account permission "
    "… active …), if it is yours"
)
@pytest.mark.campaign
def test_an_account_that_its_owner_had_before(
    make_network: Callable[[str], Network], make_party: MakeParty, start: Start
) -> None:
    """With a key of its own: the agent says which cleos command gives it the agent's, and registers after that."""
    network = make_network("before")
    network.write('[parties]\nsponsor = "sponsor"\nlimit = 3\nshare = "all"', producers=1, elected=1)
    network.boot()
    bob, key = make_party(network, "bob", "bobaccount11"), PrivateKey.generate()
    creator, secret = next((name, pvt) for name, pvt in network.accounts().items() if name.startswith("user"))
    stakes = ["--stake-net", "2.5000 SYS", "--stake-cpu", "5.0000 SYS", "--buy-ram-kbytes", "8"]
    _signed(network, secret, "system", "newaccount", creator, bob.account, str(key.public), *stakes)
    serving = start(network, "serve")
    bob.join()
    advice = "give it the key above (cleos set account permission ACCOUNT active EOS…)"
    until(lambda: advice in bob.said(), "what its log advises", 150)
    words = advice.partition("cleos ")[2].rstrip(")").replace("ACCOUNT", bob.account)
    said = words.replace("EOS…", bob.shown()["account_key"])
    _signed(network, key.wif, *said.split(), "-p", f"{bob.account}@owner")
    bob.await_state("registered", "voted for", "producing")
    serving.interrupt()


def _signed(network: Network, secret: str, *words: str) -> None:
    """Types a command of cleos, without a wallet: written down, signed and pushed by cleos itself."""
    unsigned = network.cleos(*words, "--skip-sign", "--json", "--dont-broadcast", node="defproducera")
    path = network.folder / "unsigned.json"
    path.write_text(json.dumps(unsigned))
    pushed = network.cleos("sign", str(path), "--private-key", secret, "--push-transaction", node="defproducera")
    assert pushed["processed"]["receipt"]["status"] == "executed", pushed


def _owner(network: Network) -> Any:
    """Who owns eosio, as cleos has it."""
    permissions = network.cleos("get", "account", "eosio", "-j", node="defproducera")["permissions"]
    return next(one["required_auth"] for one in permissions if one["perm_name"] == "owner")


def _attested(network: Network, *parties: Party) -> None:
    """Each one's signature holds, by its key and the document alone."""

    def all_of_them() -> bool:
        return bool(network.document("parties")["attest"]["ok"] == len(parties))

    until(all_of_them, "everybody's attestation", 60)
    for party in parties:
        row = party.shown()
        digest = hashlib.sha256(row["document"].encode()).digest()
        assert Signature.parse(row["signature"]).recover(digest) == PublicKey.parse(row["account_key"])
        assert json.loads(row["document"])["ok"] is True


def _upgraded(network: Network, folder: Path, *parties: Party) -> None:
    """Not without the parties' operators; with them, the chain has the code, and the audit knows why."""
    sealed = json.loads((network.state / "sealed.json").read_text())
    system = next(contract for contract in sealed["contracts"] if contract["account"] == "eosio")
    wasm, abi = folder / "new.wasm", folder / "new.abi"
    wasm.write_bytes((network.state / "artifacts" / system["wasm"]).read_bytes() + b"\0\x05\x04newx")
    abi.write_bytes((network.state / "artifacts" / system["abi"]).read_bytes())
    files = ("--wasm", str(wasm), "--abi", str(abi))
    refused = network.coord("upgrade", *files, "--wait", "8")
    assert refused.status == 1
    assert "alice: not approved" in refused.err
    for party in parties:
        said = re.search(r"`(\S*agent proposals [^`]+)` shows it, `(\S*agent approve [^`]+)` gives it", party.said())
        assert said
        shows, gives = said.groups()
        assert "set_code" in party.typed(shows) or "setcode" in party.typed(shows)
        party.typed(f"{gives} --yes")
    done = network.coord("upgrade", *files)
    assert done.status == 0, done.text
    assert hashlib.sha256(wasm.read_bytes()).hexdigest() in done.out
    assert "already" in network.coord("upgrade", *files).out

    def shown() -> bool:
        return "as the producers replaced them: eosio" in network.coord("verify").out

    until(shown, "the new code in irreversible blocks", 60)
    assert network.coord("verify").status == 0
