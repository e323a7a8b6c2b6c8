"""Boots that are stopped, and whose parts die: the next one carries on, and `down` leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal

import pytest

from antelope.keys import PrivateKey
from boot.steps import STEPS
from tests.live.coordinator.network import Done, MakeNetwork, Network, Running
from tests.waiting import until

pytestmark = pytest.mark.campaign  # minutes each: `make campaign-live`, by hand and before releases

NAMES = [step.name for step in STEPS]
MOMENTS = (
    "agent of local",
    "collecting",
    "genesis",
    "features",
    "init",
    "accounts",
    "register",
    "votes",
    "canary-exec",
)
"""When a boot is stopped: once it said that, or that this step (or, when that is done already, a later one) is done."""


def await_moment(boot: Running, moment: str) -> None:
    """Waits until the boot has reached that step."""
    if moment not in NAMES:
        boot.await_text(moment)
        return
    later = "|".join(NAMES[NAMES.index(moment) :])
    boot.await_match(rf"^ +ok +({later}) ")


def check_finished(network: Network) -> None:
    """A boot goes through to the end, and the audit finds nothing."""
    done = network.boot()
    assert "phase live" in done.out
    assert network.coord("verify").status == 0


def check_once(network: Network) -> None:
    """No transaction was made twice, and each is in the command log once."""
    steps = {step["name"]: step["transactions"] for step in network.document("status")["steps"]}
    once = ("boot-contract", "features", "system-contract", "init", "accounts", "canary-exec", "resign")
    assert {name: steps[name] for name in once} == dict.fromkeys(once, 1)
    log = re.findall(r"step=(\S+) transaction=(\S+) block=[1-9]", (network.state / "boot.log").read_text())
    assert len(log) == len(set(log)) == sum(steps.values()) - steps["preactivate"]


def check_no_orphan(network: Network) -> None:
    """After `down` no process of the network lives."""
    processes = network.processes()
    assert processes
    assert network.coord("down").status == 0
    assert not any(process.alive for process in processes.values())
    assert network.living() == []


def test_stopped_at_many_moments(make_network: MakeNetwork) -> None:
    """Ctrl-C and kill -9 in turn, in boot after boot of the same network, and once of the agent while coord works:
    nothing is left half done or done twice.
    """
    network = make_network("stopped")
    network.umask = 0o077
    network.write()
    for number, moment in enumerate(MOMENTS):
        boot = network.start("boot")
        await_moment(boot, moment)
        if moment == "features":
            os.kill(network.processes()["agent"].pid, signal.SIGKILL)
            boot.await_text("the agent of local ended and is started again")
            await_moment(boot, "currency")
        if number % 2:
            boot.kill()
            boot.wait(20)
        else:
            boot.interrupt()
            done = boot.wait(20)
            assert done.status == 130, done.text
            assert "Run the same command again" in done.text.splitlines()[-1]
            assert "Traceback" not in done.text
        assert network.processes()["agent"].alive
    check_finished(network)
    check_once(network)
    check_no_orphan(network)


def test_stopped_before_the_resignation_is_irreversible(make_network: MakeNetwork) -> None:
    """The next boot finds it done, and does not call the network live before that is irreversible: the audit,
    which reads irreversible state, finds everything there at once.
    """
    network = make_network("reversible")
    network.write(producers=3, elected=3)  # one alone makes blocks irreversible at once
    boot = network.start("boot")
    await_moment(boot, "canary-exec")

    def resigned() -> bool:
        permissions = network.cleos("get", "account", "eosio", "--json")["permissions"]
        return all(each["required_auth"]["accounts"] for each in permissions)

    until(resigned, "eosio resigned")
    boot.kill()
    boot.wait(20)
    check_finished(network)
    check_once(network)


def test_kill_9_of_the_genesis_node(make_network: MakeNetwork) -> None:
    """While coord boots, the genesis node dies: it comes back with its chain, and the same boot gets to its end."""
    network = make_network("dying")
    strangers = [f"stranger{letter}aaa,{PrivateKey.generate().public},40000000.0000" for letter in "abcdefghijkl"]
    (network.folder / "users.csv").write_text("\n".join(["account,public key,balance", *strangers]) + "\n")
    network.write(users='csv = "users.csv"')
    boot = network.start("boot")
    await_moment(boot, "producer-nodes")
    genesis = network.processes()["genesis"]
    os.kill(genesis.pid, signal.SIGKILL)
    done = boot.wait()
    assert done.status == 0, done.text
    until(lambda: not genesis.alive, "it was killed")
    check_voting(network, done)


def check_voting(network: Network, done: Done) -> None:
    """Stake that nobody here can vote: the boot says how much is missing, and typed again it does nothing more."""
    assert "phase voting" in done.text
    assert re.search(r"has voted, the first election needs 150000000\.0000 SYS: others must vote", done.text)
    document = network.document("status")
    assert (document["phase"], document["schedule"]) == ("voting", ["eosio"])
    steps = {step["name"]: step["state"] for step in document["steps"]}
    assert (steps["votes"], steps["handover"], steps["resign"]) == ("done", "waits", "pending")
    assert network.cleos("get", "account", "strangeraaaa", "--json")["core_liquid_balance"] == "9.0000 SYS"
    log = (network.state / "boot.log").read_text()
    assert "phase voting" in network.boot().out
    assert (network.state / "boot.log").read_text() == log
