"""Boots that are stopped, and whose parts die: the next one carries on, and `down` leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal

import pytest

from boot.steps import STEPS
from tests.live.coordinator.conftest import MakeNetwork
from tests.live.coordinator.network import Network, Running, until

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
    """Returns as soon as the boot is there."""
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
    """Ctrl-C and kill -9 in turn, in boot after boot of the same network: nothing is left half done or done twice."""
    network = make_network("stopped")
    network.umask = 0o077
    network.write()
    for number, moment in enumerate(MOMENTS):
        boot = network.start("boot")
        await_moment(boot, moment)
        if number % 2:
            boot.kill()
            boot.wait(20)
        else:
            boot.interrupt()
            done = boot.wait(20)
            assert done.status == 130, done.text
            assert "Type the same command again" in done.text.splitlines()[-1]
            assert "Traceback" not in done.text
        assert network.processes()["agent"].alive
    check_finished(network)
    check_once(network)
    check_no_orphan(network)


def test_kill_9_of_agent_and_genesis_node(make_network: MakeNetwork) -> None:
    """While coord boots, the agent and then the genesis node die: both come back, and the same boot gets through."""
    network = make_network("dying")
    network.write()
    boot = network.start("boot")
    await_moment(boot, "features")
    agent = network.processes()["agent"]
    os.kill(agent.pid, signal.SIGKILL)
    await_moment(boot, "producer-nodes")
    genesis = network.processes()["genesis"]
    os.kill(genesis.pid, signal.SIGKILL)
    done = boot.wait()
    assert done.status == 0, done.text
    until(lambda: not agent.alive and not genesis.alive, "they were killed")
    check_finished(network)
    check_no_orphan(network)
