"""Work on all hosts of a network: checked, installed, connected, stopped. A failing host does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.hub import Hub
from coordinator.errors import CoordError, OperationFailed
from coordinator.hosts import fleet
from coordinator.hosts.deploy.errors import DeployError, OtherMachine
from coordinator.hosts.deploy.installer import Installed
from coordinator.hosts.fleet import Hosts, stop_hosts, tunnelled
from coordinator.hosts.preflight.model import HostProblem, Preflight
from coordinator.reporter import StepResult
from coordinator.state.folder import StateFolder
from inventory.load import load
from inventory.network import Host, Network
from tests.unit.coordinator.engine.stage import Heard

INVENTORY = """
[network]
name = "wide"
[coordinator]
advertise = "192.0.2.9"
[[hosts]]
name = "here"
local = true
[[hosts]]
name = "h1"
address = "192.0.2.1"
[[hosts]]
name = "h2"
address = "192.0.2.2"
tunnel = true
"""


class Ssh:
    """Stands for SshDeployment: each host ends as it is told."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any, **options: Any) -> Ssh:
        self.asked.append(("made", arguments[3]))
        return self

    def install(self, hosts: Sequence[Host], ended: Callable[[str, Any], None], producers: Any) -> dict[str, Any]:
        results = {host.name: self.results.get(host.name, Installed(0, ())) for host in hosts}
        for name, result in results.items():
            ended(name, result)
        return results

    def down(self, hosts: Sequence[Host], purge: bool, foreign: bool) -> dict[str, Any]:
        self.asked.append(("down", [host.name for host in hosts], purge, foreign))
        return {host.name: self.results.get(host.name, True) for host in hosts}

    @contextmanager
    def tunnels(self, hosts: Sequence[Host], report: Callable[[str, str | None], None]) -> Iterator[None]:
        report("h2", "the connection broke")
        report("h2", None)
        yield


@pytest.fixture
def ssh(monkeypatch: pytest.MonkeyPatch) -> Ssh:
    """No SSH."""
    ssh = Ssh()
    monkeypatch.setattr(fleet, "_ssh_deployment", lambda: ssh)
    return ssh


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """One host here, two far away, one of which dials through a tunnel."""
    (path := tmp_path / "wide.toml").write_text(INVENTORY)
    return load(path)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    """Its folder."""
    state = StateFolder(tmp_path / "state", "wide")
    yield state
    state.close()


@pytest.fixture
def heard() -> Heard:
    """What is reported."""
    return Heard()


