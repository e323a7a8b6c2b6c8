"""A boot as a user sees it: how it ends, what other tools say about the chain, what a second boot does, its files."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from antelope import actions
from antelope.asset import Asset, Symbol
from antelope.authority import Authority
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import Action, Transaction
from support.retry import poll
from tests.live.coordinator.leaks import Onlooker, forms, holding
from tests.live.coordinator.network import COORD, Done, MakeNetwork, Network
from tests.waiting import until

STATUS = {
    "network": str, "chain_id": str, "manifest": str, "phase": str, "head_block": int, "lib": int, "schedule": list,
    "nodes": list, "parties": list, "steps": list,
}  # fmt: skip
NODE = {"name", "host", "account", "role", "p2p", "http", "state", "head_block", "lib"}
STEP = {"name", "state", "seconds", "transactions"}
SYS = Symbol(4, "SYS")
RICH, OTHER = "useraaaaaaal", "useraaaaaaam"
"""Users that do not vote."""


@dataclass
class Booted:
    """A network, how its boot ended, and what was to be seen meanwhile."""

    network: Network
    done: Done
    seen: set[bytes]


@pytest.fixture(scope="module")
def booted(make_shared: MakeNetwork) -> Booted:
    """Booted once for this file; its tests run in order, and leave it running."""
    network = make_shared("small")
    network.write()
    with Onlooker() as onlooker:
        done = network.boot()
    return Booted(network, done, onlooker.seen)


@pytest.mark.advice("coordinator/report/summary.py: coord verify")
def test_summary_says_what_one_needs(booted: Booted) -> None:
    """Chain id, nodes, where the keys lie, when rewards may be claimed, and what to type next: which works."""
    text = booted.done.out
    chain_id = booted.network.cleos("get", "info")["chain_id"]
    assert f"chain id  {chain_id}" in text
    assert re.search(r"^defproducera +local +defproducera +running", text, re.MULTILINE)
    assert "keys      .coord/small/hosts/local/keys/accounts.json" in text
    assert re.search(r"rewards .* may claim from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", text)
    command = re.search(r"^ +(\S+coord verify small.toml)  ", text, re.MULTILINE)
    assert command
    typed = subprocess.run(shlex.split(command[1]), cwd=booted.network.folder, capture_output=True, check=False)
    assert typed.returncode == 0


def test_status_has_every_key(booted: Booted) -> None:
    """`status --json` is one document with all that the design names, and the chain moves on."""
    first = booted.network.document("status")
    assert {name: type(first[name]) for name in STATUS} == STATUS
    assert (first["phase"], first["schedule"]) == ("live", ["defproducera"])
    assert all(node.keys() >= NODE and node["state"] == "running" for node in first["nodes"])
    assert all(step.keys() >= STEP and step["state"] == "done" for step in first["steps"])
    assert sum(step["transactions"] for step in first["steps"]) > 20
    until(lambda: booted.network.document("status")["lib"] > first["lib"], "LIB advances")


def test_cleos_sees_the_same(booted: Booted) -> None:
    """cleos at the nodes' HTTP addresses confirms schedule, authorities, supply, and a user's stake."""
    network = booted.network
    addresses = {node["name"]: node["http"] for node in network.document("status")["nodes"]}
    assert addresses == {name: network.http(name) for name in network.ports}
    for node in network.ports:
        schedule = network.cleos("get", "schedule", "--json", node=node)
        assert [entry["producer_name"] for entry in schedule["active"]["producers"]] == ["defproducera"]
    for account in ("eosio", "eosio.token", "eosio.ram"):
        behind = {"actor": "eosio.prods" if account == "eosio" else "eosio", "permission": "active"}
        for permission in network.cleos("get", "account", account, "--json")["permissions"]:
            assert permission["required_auth"]["keys"] == []
            assert [entry["permission"] for entry in permission["required_auth"]["accounts"]] == [behind]
    supply = network.cleos("get", "currency", "stats", "eosio.token", "SYS")
    assert supply["SYS"]["supply"] == "1000000000.0000 SYS"
    user = network.cleos("get", "account", "useraaaaaaaa", "--json")
    assert len(user["voter_info"]["producers"]) == 1
    assert user["core_liquid_balance"] == "9.0000 SYS"


def test_verify_finds_nothing(booted: Booted) -> None:
    """The audit of a chain as planned: status 0, in words and as a document."""
    done = booted.network.coord("verify")
    assert done.status == 0, done.text
    assert "22 of 22 accounts are as at birth" in done.out
    document = json.loads(booted.network.coord("verify", "--json").out)
    assert document["ok"]
    assert document["accounts"] == {"planned": 22, "matched": 22, "missing": [], "wrong": []}
    assert all(check["ok"] for check in document["checks"])


def test_second_boot_changes_nothing(booted: Booted) -> None:
    """A second boot says quickly, in few lines, that there is nothing to do, and makes no transaction."""
    log, processes = booted.network.state / "boot.log", booted.network.processes()
    before = log.read_text()
    done = booted.network.boot()
    assert "othing to do" in done.out
    assert done.seconds < 10
    assert len(done.out.splitlines()) <= 20
    assert log.read_text() == before
    assert booted.network.processes() == processes


def test_logs_of_nodes_and_agent(booted: Booted) -> None:
    """`coord logs` shows a node's log and the agent's; a name that nobody has is answered with those there are."""
    assert "produced" in booted.network.coord("logs", "defproducera", "-n", "200").out.lower()
    assert "connected" in booted.network.coord("logs", "agent@local", "-n", "1000").out
    wrong = booted.network.coord("logs", "nobody")
    assert wrong.status == 2
    assert "defproducera" in wrong.err


def test_command_log_can_be_typed(booted: Booted) -> None:
    """Every transaction of the boot is in boot.log with its id, as cleos commands whose files exist."""
    text = (booted.network.state / "boot.log").read_text()
    found = re.findall(r"^# \S+ step=(\S+) transaction=([0-9a-f]{64}) block=(\d+)$", text, re.MULTILINE)
    steps = {step["name"]: step["transactions"] for step in booted.network.document("status")["steps"]}
    for step, count in steps.items():
        # Scheduling a feature is a call to the node, and no transaction.
        assert sum(name == step for name, _, _ in found) == (0 if step == "preactivate" else count), step
    block = booted.network.cleos("get", "block", found[-1][2])
    assert found[-1][1] in [entry["trx"]["id"] for entry in block["transactions"]]
    contracts = re.findall(r"^cleos -u (\S+) (set contract .*)$", text, re.MULTILINE)
    assert [url for url, _ in contracts] == [booted.network.http("genesis")] * 4
    # The first put the boot contract on eosio, so that it would be a change again.
    dry = booted.network.cleos(*shlex.split(contracts[0][1]), "--skip-sign", "--dont-broadcast", "--json")
    assert [action["name"] for action in dry["actions"]] == ["setcode", "setabi"]


def test_plan_marks_what_is_done(booted: Booted) -> None:
    """`coord plan`: every step with its mark, as a document, as commands without spares, as a graph."""
    plan = booted.network.coord("plan")
    assert plan.status == 0
    assert plan.out.count("[x]") == len(booted.network.document("plan")["steps"])
    commands = booted.network.coord("plan", "--cleos").out
    assert commands.count(" set contract eosio ") == 2  # the boot contract, then the system contract
    assert " set abi " not in commands
    assert " system newaccount " in commands
    assert booted.network.coord("plan", "--graph").out.startswith('graph "small"')


def test_no_secret_leaves_the_key_store(booted: Booted) -> None:
    """No private key, in any form, on a command line, in an environment, a log, a journal or any other file."""
    network = booted.network
    keys = [entry["pvt"] for path in (network.data / "keys").glob("*.json") for entry in _pairs(path)]
    assert len(keys) >= 22 + 2 + 1
    secrets = [form for wif in keys for form in forms(wif)]
    seen = b"\n".join(booted.seen)
    assert b"nodeos" in seen
    assert not [secret for secret in secrets if secret in seen]
    assert not [secret for secret in secrets if secret in booted.done.text.encode()]
    # nodeos reads the keys of its blocks from its own config.ini.
    assert holding(network.folder, secrets, ("/keys/accounts.json", "/keys/signing.json", "/config.ini")) == {}
    signing = forms(json.loads((network.data / "keys" / "signing.json").read_text())["producers"][0]["pvt"])
    assert holding(network.data, signing, ()) != {}, "the search itself finds what is there"


def test_files_with_secrets_are_closed(booted: Booted) -> None:
    """Under a umask of 022 nobody else can read keys, journals or certificates' keys, or enter the network's folder."""
    assert open_to_others(booted.network) == []


def test_same_chain_after_down(booted: Booted) -> None:
    """`down` stops everything, although the agent was killed; `boot` brings the same chain back, and LIB advances."""
    network = booted.network
    before, processes = network.document("status"), network.processes()
    assert processes.keys() == {"agent", *network.ports}
    os.kill(processes["agent"].pid, signal.SIGKILL)
    done = network.coord("down")
    assert done.status == 0, done.text
    assert not any(process.alive for process in processes.values())
    assert not network.living()
    down = network.document("status")
    assert (down["phase"], {node["state"] for node in down["nodes"]}) == ("down", {"stopped"})
    network.boot()
    after = network.document("status")
    assert (after["chain_id"], after["phase"]) == (before["chain_id"], "live")
    until(lambda: network.document("status")["lib"] > before["head_block"] + 2, "LIB advances")
    assert network.coord("verify").status == 0


async def test_planted_differences_are_named(booted: Booted) -> None:
    """A transfer and an account that nobody planned: `verify` names both, and the birth stays as planned: status 0, and
    1 with --strict.
    """
    network = booted.network
    stranger = Authority.key(PrivateKey.generate().public)
    one = Asset(1, SYS)
    await _push(network, RICH, actions.transfer(RICH, OTHER, one, "a gift"))
    await _push(
        network, RICH, actions.newaccount(RICH, "eviltwinaaaa", stranger, stranger),
        actions.buyrambytes(RICH, "eviltwinaaaa", 4000), actions.delegatebw(RICH, "eviltwinaaaa", one, one, True),
    )  # fmt: skip
    assert network.coord("verify", "--strict").status == 1
    done = network.coord("verify")
    assert done.status == 0
    assert "born as planned: yes" in done.out
    assert all(name in done.out for name in (RICH, OTHER, "eviltwinaaaa"))
    document = network.document("verify")
    assert (document["ok"], document["born"], document["unchanged"]) == (True, True, False)
    assert {entry["account"] for entry in document["accounts"]["wrong"]} == {RICH, OTHER}


def open_to_others(network: Network) -> list[str]:
    """Files and folders that hold, or could come to hold, secrets and that other users may read."""
    closed = ("journal.sqlite*", "keys", "keys/*", "*.key", "config.ini", "identity", "ca", "nodes/*")
    paths = {network.state, *(path for pattern in closed for path in network.state.rglob(pattern))}
    assert len(paths) > 15
    public = re.compile(r"\.(pem|log)$")
    return [
        f"{path} {stat.filemode(path.stat().st_mode)}"
        for path in paths
        if path.stat().st_mode & 0o077 and not public.search(str(path)) and not path.is_dir()
    ] + [str(path) for path in (network.state, network.data, network.data / "keys") if path.stat().st_mode & 0o077]


def _pairs(path: Path) -> list[dict[str, str]]:
    document = json.loads(path.read_text())
    return [*document["users"], *document["producers"]]


async def _push(network: Network, signer: str, *pushed: Action) -> None:
    """Signs with a key of accounts.json, and waits until the audit's node has it."""
    async with NodeClient(network.http("defproducera")) as node, NodeClient(network.http("genesis")) as audit:
        info = await node.get_info()
        tapos = Transaction.tapos_from(info.last_irreversible_block_id)
        expiration = int(info.head_block_time.timestamp()) + 60
        transaction = Transaction(expiration, *tapos, actions=pushed)
        key = PrivateKey.parse(network.accounts()[signer])
        await node.send_transaction(transaction.sign(info.chain_id, [key]))
        pushed_at = (await node.get_info()).head_block_num + 1

        async def final() -> bool:
            return (await audit.get_info()).last_irreversible_block_num >= pushed_at

        await poll(final, what="irreversible", deadline=30)


