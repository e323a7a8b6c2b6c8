"""Whose accounts they are: a CSV of strangers, an accounts.json, another symbol, contracts of one's own."""

from __future__ import annotations

import json
import re
import shutil

from antelope.keys import PrivateKey
from support import bundled
from tests.live.coordinator.conftest import MakeNetwork
from tests.live.coordinator.network import Network

COUNT = 12


def with_csv(network: Network) -> None:
    """Users of whom nobody here has a key, and who hold nearly all stake."""
    rows = [f"stranger{chr(97 + n)}aaa,{PrivateKey.generate().public},{40_000_000}.0000" for n in range(COUNT)]
    (network.folder / "users.csv").write_text("\n".join(["account,public key,balance", *rows]) + "\n")
    network.write(users='csv = "users.csv"')


def test_csv_ends_in_voting(make_network: MakeNetwork) -> None:
    """Stake that nobody here can vote: the boot says how much is missing, and ends with status 0, every time."""
    network = make_network("strangers")
    with_csv(network)
    done = network.boot()
    assert "phase voting" in done.out
    assert re.search(r"has voted, the first election needs 150000000\.0000 SYS: others must vote", done.out)
    document = network.document("status")
    assert (document["phase"], document["schedule"]) == ("voting", ["eosio"])
    steps = {step["name"]: step["state"] for step in document["steps"]}
    assert (steps["votes"], steps["handover"], steps["resign"]) == ("done", "waits", "pending")
    account = network.cleos("get", "account", "strangeraaaa", "--json")
    assert account["core_liquid_balance"] == "9.0000 SYS"
    log = (network.state / "boot.log").read_text()
    again = network.boot()
    assert "phase voting" in again.out
    assert (network.state / "boot.log").read_text() == log


def test_accounts_json_symbol_and_contracts(make_network: MakeNetwork) -> None:
    """Users of the tutorial's file keep their keys; the token is called and divided otherwise; contracts by path."""
    network = make_network("own")
    keys = [PrivateKey.generate() for _ in range(COUNT)]
    users = [
        {"name": f"friend{chr(97 + n)}", "pub": str(key.public), "pvt": key.wif} for n, key in enumerate(keys)
    ]  # fmt: skip
    (network.folder / "accounts.json").write_text(json.dumps({"users": users, "producers": []}))
    for contract in ("eosio.token", "eosio.system"):
        shutil.copytree(bundled.fetch().contracts / contract, network.folder / "contracts" / contract)
    network.write(
        '[token]\nsymbol = "5,GOLD"\n[contracts]\ndirectory = "contracts"\n', users='accounts_json = "accounts.json"'
    )
    assert "carries on with system-contract" in network.boot("--until", "currency").out
    assert network.coord("down").status == 0  # half-way: the genesis node comes back as it was
    assert network.living() == []
    assert "phase live" in network.boot().out
    assert network.coord("verify").status == 0
    assert network.accounts()["frienda"] == keys[0].wif
    permissions = network.cleos("get", "account", "frienda", "--json")["permissions"]
    assert {entry["required_auth"]["keys"][0]["key"] for entry in permissions} == {str(keys[0].public)}
    assert network.cleos("get", "currency", "stats", "eosio.token", "GOLD")["GOLD"]["supply"].endswith(".00000 GOLD")
    sealed = json.loads((network.state / "sealed.json").read_text())
    assert not any(key.wif in json.dumps(sealed) for key in keys)