@pytest.fixture
def hosts(network: Network, state: StateFolder, heard: Heard, ssh: Ssh, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """All of them; the agent here runs already."""

    async def runs(*_: object) -> bool:
        return False

    monkeypatch.setattr(fleet, "ensure_agent", runs)
    hub = SimpleNamespace(port=4711, authority=None)
    return Hosts(network, state, cast(Hub, hub), heard)


async def test_each_host_is_installed_whatever_becomes_of_another(hosts: Hosts, ssh: Ssh, heard: Heard) -> None:
    """What was done is reported per host; a failure keeps its reason, and agents dial the advertised address."""
    ssh.results = {"h1": Installed(2_500_000, ("agent", "nodeos")), "h2": DeployError("no room")}
    assert await hosts.ensure_agents()
    assert ssh.asked == [("made", "192.0.2.9:4711")]
    assert heard.ends == [
        ("h1", StepResult.DONE, "agent, nodeos; 2.5 MB sent"),
        ("h2", StepResult.FAILED, "no room"),
    ]
    assert hosts.troubled == {"h2": "no room"}
    assert await hosts.install(frozenset()) == ("h2",)
    ssh.results = {}
    assert not await hosts.ensure_agents()
    assert heard.results == {"h1": StepResult.ALREADY, "h2": StepResult.ALREADY}


async def test_a_host_that_is_another_machine_is_not_waited_for(hosts: Hosts, ssh: Ssh) -> None:
    """A boot ends at once: the host's agent will not come back from there. `coord install` goes on with the others."""
    ssh.results = {"h1": Installed(1, ("agent",)), "h2": OtherMachine("run this")}
    with pytest.raises(OperationFailed, match=r"^h2: run this$"):
        await hosts.ensure_agents()
    assert await hosts.install(frozenset()) == ("h2",)


async def test_hosts_that_are_left_out(hosts: Hosts, ssh: Ssh, heard: Heard) -> None:
    """Those in trouble are not installed."""
    assert not await hosts.ensure_agents(frozenset({"h1", "h2", "here"}))
    assert (heard.ends, ssh.asked) == ([], [])


async def test_a_local_agent_that_had_to_be_started(
    hosts: Hosts, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is a change, and is said."""

    async def starts(*_: object) -> bool:
        return True

    monkeypatch.setattr(fleet, "ensure_agent", starts)
    assert await hosts.ensure_agents(frozenset({"h1", "h2"}))
    assert heard.notes == ["agent of here started"]


@pytest.mark.parametrize(("host", "ends"), [("here", True), ("h1", False)])
async def test_what_a_look_finds(
    host: str, ends: bool, hosts: Hosts, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is fatal on this machine, or where the genesis node is, ends the boot; elsewhere the host is left out."""
    vital = hosts._network.genesis_node.host
    fatal = HostProblem(host if ends else next(h.name for h in hosts.far if h.name != vital), "disk", True, "full", "x")

    def preflight(
        network: Network, folder: Path, ask: object, looking: Callable[[str, str], None], stop: object
    ) -> Any:
        looking("h1", "nodeos")
        return Preflight((), (), (fatal,))

    monkeypatch.setattr("coordinator.hosts.preflight.run.preflight", preflight)
    if ends:
        with pytest.raises(OperationFailed, match="here: disk: full; x"):
            await hosts.check()
        return
    assert await hosts.check() == {fatal.host}
    assert hosts.troubled == {fatal.host: "disk: full; x"}
    assert heard.results == {"preflight": StepResult.FAILED}
    assert any("FATAL" in note for note in heard.notes)
    assert "h1: nodeos" in heard.details


def test_tunnels_are_reported_while_they_are_held(
    hosts: Hosts, network: Network, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A boot says when one breaks and stands again; a command that looks shows what is broken now."""
    with hosts.reached():
        assert heard.notes == ["h2: the connection broke", "h2: its tunnel is up"]

    class Tunnels:
        def __init__(self, held: Sequence[Host], port: int, report: Callable[[str, str | None], None]) -> None:
            assert ([host.name for host in held], port) == (["h2"], 4711)
            self.report = report

        def __enter__(self) -> None:
            self.report("h2", "refused")

        def __exit__(self, *_: object) -> None:
            self.report("h2", None)

    monkeypatch.setattr("coordinator.hosts.deploy.tunnels.Tunnels", Tunnels)
    with tunnelled(network, cast(Hub, SimpleNamespace(port=4711))) as troubles:
        assert troubles == {"h2": "refused"}
    assert troubles == {}


def test_all_hosts_are_stopped(network: Network, state: StateFolder, ssh: Ssh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here and far away; which failed is returned; only one that is named is purged of another coordinator's agent."""
    monkeypatch.setattr(fleet, "stop_all", lambda data: ("genesis",))
    CertificateAuthority(state.folder / "ca", "wide")
    (data := state.host_data("here")).mkdir(parents=True)
    said: list[str] = []
    ssh.results = {"h2": DeployError("no way there")}
    failed = stop_hosts(state, network, None, False, lambda host, text: said.append(f"{host}: {text}"))
    assert {name: str(error) for name, error in failed.items()} == {"h2": "no way there"}
    assert said == ["here: stopped genesis"]
    assert data.exists()
    assert ssh.asked[-1] == ("down", ["h1", "h2"], False, False)
    assert stop_hosts(state, network, "h1", True, lambda *_: None) == {}
    assert ssh.asked[-1] == ("down", ["h1"], True, True)
    assert stop_hosts(state, network, "here", True, lambda *_: None) == {}
    assert not data.exists()


@pytest.mark.parametrize(("checks", "status"), [(("contracts",), 2), (("contracts", "disk"), 1)])
async def test_contracts_that_do_not_fit_are_a_mistake_in_the_file(
    checks: tuple[str, ...], status: int, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the plan says it: status 2. With something else in the way as well, the hosts are not ready: status 1."""
    found = tuple(HostProblem("here", check, True, "wrong", "mend it") for check in checks)
    monkeypatch.setattr("coordinator.hosts.preflight.run.preflight", lambda *_: Preflight((), (), found))
    with pytest.raises(CoordError, match="here: contracts: wrong; mend it") as refused:
        await hosts.check()
    assert refused.value.exit_status == status
