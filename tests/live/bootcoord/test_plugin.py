"""The pytest plugin in another project: pytest runs in a separate process and folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = """
import json
import urllib.request

import pytest
from antelope.errors import AssertionFailed

TRANSFER = {"from": "useraaaaaaaa", "to": "useraaaaaaab", "quantity": "1.0000 SYS", "memo": ""}


def balance(network):
    return network.rows("eosio.token", "accounts", "useraaaaaaab")[0]["balance"]


def test_a_transfer(antelope_network):
    pushed = antelope_network.act("eosio.token", "transfer", TRANSFER, actor="useraaaaaaaa")
    assert pushed.block > 0
    assert balance(antelope_network) == "100001.0000 SYS"
    with urllib.request.urlopen(f"{antelope_network.url}/v1/chain/get_info") as answer:
        assert json.load(answer)["chain_id"] == antelope_network.chain_id


def test_reset(antelope_network):
    key, chain_id = antelope_network.key("eosio"), antelope_network.chain_id
    antelope_network.act("eosio.token", "transfer", TRANSFER, actor="useraaaaaaaa")
    antelope_network.reset()
    assert balance(antelope_network) == "100000.0000 SYS"
    assert (antelope_network.key("eosio"), antelope_network.chain_id) == (key, chain_id)


def test_a_refusal(antelope_network):
    too_much = TRANSFER | {"quantity": "9999999.0000 SYS"}
    with pytest.raises(AssertionFailed, match="overdrawn balance"):
        antelope_network.act("eosio.token", "transfer", too_much, actor="useraaaaaaaa")


def test_async(antelope_network):
    import asyncio

    async def read():
        async with antelope_network.open_chain() as chain:
            return (await chain.client.get_info()).head_block_producer

    assert asyncio.run(read()) == "eosio"
"""


@dataclass(frozen=True)
class Done:
    """How pytest ended."""

    status: int
    text: str

    def outcomes(self) -> dict[str, int]:
        """Tests by outcome."""
        return {name: int(count) for count, name in re.findall(r"(\d+) (passed|failed|errors?)", self.text)}


def run(folder: Path, *options: str) -> Done:
    """Runs pytest there, with the installed plugins."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(folder / "tmp"), *options],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with tests and an ini file, without bootcoord's code."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_mine.py").write_text(TESTS)
    return tmp_path


def living(folder: Path) -> list[str]:
    """Processes that have the folder on their command line."""
    found = subprocess.run(["pgrep", "-af", str(folder / "tmp")], capture_output=True, text=True, check=False).stdout
    return [line for line in found.splitlines() if "pgrep" not in line]


@pytest.mark.campaign
def test_a_network_per_worker(project: Path) -> None:
    """Under xdist each worker has its own devnet; all tests pass, and nothing is left running."""
    done = run(project, "-n", "2", "--dist", "load")
    assert (done.status, done.outcomes()) == (0, {"passed": 4}), done.text
    assert not living(project)


@pytest.mark.parametrize(
    ("options", "inventory", "said"),
    [
        (["--antelope-inventory", "mine.toml"], "[network]\n", "mine.toml: network.name: is missing"),
        (["--antelope-inventory", "mine.toml", "-n", "1"], "", "an inventory has fixed ports"),
        (["--antelope-keep"], "", "to keep it, say where: --antelope-state DIR"),
    ],
)
def test_mistakes_are_one_line(project: Path, options: list[str], inventory: str, said: str) -> None:
    """A mistake is reported without a traceback, once per test that uses the fixture."""
    (project / "mine.toml").write_text(inventory)
    done = run(project, *options)
    assert done.outcomes().get("errors") == 4, done.text
    assert f"antelope_network: {said}" in done.text.replace(f"{project}/", "")
    assert "Traceback" not in done.text


def test_it_costs_nothing_unused(project: Path) -> None:
    """If no test uses a network, nothing of it is imported."""
    (project / "test_mine.py").write_text(
        "import sys\ndef test(): assert not {'grpc', 'coordinator'} & set(sys.modules)\n"
    )
    assert run(project).outcomes() == {"passed": 1}
