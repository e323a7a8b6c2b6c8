"""What Prometheus and Grafana are given: valid by Prometheus' own tool, and alerts that fire when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.nodeos.config import config_ini
from agent.nodeos.spec import NodeSpec
from antelope.keys import PrivateKey
from boot.roles import NEEDED
from boot.step import NodeMode
from coordinator.cli.main import run
from coordinator.engine.node_specs import node_spec
from coordinator.report.measures import measures
from coordinator.report.monitoring.scrape import jobs
from coordinator.report.status import AWAY, CONNECTED, HostRow, NetworkStatus, NodeRow, Phase
from inventory.load import load
from tests.unit.coordinator.home import Home, home

__all__ = ["home"]

STATUS = NetworkStatus(
    network="net", chain_id="ab", manifest="cd", phase=Phase.LIVE, head=200, head_age=0.4, stands=False, lib=150,
    schedule=("alice", "bob"), silent=("bob",),
    nodes=(
        NodeRow("alice", "h1", "alice", "producer", "h1:1", "http://127.0.0.1:1", "running", 200, 150, 3, ""),
        NodeRow("bob", "h2", "bob", "producer", "h2:1", "http://127.0.0.1:1", "failed", 0, 0, 0, "it ended"),
    ),
    hosts=(HostRow("h1", CONNECTED, 0.25, 7 << 30), HostRow("h2", AWAY, None, None)), steps={},
)  # fmt: skip


NETWORK = '[network]\nname = "net"\n'
HOSTS = """
[[hosts]]
name = "here"
{}
metrics = "{}"
"""


@pytest.fixture
def written(home: Home, tmp_path: Path) -> Path:
    """The files for a network of two elected producers."""
    assert run(["metrics", "home.toml", "-o", str(tmp_path / "out"), "--agent", "127.0.0.1:9101"]) == 0
    return tmp_path / "out"


@pytest.fixture
def promtool(tmp_path: Path) -> Callable[..., str]:
    """Prometheus' own checker."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")

    def check(*arguments: str) -> str:
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return check


def test_files_are_valid(written: Path, promtool: Callable[..., str]) -> None:
    """The scrape file with the rules that it names."""
    said = promtool("check", "config", str(written / "prometheus.yml"))
    assert "13 rules found" in said


def test_each_panel_asks_what_prometheus_understands(
    written: Path, promtool: Callable[..., str], tmp_path: Path
) -> None:
    """Every expression of the dashboard is PromQL."""
    panels = json.loads((written / "dashboard.json").read_text())["panels"]
    rules = [{"record": f"panel:{panel['id']}", "expr": panel["targets"][0]["expr"]} for panel in panels]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(panels)} rules found" in promtool("check", "rules", str(file))


ALERTS = [
    ("ChainStalled", {"bootcoord_head_age_seconds": "60"}),
    ("IrreversibilityStalled", {"bootcoord_head_block": "1000", "bootcoord_irreversible_block": "10"}),
    ("ProducerSilent", {'bootcoord_producer_silent{producer="bob"}': "1"}),
    ("TwoSigners", {'bootcoord_node_two_signers{node="a",host="h"}': "1"}),
    ("NodeDown", {'bootcoord_node_running{node="a",host="h"}': "0"}),
    ("NodeBehind", {"bootcoord_irreversible_block": "1000", 'bootcoord_node_head_block{node="a",host="h"}': "1"}),
    ("NodeWithoutPeers", {'bootcoord_node_peers{node="a",host="h"}': "0",
                          'bootcoord_node_running{node="a",host="h"}': "1",
                          'bootcoord_node_running{node="b",host="h"}': "1"}),
    ("AgentAway", {'bootcoord_agent_connected{host="h"}': "0"}),
    ("ClockOff", {'bootcoord_clock_offset_seconds{host="h"}': "-2"}),
    ("DiskNearlyFull", {'bootcoord_disk_free_bytes{host="h"}': "1000"}),
    ("CertificateEnds", {'bootcoord_certificate_end_timestamp_seconds{agent="h"}': "1000"}),
    ("AgentExportsNothing", {'up{job="bootcoord-agents",instance="h:1"}': "0"}),
    ("CoordinatorAway", {'up{job="bootcoord"}': "0"}),
]  # fmt: skip
HEALTHY = {
    "bootcoord_head_age_seconds": "1", "bootcoord_head_block": "1000", "bootcoord_irreversible_block": "940",
    'bootcoord_producer_silent{producer="bob"}': "0", 'bootcoord_node_running{node="a",host="h"}': "1",
    'bootcoord_node_running{node="b",host="h"}': "1",
    'bootcoord_node_head_block{node="a",host="h"}': "940", 'bootcoord_node_peers{node="a",host="h"}': "1",
    'bootcoord_agent_connected{host="h"}': "1", 'bootcoord_clock_offset_seconds{host="h"}': "0.1",
    'bootcoord_disk_free_bytes{host="h"}': "99999999999", 'bootcoord_node_two_signers{node="a",host="h"}': "0",
    'up{job="bootcoord-agents",instance="h:1"}': "1",
    'bootcoord_certificate_end_timestamp_seconds{agent="h"}': "99999999999", 'up{job="bootcoord"}': "1",
}  # fmt: skip


