"""`coord devnet` as a person types it: new, kept, forgotten, and reset; checked by cleos, curl and the boot."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.live.coordinator.network import MakeNetwork, Network
from tests.ports import free_port


@pytest.fixture(scope="module")
def devnet(make_shared: MakeNetwork) -> Network:
    """A devnet that is kept, started in the background."""
    made = make_shared("dev")
    made.ports["genesis"] = (free_port(), free_port())
    p2p, http = made.ports["genesis"]
    done = made.type("devnet", "--name", "dev", "--p2p-port", str(p2p), "--http-port", str(http), "--detach")
    assert done.status == 0, done.text
    assert done.out.startswith("dev: ready in ")
    made.state.joinpath("devnet.toml").rename(made.inventory)  # which the commands below are given
    made.state.joinpath("devnet.toml").symlink_to(made.inventory)
    return made


def test_blocks_at_once(devnet: Network) -> None:
    """It makes blocks, the contracts are there, the users have tokens, and pages of any origin may ask."""
    info = devnet.cleos("get", "info")
    assert info["head_block_producer"] == "eosio"
    assert devnet.cleos("get", "currency", "stats", "eosio.token", "SYS")["SYS"]["issuer"] == "eosio"
    user = devnet.cleos("get", "account", "useraaaaaaac", "--json")
    assert (user["core_liquid_balance"], user["ram_quota"] > 1 << 20) == ("100000.0000 SYS", True)
    asked = ["curl", "-si", "-H", "Origin: https://dapp.example", f"{devnet.http('genesis')}/v1/chain/get_info"]
    assert "Access-Control-Allow-Origin: *" in subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_its_name_stands_for_its_inventory(devnet: Network) -> None:
    """`coord env dev`, `coord keys dev`: the chain's URL and id, and eosio's key."""
    found = json.loads(devnet.type("env", "dev", "--json").out)
    assert (found["url"], found["chain_id"]) == (devnet.http("genesis"), devnet.cleos("get", "info")["chain_id"])
    eosio = devnet.cleos("get", "account", "eosio", "--json")["permissions"][0]["required_auth"]["keys"][0]["key"]
    assert eosio in devnet.type("keys", "dev", "eosio").out


@pytest.mark.advice(
    "coordinator/cli/devnet.py: coord keys --private",
    "coordinator/cli/devnet.py: coord cleos -- get info",
    "coordinator/cli/devnet.py: coord env",
)
def test_the_lines_that_it_prints_can_be_typed(devnet: Network) -> None:
    """Each printed command can be typed as it is: the keys, cleos on this chain, its URL for a program."""
    said = devnet.type("devnet", "--detach").out
    assert "runs already" in said
    lines = {word: line for word in ("keys", "cleos", "env") for line in re.findall(rf"\S*coord {word} .*", said)}
    assert re.search(r"eosio .*\b5[HJK]\w{49}\b", devnet.typed(lines["keys"]).out)
    assert json.loads(devnet.typed(lines["cleos"]).out)["chain_id"] == devnet.cleos("get", "info")["chain_id"]
    assert devnet.http("genesis") in devnet.typed(lines["env"]).out


def test_the_boot_has_nothing_left_to_do(devnet: Network) -> None:
    """The boot reads the evidence of every step, and finds all done; the status calls the network live."""
    assert "Nothing to do: everything is done and running." in devnet.boot().out
    document = devnet.document("status")
    assert (document["phase"], document["problems"]) == ("live", [])
    assert {step["state"] for step in document["steps"]} == {"done"}


def test_it_begins_again_with_the_same_keys(devnet: Network) -> None:
    """After `coord devnet reset` the chain is short again, under the same id and keys, and without what happened."""
    before, keys = devnet.cleos("get", "info"), devnet.type("keys", "dev").out
    done = devnet.type("devnet", "reset")
    assert (done.status, done.out.startswith("dev: started again in ")) == (0, True), done.text
    after = devnet.cleos("get", "info")
    assert after["chain_id"] == before["chain_id"]
    assert after["head_block_num"] < before["head_block_num"]
    assert devnet.type("keys", "dev").out == keys


@pytest.mark.advice("coordinator/cli/devnet.py: coord down …")
def test_the_chain_goes_on_after_down(devnet: Network) -> None:
    """The printed `coord down` and `coord devnet` bring the same chain back, longer than before; Ctrl-C stops it."""
    before = devnet.cleos("get", "info")
    (line,) = re.findall(r"stop it with +(.*)", devnet.type("devnet", "--detach").out)
    assert devnet.typed(line).status == 0
    assert not devnet.living()
    again = devnet.start_typed("devnet")
    again.await_text("Ctrl-C stops it")
    after = devnet.cleos("get", "info")
    assert after["chain_id"] == before["chain_id"]
    assert after["head_block_num"] >= before["last_irreversible_block_num"]
    again.interrupt()
    assert "its chain is kept" in again.wait().out
    assert not devnet.living()


def test_forgetting(devnet: Network) -> None:
    """--forget begins another chain, and leaves neither chain nor keys behind when it ends."""
    before = json.loads((devnet.state / "sealed.json").read_text())["chain_id"]
    running = devnet.start_typed("devnet", "--forget")
    running.await_text("Ctrl-C stops it")
    assert devnet.cleos("get", "info")["chain_id"] != before
    running.interrupt()
    assert "its chain is removed" in running.wait().out
    assert [path.name for path in devnet.state.iterdir()] == ["devnet.toml"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--name", "No"], "--name: "),
        (["--name", "one", "--http-port", "9000", "--p2p-port", "9000"], "9000 is taken"),
        (["--name", "two", "--symbol", "SYS"], "token.symbol"),
    ],
)
def test_mistakes(options: list[str], said: str, tmp_path: Path) -> None:
    """A wrong name, port or symbol is one line and status 2, and nothing is started."""
    done = Network(tmp_path, "none").type("devnet", *options)
    assert (done.status, said in done.err) == (2, True), done.text
    assert not list(tmp_path.glob(".coord/*"))
