"""What hosts are asked for before the seal, and what of their answers counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from antelope.strict_json import read_json
from coordinator.agents import proofs
from coordinator.agents.hub import Hub
from coordinator.errors import OperationFailed
from coordinator.workflows.starting import collect as module
from coordinator.workflows.starting.collect import PartyKeys, merge, wanted
from inventory.load import load
from inventory.network import Network
from protos import coordination_pb2 as pb
from tests.unit.loop import recording

TWO = """
[network]
name = "net"
[users]
count = 7
[producers]
count = 2
[parties]
sponsor = "sponsor"
[[hosts]]
name = "bank"
local = true
[[hosts]]
name = "far"
address = "10.0.0.2"
[coordinator]
listen = "0.0.0.0:7000"
advertise = "10.0.0.1"
"""


@dataclass
class Agent:
    """Answers as the agent of a host, once all hosts were asked."""

    host: str
    all_asked: asyncio.Barrier
    proof: str = "good"
    error: str = ""
    asked: list[pb.Collect] = field(default_factory=list)

    async def task(self, body: pb.Collect, deadline: float) -> pb.Result:
        self.asked.append(body)
        if len(self.asked) == 1:
            await self.all_asked.wait()
        if self.error:
            return pb.Result(error=self.error)
        return pb.Result(ok=True, collected=self._collected(body))

    def _collected(self, body: pb.Collect) -> pb.Collected:
        def keys(accounts: Iterable[str]) -> list[pb.Key]:
            return [pb.Key(account=one, public_key=f"{one} of {self.host}", proof=self.proof) for one in accounts]

        return pb.Collected(accounts=keys(body.accounts), signers=keys(body.signers), features_json="[]")


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """The genesis node on the operator's machine, and a host over SSH."""
    path = tmp_path / "net.toml"
    path.write_text(TWO)
    return load(path)


@pytest.fixture
def agents(monkeypatch: pytest.MonkeyPatch) -> dict[str, Agent]:
    """An agent per host; a proof is good if it says so, and a request holds five accounts."""
    monkeypatch.setattr(proofs, "proves", lambda key, challenge: key.proof == "good")
    monkeypatch.setattr(module, "KEYS_AT_ONCE", 5)
    barrier = asyncio.Barrier(2)
    return {host: Agent(host, barrier) for host in ("bank", "far")}


async def asked(network: Network, agents: dict[str, Agent]) -> dict[str, pb.Collected]:
    """The answers of all hosts, asked at the same time."""
    hub = cast(Hub, SimpleNamespace(links=agents))
    requests = wanted(network)
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(module._ask(network, hub, request) for request in requests))
    return dict(zip((request.host for request in requests), answers, strict=True))


def test_each_key_is_made_on_the_host_that_uses_it(network: Network) -> None:
    """A producer's on its own host; eosio's, the sponsor's and the users' on the genesis node's."""
    bank, far = wanted(network)
    assert (bank.host, bank.signers) == ("bank", ("eosio", "defproducerb"))
    assert bank.accounts[:3] == ("defproducerb", "sponsor", "useraaaaaaaa")
    assert len(bank.accounts) == 9
    assert (far.host, far.accounts, far.signers) == ("far", ("defproducera",), ("defproducera",))


def test_an_accounts_json_is_read_on_the_genesis_nodes_host_alone(tmp_path: Path) -> None:
    """Its agent imports the users; nobody makes keys for them."""
    path, accounts = tmp_path / "net.toml", tmp_path / "accounts.json"
    accounts.write_text("{}")
    path.write_text(TWO.replace("count = 7", 'count = 7\naccounts_json = "accounts.json"'))
    bank, far = wanted(load(path))
    assert (bank.import_file, far.import_file) == (str(accounts), "")
    assert bank.accounts == ("defproducerb", "sponsor")


async def test_hosts_are_asked_at_once_and_in_parts(network: Network, agents: dict[str, Agent]) -> None:
    """Each account once; what is asked once (signers, trials of nodes) is in the first part, and all answers count."""
    answers = await asked(network, agents)
    bank, far = agents["bank"].asked, agents["far"].asked
    assert [len(part.accounts) for part in bank] == [5, 4]
    assert [list(part.signers) for part in bank] == [["eosio", "defproducerb"], []]
    assert [node.name for node in far[0].nodes] == ["defproducera"]
    assert list(bank[0].nodes) == []  # no unit permits less there than preflight had
    assert len({bytes(part.nonce) for part in bank}) == 1
    assert bank[0].nonce != far[0].nonce
    assert len(answers["bank"].accounts) == 9


async def test_a_key_without_a_proof_is_refused(network: Network, agents: dict[str, Agent]) -> None:
    """With the host and the account."""
    agents["far"].proof = "forged"
    with pytest.raises(OperationFailed, match="far: its key for defproducera has no valid proof"):
        await asked(network, agents)


async def test_an_agents_error_names_its_host(network: Network, agents: dict[str, Agent]) -> None:
    """In the agent's own words."""
    agents["bank"].error = "no space left on device"
    with pytest.raises(OperationFailed, match=r"^bank: no space left on device$"):
        await asked(network, agents)


async def test_checking_proofs_leaves_the_event_loop_free(
    network: Network, agents: dict[str, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of signatures take seconds."""
    on_loop: list[bool] = []
    monkeypatch.setattr(module, "check_proofs", recording(proofs.check_proofs, on_loop))
    await asked(network, agents)
    assert on_loop == [False] * 3


async def test_the_seal_gets_what_hosts_and_parties_reported(
    network: Network, agents: dict[str, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """eosio's key apart from the producers'; a party's keys are those that it proved when it registered."""
    monkeypatch.setattr(module, "read_contracts", lambda network, folder: {})
    now = datetime(2026, 1, 2, tzinfo=UTC)
    found = merge(network, await asked(network, agents), now, {"alice": PartyKeys("EOSaccount", "EOSsigning")})
    assert found.eosio_key == "eosio of bank"
    assert found.signing_keys == {
        "alice": "EOSsigning", "defproducera": "defproducera of far", "defproducerb": "defproducerb of bank",
    }  # fmt: skip
    assert found.account_keys["alice"] == "EOSaccount"
    assert found.account_keys["useraaaaaaag"] == "useraaaaaaag of bank"
    assert found.features == {"bank": read_json(b"[]"), "far": []}
