"""What an inventory can set: an accounts.json, another symbol, contracts of its own; in a boot of two parts."""

from __future__ import annotations

import json
import shutil

from antelope.keys import PrivateKey
from support import bundled
from tests.live.coordinator.network import MakeNetwork

COUNT = 12


def test_accounts_json_symbol_and_contracts(make_network: MakeNetwork) -> None:
    """Users of the tutorial's file keep their keys; the token has another symbol and precision; contracts come from
    paths, on further accounts, with privileges.
    """
    network = make_network("own")
    keys = [PrivateKey.generate() for _ in range(COUNT)]
    users = [
        {"name": f"friend{chr(97 + n)}", "pub": str(key.public), "pvt": key.wif} for n, key in enumerate(keys)
    ]  # fmt: skip
    (network.folder / "accounts.json").write_text(json.dumps({"users": users, "producers": []}))
    for contract in ("eosio.token", "eosio.system"):
        shutil.copytree(bundled.fetch().contracts / contract, network.folder / "contracts" / contract)
    shutil.copytree(bundled.fetch().contracts / "eosio.token", network.folder / "contracts" / "helper")
    for kind in ("wasm", "abi"):
        (network.folder / "contracts" / "helper" / f"eosio.token.{kind}").rename(
            network.folder / "contracts" / "helper" / f"helper.{kind}"
        )
    network.write(
        '[token]\nsymbol = "5,GOLD"\n[contracts]\ndirectory = "contracts"\n'
        '[[contracts.list]]\naccount = "eosio.wrap"\n[[contracts.list]]\naccount = "helper"\nprivileged = true\n',
        users='accounts_json = "accounts.json"',
    )
    assert "continues with system-contract" in network.boot("--until", "currency").out
    assert network.coord("down").status == 0  # half-way: the genesis node comes back as it was
    assert network.living() == []
    assert "phase live" in network.boot().out
    assert network.coord("verify").status == 0
    assert network.accounts()["frienda"] == keys[0].wif
    permissions = network.cleos("get", "account", "frienda", "--json")["permissions"]
    assert {entry["required_auth"]["keys"][0]["key"] for entry in permissions} == {str(keys[0].public)}
    assert network.cleos("get", "currency", "stats", "eosio.token", "GOLD")["GOLD"]["supply"].endswith(".00000 GOLD")
    privileged = ("eosio.msig", "eosio.wrap", "helper")
    assert all(network.cleos("get", "account", name, "--json")["privileged"] for name in privileged)
    assert not network.cleos("get", "account", "eosio.token", "--json")["privileged"]
    sealed = json.loads((network.state / "sealed.json").read_text())
    assert not any(key.wif in json.dumps(sealed) for key in keys)
