"""Options that the real nodeos refuses are found out before anything is installed, per role, with its own reason."""

from __future__ import annotations

import pytest

from boot import roles
from boot.settings import PLUGINS, tuning
from boot.step import NodeMode
from coordinator.hosts.preflight.bundled import BundledTrials
from coordinator.hosts.preflight.told import told
from coordinator.hosts.preflight.trials import Trial
from inventory.network import Role


def trial(mode: NodeMode, options: dict[str, str], produces: bool = True) -> Trial:
    """A node of that mode."""
    return {
        "nodes": "n1", "plugins": PLUGINS, "services": [("http-server-address", "{http}")], "flags": [],
        "produces": produces, "irreversible": mode is NodeMode.AUDIT,
        "tuning": tuning(mode, options, Role.PRODUCER, produces=produces, local=True), "options": options,
    }  # fmt: skip


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> BundledTrials:
    """On this machine."""
    return BundledTrials(tmp_path_factory.mktemp("trials"))


def test_every_role_runs_as_it_will(trials: BundledTrials) -> None:
    """A producer that makes a block, a node that follows, and one that reads what is irreversible."""
    options = {"max-clients": "20", "max-transaction-time": "1000"}
    roles = [
        trial(NodeMode.NORMAL, options),
        trial(NodeMode.NORMAL, options, produces=False),
        trial(NodeMode.AUDIT, options, produces=False),
    ]
    found = trials.of(roles)
    assert (found["wrapper"], len(found["supported"])) == (False, 19)


@pytest.mark.parametrize(("role", "address"), [(Role.API, "192.0.2.7"), (Role.HISTORY, "[2001:db8::7]")])
def test_a_node_that_serves_others_is_tried_without_the_hosts_address(
    trials: BundledTrials, role: Role, address: str
) -> None:
    """This machine does not have the address; the options are tried nevertheless."""
    options = {"max-clients": "20"}
    history = f"{address}:{{history}}" if role is Role.HISTORY else ""
    serving = {
        **trial(NodeMode.NORMAL, options, produces=False),
        "plugins": roles.plugins(role, prometheus=False),
        "services": roles.services(role, "{http}", f"{address}:{{api}}", history, prometheus=False),
        "flags": roles.flags(role),
    }
    assert "error" not in trials.of([serving])


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("net-threads", "0", "net-threads 0 must be greater than 0"),
        ("http-threads", "0", "http-threads 0 must be greater than 0"),
        ("cpu-effort-percent", "101", "cpu-effort-percent 101 must be 0 - 100"),
        ("greylist-limit", "0", "Invalid limit (0) passed into set_greylist_limit. Must be between 1 and 1000."),
        ("blocks-log-stride", "0", "does not run with blocks-log-stride = 0"),
        ("max-clients", "many", "the argument ('many') for option 'max-clients' is invalid"),
        ("read-only-threads", "200", "read-only-threads not allowed on producer node"),
        ("chain-state-db-size-mb", "99999999", "filesystem error: cannot resize file: File too large"),
        ("vote-threads", "4", "has no option vote-threads"),
    ],
)
def test_what_a_producer_refuses(trials: BundledTrials, option: str, value: str, reason: str) -> None:
    """Each in the words of the line that explains it, without nodeos' own titles and places."""
    said = told(trials.of([trial(NodeMode.NORMAL, {option: value})]))
    assert reason in said
    assert "plugin_initialize" not in said
    assert "exception" not in said.lower()
