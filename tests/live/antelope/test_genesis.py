"""The limits of genesis.json, as nodeos enforces them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from antelope.errors import Unreachable
from antelope.genesis import DEFAULT_CONFIGURATION, DEVELOPMENT_KEY, Genesis, configuration_errors
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from support.retry import retrying
from tests.live.antelope.conftest import make_genesis, nodeos_command, program, running
from tests.waiting import until

pytestmark = pytest.mark.live

GENESIS = make_genesis(PrivateKey.generate())
# Each pair: the first is refused, the second, one step away, is accepted.
LIMITS = {
    "net-pct-low": ({"target_block_net_usage_pct": 9}, {"target_block_net_usage_pct": 10}),
    "net-pct-high": ({"target_block_net_usage_pct": 10001}, {"target_block_net_usage_pct": 10000}),
    "cpu-pct-low": ({"target_block_cpu_usage_pct": 9}, {"target_block_cpu_usage_pct": 10}),
    "cpu-pct-high": ({"target_block_cpu_usage_pct": 10001}, {"target_block_cpu_usage_pct": 10000}),
    "net-block": ({"max_transaction_net_usage": 1048576}, {"max_transaction_net_usage": 1048575}),
    "net-base": ({"base_per_transaction_net_usage": 514049}, {"base_per_transaction_net_usage": 514048}),
    "free-zero": (
        {"context_free_discount_net_usage_num": 0, "context_free_discount_net_usage_den": 0},
        {"context_free_discount_net_usage_num": 0, "context_free_discount_net_usage_den": 1},
    ),
    "free-num": ({"context_free_discount_net_usage_num": 101}, {"context_free_discount_net_usage_num": 100}),
    "cpu-min": (
        {"min_transaction_cpu_usage": 1001, "max_transaction_cpu_usage": 1000},
        {"min_transaction_cpu_usage": 1000, "max_transaction_cpu_usage": 1000},
    ),
    "cpu-block": ({"max_transaction_cpu_usage": 199900}, {"max_transaction_cpu_usage": 199899}),
    "depth": ({"max_authority_depth": 0}, {"max_authority_depth": 1}),
}


def starts(genesis: Genesis, folder: Path) -> bool:
    """Whether nodeos takes this genesis: it stays, with a chain, or ends with status 254."""
    folder.mkdir()
    command, _, _ = nodeos_command(folder, genesis)
    log = folder / "log"
    with running(command, log) as process:
        until(lambda: process.poll() is not None or "Blockchain started" in log.read_text(), "nodeos to start, or end")
        if process.poll() is None:
            return True
        assert process.returncode == 254, log.read_text()[-1000:]
        return False


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_those_of_nodeos(name: str, tmp_path: Path) -> None:
    """Each limit is reported exactly where nodeos refuses to start."""
    for number, (change, accepted) in enumerate(zip(LIMITS[name], (False, True), strict=True)):
        genesis = replace(GENESIS, initial_configuration={**DEFAULT_CONFIGURATION, **change})
        messages = configuration_errors(genesis.initial_configuration)
        assert (not messages) is accepted, messages
        assert starts(genesis, tmp_path / str(number)) is accepted


def test_defaults_are_those_of_nodeos(tmp_path: Path) -> None:
    """nodeos, given no genesis, starts with our default configuration and the development key."""
    command = [*program("nodeos"), "--plugin", "eosio::chain_plugin", "--chain-state-db-size-mb", "1024"]
    command += ["--data-dir", str(tmp_path / "d"), "--config-dir", str(tmp_path / "c")]
    command += ["--resource-monitor-not-shutdown-on-threshold-exceeded"]
    with running(command, tmp_path / "log") as process:
        until(lambda: process.poll() or "Blockchain started" in (tmp_path / "log").read_text(), "nodeos to start")
        assert process.poll() is None
    extracted = tmp_path / "extracted.json"
    with running([*command, "--extract-genesis-json", str(extracted)], tmp_path / "log2"):
        done = "Extracted genesis state"  # this build does not exit afterwards
        until(lambda: done in (tmp_path / "log2").read_text(), done)
    genesis = Genesis.from_json(extracted.read_bytes())
    assert genesis.initial_configuration == DEFAULT_CONFIGURATION
    assert str(genesis.initial_key) == DEVELOPMENT_KEY
    assert Genesis.from_json(genesis.to_json()) == genesis
    assert genesis.chain_id() == "8a34ec7df1b8cd06ff4a8abbaa7cc50300823350cadc59ab296cb00d104d2b8f"


@pytest.mark.parametrize(("milliseconds", "first"), [(888, "08.500"), (499, "08.000"), (999, "08.500")])
async def test_a_moment_on_no_half_second(milliseconds: int, first: str, tmp_path: Path) -> None:
    """nodeos accepts any millisecond: the chain id has exactly that time, the first block the half second before."""
    moment = datetime(2018, 6, 8, 8, 8, 8, milliseconds * 1000, UTC)
    genesis = replace(GENESIS, initial_timestamp=moment)
    command, http, _ = nodeos_command(tmp_path, genesis)
    with running(command, tmp_path / "log"):
        async with NodeClient(f"http://{http}") as node:
            info = await retrying(node.get_info, on=Unreachable, deadline=30.0)
    assert info.chain_id == genesis.chain_id()
    assert info.head_block_num == 1
    assert info.head_block_time == datetime.fromisoformat(f"2018-06-08T08:08:{first}+00:00")
