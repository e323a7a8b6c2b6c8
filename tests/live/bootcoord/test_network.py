"""The Python package on a devnet and on a network from tables, as a program uses it; checked by cleos."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from antelope.errors import AssertionFailed, DuplicateTransaction, ResourceExceeded
from bootcoord import (
    CoordError,
    Devnet,
    Event,
    Network,
    Noted,
    OnExit,
    Phase,
    PrivateKey,
    StepBegan,
    StepEnded,
    StepResult,
)
from bootcoord.chain import Chain, Until
from coordinator.errors import UsageProblem
from inventory.errors import InventoryError
from support import bundled
from support.retry import DeadlineError
from tests.ports import free_port


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of the module's networks."""
    return tmp_path_factory.mktemp("bootcoord")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def devnet(folder: Path) -> AsyncIterator[Devnet]:
    """A running devnet, which ends with the module."""
    http, p2p = free_port(), free_port()
    async with Devnet.named("api", state=folder, http_port=http, p2p_port=p2p, on_exit=OnExit.PURGE) as net:
        await net.boot()
        yield net
    assert not (folder / "api" / "sealed.json").exists()


def cleos(chain: Chain, *arguments: str) -> dict[str, object]:
    """What cleos says about it, as JSON."""
    command = [*bundled.fetch().command("cleos"), "-u", chain.client.base_url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    document: dict[str, object] = json.loads(done.stdout)
    return document


def coord(net: Network, *words: str) -> Any:
    """The JSON that `coord` prints."""
    command = [str(Path(sys.executable).with_name("coord")), "--state", str(net.state), *words]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.asyncio(loop_scope="module")
class TestDevnet:
    """One chain for all."""

    async def test_a_push_takes_effect_once(self, devnet: Devnet) -> None:
        """A transaction is in the named block; the same bytes again change nothing and raise nothing."""
        chain = await devnet.chain()
        data = {"from": "useraaaaaaaa", "to": "useraaaaaaab", "quantity": "1.5000 SYS", "memo": "rent"}
        signed = await chain.sign(await chain.action("eosio.token", "transfer", data, actor="useraaaaaaaa"))
        first, second = await chain.push_signed(signed), await chain.push_signed(signed, until=Until.IRREVERSIBLE)
        assert first == second
        block = cleos(chain, "get", "block", str(first.block))
        assert [entry["trx"]["id"] for entry in block["transactions"]].count(first.id) == 1  # type: ignore[attr-defined]
        assert await chain.rows("eosio.token", "accounts", "useraaaaaaab") == [{"balance": "100001.5000 SYS"}]
        with pytest.raises(DuplicateTransaction):
            await chain.client.send_transaction(signed)

    async def test_what_a_contract_refuses(self, devnet: Devnet) -> None:
        """The error of a contract's check has the contract's message."""
        chain = await devnet.chain()
        data = {"from": "useraaaaaaaa", "to": "useraaaaaaab", "quantity": "999999999.0000 SYS", "memo": ""}
        with pytest.raises(AssertionFailed, match="overdrawn balance"):
            await chain.push(await chain.action("eosio.token", "transfer", data, actor="useraaaaaaaa"))
        with pytest.raises(CoordError, match="no host of this machine has a key of nobody"):
            await chain.push(await chain.action("eosio.token", "transfer", data, actor="nobody"))

    async def test_an_account_of_ones_own(self, devnet: Devnet) -> None:
        """eosio creates an account, which signs with its own key and cannot use more RAM than it has."""
        chain = await devnet.chain()
        key = await chain.create_account("alice", ram="1.0000 SYS", stake="1.0000 SYS")
        account = cleos(chain, "get", "account", "alice", "--json")
        assert account["permissions"][0]["required_auth"]["keys"][0]["key"] == str(key.public)  # type: ignore[index]
        with pytest.raises(ResourceExceeded):
            await chain.deploy("alice", bytes(100_000), b'{"version": "eosio::abi/1.1"}')

    async def test_waiting(self, devnet: Devnet) -> None:
        """Waits for a row and for an irreversible block succeed; a timeout names what was waited for."""
        chain = await devnet.chain()
        await chain.wait_for_row("eosio", "rammarket", lambda row: str(row["supply"]).endswith("RAMCORE"))
        head = (await chain.client.get_info()).head_block_num
        assert (await devnet.wait_for(lib=head + 1, seconds=60)).lib > head
        with pytest.raises(DeadlineError, match=r"a row in eosio\.token's accounts"):
            await chain.wait_for_row("eosio.token", "accounts", lambda _: False, scope="alice", seconds=0.3)

    async def test_it_is_coords_network(self, devnet: Devnet) -> None:
        """Status and keys are those that coord prints; a stopped node starts again."""
        status = await devnet.wait_for(phase=Phase.LIVE, seconds=60)
        assert (status.network, status.schedule, status.node("genesis").state) == ("api", ("eosio",), "running")
        told = coord(devnet, "keys", "api", "--json")
        keys = devnet.keys()
        assert [one["account"] for one in told] == [one.account for one in keys]
        assert str(devnet.key("eosio").public) == told[0]["public"]
        assert "is stopped" in await devnet.stop_node("genesis", force=True)
        assert (await devnet.status()).node("genesis").state == "stopped"
        assert await devnet.start_node("genesis") == "genesis is started"

    async def test_reset(self, devnet: Devnet) -> None:
        """After a reset the chain has the same id and keys, and nothing that happened before."""
        chain = await devnet.chain()
        key = devnet.key("useraaaaaaaa")
        await devnet.reset()
        again = await devnet.chain()
        assert again.chain_id == chain.chain_id
        assert await again.rows("eosio.token", "accounts", "useraaaaaaab") == [{"balance": "100000.0000 SYS"}]
        assert await again.client.find_account("alice") is None
        assert devnet.key("useraaaaaaaa") == key


@pytest.mark.campaign
async def test_a_network_from_tables(folder: Path) -> None:
    """A network from tables boots with events, is saved and reset, gets another node, and is purged."""
    tables = {
        "network": {"name": "tables"},
        "users": {"count": 5},
        "producers": {"count": 0, "elected": 0},
        "nodes": [{"role": "genesis", "p2p_port": free_port(), "http_port": free_port()}],
    }
    async with Network.load(tables, state=folder, on_exit=OnExit.PURGE) as net:
        assert net.plan()[0].name == "genesis"
        assert (await net.status()).phase is Phase.PLANNED
        events: list[Event] = [event async for event in net.booting()]
        assert any(isinstance(event, Noted) and event.text.startswith("sealed: chain ") for event in events)
        assert "accounts" in {event.step for event in events if isinstance(event, StepBegan)}
        well = (StepResult.DONE, StepResult.ALREADY)
        ended = {event.step for event in events if isinstance(event, StepEnded) and event.result in well}
        assert {step.name for step in net.plan()} <= ended
        with pytest.raises(UsageProblem, match="eosio keeps its key"):
            await net.verify()
        await net.save()
        chain = await net.chain()
        data = {"from": "useraaaaaaaa", "to": "useraaaaaaab", "quantity": "1.0000 SYS", "memo": ""}
        pushed = await chain.push(await chain.action("eosio.token", "transfer", data, actor="useraaaaaaaa"))
        assert pushed.block > 0
        await net.reset()
        chain = await net.chain()
        assert await chain.rows("eosio.token", "accounts", "useraaaaaaab") == [{"balance": "9.0000 SYS"}]
        result = await net.add_node(name="relay", role="full", p2p_port=free_port(), http_port=free_port())
        assert result.changed
        assert (await net.status()).node("relay").state == "running"
    assert not (folder / "tables").exists()


def test_wrong_inventories(tmp_path: Path) -> None:
    """Every mistake raises one of the project's own errors; a user's file is not changed."""
    with pytest.raises(InventoryError, match=r"network\.name"):
        Network.load({"network": {}}, state=tmp_path)
    with pytest.raises(InventoryError, match=r"producers\.count: -1"):
        Network.load('[network]\nname = "n"\n[producers]\ncount = -1\n', state=tmp_path)
    with pytest.raises(InventoryError, match="cannot be read"):
        Network.load(tmp_path / "none.toml", state=tmp_path)


def test_keys_are_not_shown(tmp_path: Path) -> None:
    """repr() and str() show no private key."""
    key = PrivateKey.generate()
    assert key.wif not in repr(key)