def test_a_report_is_enough_to_audit_again(booted: Booted, tmp_path: Path) -> None:
    """Elsewhere, without inventory and state, on a node of the chain: born as planned. Its seal hashes to the manifest
    by sha256sum's word, and the resignation is in the block that it names by cleos'.
    """
    network = booted.network
    html, document = tmp_path / "r.html", tmp_path / "r.json"
    assert network.coord("report", "--output", str(html)).out == f"written: {html} and {document}\n"
    coord = [str(COORD), "audit", str(html)]
    seal = subprocess.run([*coord, "--sealed"], cwd=tmp_path, capture_output=True, check=True).stdout
    hashed = subprocess.run(["sha256sum"], input=seal, capture_output=True, check=True).stdout.split()[0].decode()
    assert hashed == network.document("status")["manifest"]
    url = network.http("defproducera")
    audited = subprocess.run([*coord, "--url", url, "--json"], cwd=tmp_path, capture_output=True, check=False)
    assert audited.returncode == 0
    assert json.loads(audited.stdout)["born"]
    steps = {step["name"]: step for step in json.loads(document.read_text())["steps"]}
    resigned = steps["resign"]["transactions"][0]
    block = network.cleos("get", "block", str(resigned["block"]), node="defproducera")
    assert resigned["id"] in [trx["trx"]["id"] for trx in block["transactions"]]
    assert steps["resign"]["began"][:19] == block["timestamp"][:19]


def test_random_transfers_are_on_the_chain_once(booted: Booted) -> None:
    """As many as the blocks hold by cleos' word; the same seed again makes none."""
    first = json.loads(booted.network.coord("transfers", "--count", "30", "--rate", "30", "--seed", "7", "--json").out)
    assert (first["confirmed"], first["failed"]) == (30, 0)
    memos: list[str] = []
    for number in range(first["blocks"][0], first["blocks"][1] + 1):
        block = booted.network.cleos("get", "block", str(number), node="defproducera")
        actions = [one for trx in block["transactions"] for one in trx["trx"]["transaction"]["actions"]]
        memos += [action["data"]["memo"] for action in actions]
    assert sorted(memos) == sorted(f"transfer {number} of seed 7" for number in range(30))
    again = booted.network.coord("transfers", "--count", "30", "--rate", "30", "--seed", "7")
    assert again.out == "30 of seed 7 had been made before\n"