@pytest.mark.parametrize(("name", "changed"), [*ALERTS, ("", {})])
def test_each_alert_fires_when_it_should_and_no_other(
    written: Path, promtool: Callable[..., str], tmp_path: Path, name: str, changed: dict[str, str]
) -> None:
    """By Prometheus' own evaluation, after two hours of the same values; in a healthy network none."""
    names = re.findall(r"- alert: (\w+)", (written / "alerts.yml").read_text())
    assert [alert for alert, _ in ALERTS] == names
    series = [{"series": one, "values": f"{value}x600"} for one, value in (HEALTHY | changed).items()]
    tests = [{"eval_time": "2h", "alertname": alert, "exp_alerts": []} for alert in names if alert != name]
    file = tmp_path / "test.yml"
    input_ = {"interval": "15s", "input_series": series, "alert_rule_test": tests}
    file.write_text(json.dumps({"rule_files": [str(written / "alerts.yml")], "tests": [input_]}))
    promtool("test", "rules", str(file))
    if name:
        failing = {**input_, "alert_rule_test": [{"eval_time": "2h", "alertname": name, "exp_alerts": []}]}
        file.write_text(json.dumps({"rule_files": [str(written / "alerts.yml")], "tests": [failing]}))
        done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 1, f"{name} did not fire"
        assert name in done.stdout + done.stderr


def test_every_value_that_is_asked_for_is_exported(written: Path) -> None:
    """Alerts and dashboard use only values that are exported."""
    asked = set(re.findall(r"bootcoord_\w+", (written / "alerts.yml").read_text()))
    panels = json.loads((written / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    for panel in panels:
        asked |= set(re.findall(r"bootcoord_\w+", panel["targets"][0]["expr"]))
    assert asked <= {gauge.name for gauge in measures(STATUS, {})}


def test_the_scrape_file_names_who_exports(written: Path) -> None:
    """The coordinator and agents; no node, as the bundled nodeos has no values of its own."""
    text = (written / "prometheus.yml").read_text()
    assert 'targets: ["127.0.0.1:9464"]' in text
    assert 'targets: ["127.0.0.1:9101"]' in text
    assert "/v1/prometheus/metrics" not in text
    assert 'labels: {"network": "home"}' in text


def test_the_scrape_file_names_the_agents_of_the_inventory(tmp_path: Path) -> None:
    """Those on this machine's loopback, and those at an address; another host's loopback is said to be out of reach."""
    inventory = tmp_path / "net.toml"
    inventory.write_text(
        NETWORK
        + HOSTS.format("local = true", "127.0.0.1:9101")
        + HOSTS.format('address = "10.0.0.2"', "0.0.0.0:9101").replace("here", "wide")
        + HOSTS.format('address = "10.0.0.3"', "127.0.0.1:9101").replace("here", "far")
    )
    found = jobs(load(inventory), "127.0.0.1:9464", ["10.0.0.9:9101"])
    agents = next(job for job in found if job.name == "bootcoord-agents")
    expected = [("127.0.0.1:9101", "here"), ("10.0.0.2:9101", "wide"), ("10.0.0.9:9101", "")]
    assert [(target.at, target.host) for target in agents.targets] == expected
    assert [note.split(" listens")[0] for note in agents.notes] == ["The agent of far"]


def test_nodes_whose_nodeos_exports_are_scraped(tmp_path: Path) -> None:
    """Those of this machine that run a nodeos of the user's; they load the plugin, and a public address lacks it."""
    inventory = tmp_path / "net.toml"
    own = 'metrics = "127.0.0.1:9101"\nnodeos = "/usr/bin/nodeos"\n'
    inventory.write_text(
        f"{NETWORK}[nodeos]\nprometheus = true\n"
        + HOSTS.format("local = true", "127.0.0.1:9101").replace('metrics = "127.0.0.1:9101"\n', own)
        + HOSTS.format("local = true", "127.0.0.1:9102").replace("here", "bundled")
        + '[[nodes]]\nname = "door"\nrole = "api"\nhost = "here"\n'
    )
    network = load(inventory)
    found = next(job for job in jobs(network, "127.0.0.1:9464", []) if job.name == "nodeos")
    assert {target.host for target in found.targets} == {"here"}
    door = NodeSpec.of(node_spec(network, network.node("door")))
    lines = config_ini(door, NodeMode.NORMAL, NEEDED).splitlines()
    assert "plugin = eosio::prometheus_plugin" in lines
    assert f"http-category-address = prometheus,127.0.0.1:{door.http_port}" in lines
    assert not any(line.startswith("http-category-address = prometheus") and door.api in line for line in lines)
    other = NodeSpec.of(node_spec(network, next(node for node in network.nodes if node.host == "bundled")))
    assert "prometheus" not in config_ini(other, NodeMode.NORMAL, NEEDED, [PrivateKey.generate()])


def test_values_of_a_network() -> None:
    """Each with its labels; what is not known is left out."""
    found = {gauge.name: dict(gauge.samples) for gauge in measures(STATUS, {"h1": 5.0})}
    assert found["bootcoord_phase"][("live",)] == 1
    assert sum(found["bootcoord_phase"].values()) == 1
    assert found["bootcoord_head_block"] == {(): 200}
    assert found["bootcoord_producer_silent"] == {("alice",): 0, ("bob",): 1}
    assert found["bootcoord_node_running"] == {("alice", "h1"): 1, ("bob", "h2"): 0}
    assert found["bootcoord_node_peers"] == {("alice", "h1"): 3}
    assert found["bootcoord_agent_connected"] == {("h1",): 1, ("h2",): 0}
    assert found["bootcoord_clock_offset_seconds"] == {("h1",): 0.25}
    assert found["bootcoord_certificate_end_timestamp_seconds"] == {("h1",): 5.0}
    assert found["bootcoord_parties"] == {}
    assert all(isinstance(one, str) for gauge in measures(STATUS, {}) for values, _ in gauge.samples for one in values)


def test_what_cannot_be_written_is_one_line(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Also an address that is none."""
    Path("file").write_text("")
    assert run(["metrics", "home.toml", "-o", "file/out"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert run(["metrics", "home.toml", "--coordinator", "nowhere"]) == 2
