"""A real nodeos for these tests only, on ephemeral loopback ports, booted by the library under test."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from antelope import actions, features
from antelope.abi import Abi
from antelope.asset import Asset, Symbol
from antelope.authority import Authority
from antelope.errors import NodeError
from antelope.genesis import Genesis
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import Action, Transaction
from support.retry import poll
from tests.ports import free_port

SYS = Symbol(4, "SYS")
SUPPLY = Asset.parse("1000000000.0000 SYS")
SYSTEM_ACCOUNTS = ("bpay", "msig", "names", "ram", "ramfee", "rex", "saving", "stake", "token", "vpay", "wrap")


def find_nodeos() -> Path:
    """The binary named by BOOTCOORD_NODEOS; skips the test without one."""
    given = os.environ.get("BOOTCOORD_NODEOS")
    if not given:
        pytest.skip("BOOTCOORD_NODEOS does not name a nodeos binary")
    return Path(given)


def program(name: str) -> list[str]:
    """The command for nodeos or cleos: a part of a multiplexed binary, or a binary of its own."""
    binary = find_nodeos()
    return [str(binary.with_name(name))] if binary.name == "nodeos" else [str(binary), name]


def cleos(*arguments: str) -> str:
    """The output of cleos, without starting keosd."""
    command = [*program("cleos"), "--no-auto-keosd", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def contract(name: str, kind: str) -> Path:
    """The .wasm or .abi file of a contract, from BOOTCOORD_CONTRACTS or beside the binary; skips without."""
    given = os.environ.get("BOOTCOORD_CONTRACTS")
    folder = Path(given) if given else find_nodeos().parents[2] / "tests" / "contracts"
    file = folder / name / f"{name}.{kind}"
    if not file.exists():
        pytest.skip(f"no contract {file}; set BOOTCOORD_CONTRACTS")
    return file


@dataclass
class Chain:
    """A running node, its genesis, and the key of every account."""

    url: str
    p2p: str
    genesis: Genesis
    key: PrivateKey

    async def push(self, node: NodeClient, *todo: Action, signers: tuple[PrivateKey, ...] = ()) -> str:
        """Signs and pushes actions in one transaction, and returns its id."""
        info = await node.get_info()
        number, prefix = Transaction.tapos_from(info.head_block_id)
        expiration = int(info.head_block_time.timestamp()) + 60
        signed = Transaction(expiration, number, prefix, todo).sign(info.chain_id, signers or (self.key,))
        receipt = await node.send_transaction(signed)
        assert receipt.id == signed.id
        return receipt.id


def nodeos_command(folder: Path, genesis: Genesis) -> tuple[list[str], str, str]:
    """A nodeos that produces nothing yet: its command, HTTP address and p2p address."""
    (folder / "genesis.json").write_text(genesis.to_json())
    http, p2p = (f"127.0.0.1:{free_port()}" for _ in range(2))
    plugins = ("chain", "producer", "http", "chain_api", "producer_api", "net", "net_api")
    command = program("nodeos")
    for plugin in plugins:  # chain_plugin must come first
        command += ["--plugin", f"eosio::{plugin}_plugin"]
    command += ["--data-dir", str(folder / "data"), "--config-dir", str(folder / "config")]
    command += ["--genesis-json", str(folder / "genesis.json"), "--chain-state-db-size-mb", "1024"]
    command += ["--http-server-address", http, "--p2p-listen-endpoint", p2p, "--abi-serializer-max-time-ms", "2000"]
    command += ["--resource-monitor-not-shutdown-on-threshold-exceeded"]
    return command, http, p2p


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the command as a child with its output in a file, and stops it by its pid at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def make_genesis(key: PrivateKey) -> Genesis:
    """A genesis of today, for this key."""
    return Genesis(datetime.now(UTC).replace(microsecond=0), key.public)


@pytest.fixture(scope="session")
def bare_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A producing node with nothing on its chain but the genesis."""
    folder = tmp_path_factory.mktemp("nodeos")
    key = PrivateKey.generate()
    genesis = make_genesis(key)
    command, http, p2p = nodeos_command(folder, genesis)
    config = folder / "config"
    config.mkdir()
    secret = config / "config.ini"
    secret.touch(0o600)
    secret.write_text(f"signature-provider = {key.public}=KEY:{key.wif}\nmax-transaction-time = 1000\n")
    with running([*command, "-e", "-p", "eosio"], folder / "log") as process:
        chain = Chain(f"http://{http}", p2p, genesis, key)

        async def producing() -> bool:
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            async with NodeClient(chain.url) as node:
                try:
                    return (await node.get_info()).head_block_num > 1
                except NodeError:
                    return False

        asyncio.run(poll(producing, what="blocks", deadline=30, every=0.05))
        yield chain


@pytest.fixture(scope="session")
def chain(bare_chain: Chain) -> Chain:
    """The node with all protocol features, the token, eosio.msig and eosio.system on its chain."""
    asyncio.run(_boot(bare_chain))
    return bare_chain


@pytest.fixture
async def node(chain: Chain) -> AsyncIterator[NodeClient]:
    """A client of the booted chain's node."""
    async with NodeClient(chain.url) as client:
        yield client


def deploy(account: str, name: str) -> tuple[Action, Action]:
    """Code and ABI of a contract."""
    abi = Abi.parse(contract(name, "abi").read_bytes())
    return actions.setcode(account, contract(name, "wasm").read_bytes()), actions.setabi(account, abi.packed())


async def _boot(chain: Chain) -> None:
    async with NodeClient(chain.url) as node:
        ordered = features.order(await node.get_supported_protocol_features())
        assert ordered[0][0] == features.PREACTIVATE_FEATURE
        await node.schedule_protocol_feature_activations([ordered[0][1]])

        async def activated(count: int) -> bool:
            return len(await node.get_activated_protocol_features()) == count

        await poll(lambda: activated(1), what="the first feature", deadline=30, every=0.05)
        await chain.push(node, *deploy("eosio", "eosio.bios"))
        await chain.push(node, *(actions.activate(digest) for _, digest in ordered[1:]))
        # eosio.system calls what they bring:
        await poll(lambda: activated(len(ordered)), what="all features", deadline=30, every=0.05)
        own = Authority.key(chain.key.public)
        await chain.push(node, *(actions.newaccount("eosio", f"eosio.{name}", own, own) for name in SYSTEM_ACCOUNTS))
        await chain.push(node, *deploy("eosio.token", "eosio.token"))
        await chain.push(node, *deploy("eosio.msig", "eosio.msig"))
        await chain.push(
            node,
            actions.create("eosio", Asset.parse("10000000000.0000 SYS")),
            actions.issue("eosio", SUPPLY, "the supply"),
        )
        await chain.push(node, *deploy("eosio", "eosio.system"))
        await chain.push(node, actions.init(0, SYS), actions.setpriv("eosio.msig", True))
