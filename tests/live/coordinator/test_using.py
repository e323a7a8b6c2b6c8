"""Commands on a running network: coord wait, env, keys and cleos, checked with curl, bash and cleos; then the examples
of docs/*.md that are marked *network*, as they stand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from antelope.keys import PrivateKey
from support import bundled
from tests.live.coordinator.network import MakeNetwork, Network
from tests.live.docs.examples import NETWORK, PAGES, Folder, examples
from tests.live.keosd import running_keosd


@pytest.fixture(scope="module")
def network(make_shared: MakeNetwork, tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Booted to its end; wallets' passwords lie beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("xdg")))
        made = make_shared("devnet")
        made.write()
        waiting = made.start("wait", "--json")
        made.boot()
        done = waiting.wait()
        assert done.status == 0, done.text
        assert json.loads(done.text.splitlines()[-1])["phase"] == "live"
    return made


def test_waiting(network: Network) -> None:
    """If the block comes, status 0; otherwise status 1, with what is missing."""
    head = network.document("status")["head_block"]
    done = network.coord("wait", "--block", str(head + 2), "--lib", str(head))
    assert done.status == 0, done.text
    assert done.out.startswith("devnet: live, head ")
    late = network.coord("wait", "--block", "100000000", "--seconds", "1", "--json")
    document = json.loads(late.out)
    assert (late.status, document["reached"], document["phase"]) == (1, False, "live")
    assert document["missing"] == [f"the head is block {document['head_block']}, not 100000000"]


def test_env_in_a_shell(network: Network) -> None:
    """bash evaluates its lines, and curl reaches this chain at the URL, which is not the audit node's; the key files
    exist.
    """
    lines = network.coord("env").out
    script = f'{lines}\ncurl -sf "$COORD_URL/v1/chain/get_info"; echo; echo "$COORD_CHAIN_ID"; ls "$COORD_KEYS"'
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    info, chain_id, keys = done.stdout.splitlines()
    assert json.loads(info)["chain_id"] == chain_id
    assert keys == str(network.data / "keys" / "accounts.json")
    document = network.document("env")
    assert document["chain_id"] == chain_id
    assert [node["name"] for node in document["nodes"]] == ["defproducera", "defproducerb"]
    assert document["url"] == network.http("defproducera")


def test_keys(network: Network) -> None:
    """Public keys are those on the chain; private keys are printed only on request, and match."""
    chain = network.cleos("get", "account", "useraaaaaaaa", "--json", node="defproducera")
    active = next(one for one in chain["permissions"] if one["perm_name"] == "active")
    said = network.coord("keys", "useraaaaaaaa")
    assert active["required_auth"]["keys"][0]["key"] in said.out
    everything = network.coord("keys").text + network.coord("keys", "--json").text
    assert not [secret for secret in network.accounts().values() if secret in everything]
    (one,) = json.loads(network.coord("keys", "useraaaaaaaa", "--private", "--json").out)
    assert str(PrivateKey.parse(one["private"]).public) == one["public"]
    missing = network.coord("keys", "nobody")
    assert (missing.status, "no host of this machine has a key of nobody" in missing.err) == (2, True)


def test_cleos(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks a node that takes transactions, signs with the wallet of `agent wallet`, and passes cleos' status on."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    info = network.coord("cleos", "--", "get", "info")
    assert json.loads(info.out)["chain_id"] == network.document("env")["chain_id"]
    assert network.coord("cleos", "--", "get", "account", "nobody").status == 1
    transfer = ["--", "transfer", "useraaaaaaaa", "useraaaaaaab", "1.0000 SYS", "hello"]
    refused = network.coord("cleos", *transfer)
    assert (refused.status, "no keosd with a wallet of devnet runs" in refused.err) == (1, True)
    with running_keosd(bundled.fetch(), tmp_path / "keosd") as keosd:
        command = [sys.executable, "-m", "agent.cli", "wallet", "--data", str(network.data), "--keosd", keosd.url]
        subprocess.run([*command, "useraaaaaaaa"], env=dict(os.environ), capture_output=True, check=True)
        done = network.coord("cleos", *transfer)
        assert (done.status, "executed transaction" in done.err) == (0, True), done.text
    balance = network.coord("cleos", "get", "currency", "balance", "eosio.token", "useraaaaaaab")
    assert balance.out.split() == ["10.0000", "SYS"]


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page, NETWORK)], ids=lambda page: page.name)
def test_examples_of_the_docs(network: Network, page: Path) -> None:
    """Each ends well, in the folder of a clone: inventory/devnet.toml, and the environment in .venv."""
    for place, there in (
        (network.folder / "inventory" / "devnet.toml", network.inventory),
        (network.folder / ".venv" / "bin", Path(sys.executable).parent),
    ):
        place.parent.mkdir(exist_ok=True)
        if not place.exists():
            place.symlink_to(there)
    folder = Folder(network.folder)
    for example in examples(page, NETWORK):
        folder.run(example)
