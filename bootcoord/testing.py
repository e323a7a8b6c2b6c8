"""A booted network for tests, scripts and notebooks that are not async; the fixture `antelope_network` returns one."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import Action
from bootcoord.chain import SECONDS, Chain, Pushed, Row, Until
from bootcoord.devnet import Devnet
from bootcoord.network import Network, OnExit
from coordinator.errors import OperationFailed
from coordinator.workflows.using.in_use import AccountKeys

T = TypeVar("T")


class BootedNetwork:
    """A running network. Its methods block; `network` and `open_chain` are for async tests.

    Errors are those of `Network` and `Chain`. A failed check of a contract is an `antelope.errors.AssertionFailed` with
    the contract's message.
    """

    def __init__(self, network: Network, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        """Use `open_network`. run: runs a coroutine to its end."""
        self.network = network
        """The same network for async code."""
        self._run = run
        self._chain: Chain = run(network.chain())

    @property
    def url(self) -> str:
        """The URL of a node that takes transactions, for eosjs, wharfkit and cleos."""
        return self._chain.client.base_url

    @property
    def chain_id(self) -> str:
        """The chain's id, in hexadecimal."""
        return self._chain.chain_id

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts whose keys are at hand; eosio comes first if it is among them."""
        return tuple(one.account for one in self.keys())

    def keys(self, *accounts: str) -> tuple[AccountKeys, ...]:
        """Their key pairs."""
        return self.network.keys(*accounts)

    def key(self, account: str) -> PrivateKey:
        """The private key of an account."""
        return self._chain.key(account)

    def open_chain(self) -> Chain:
        """The chain, for an async test: `async with antelope_network.open_chain() as chain`."""
        return Chain(NodeClient(self.url), self.chain_id, self.key)

    def action(
        self, contract: str, name: str, data: Mapping[str, Any], *, actor: str, permission: str = "active"
    ) -> Action:
        """As `Chain.action`."""
        return self._wait(self._chain.action(contract, name, data, actor=actor, permission=permission))

    def push(self, *actions: Action, until: Until = Until.BLOCK, seconds: float = SECONDS) -> Pushed:
        """As `Chain.push`."""
        return self._wait(self._chain.push(*actions, until=until, seconds=seconds))

    def act(self, contract: str, name: str, data: Mapping[str, Any], *, actor: str) -> Pushed:
        """One action in a transaction of its own."""
        return self.push(self.action(contract, name, data, actor=actor))

    def create_account(self, name: str, *, creator: str = "eosio", ram: str = "", stake: str = "") -> PrivateKey:
        """As `Chain.create_account`."""
        return self._wait(self._chain.create_account(name, creator=creator, ram=ram, stake=stake))

    def deploy(self, account: str, wasm: bytes | Path, abi: bytes | str | Path | Mapping[str, Any]) -> Pushed:
        """As `Chain.deploy`."""
        return self._wait(self._chain.deploy(account, wasm, abi))

    def rows(self, contract: str, table: str, scope: str | None = None) -> list[Row]:
        """As `Chain.rows`."""
        return self._wait(self._chain.rows(contract, table, scope))

    def call(self, path: str, body: object = None) -> Any:
        """One call of nodeos' HTTP API, as in `call("/v1/chain/get_info")`. Raises NodeError."""
        return self._wait(self._chain.client.call(path, {} if body is None else body))

    def reset(self) -> None:
        """Restores the network to its state when the fixture was made, with the same keys and chain id."""
        self._run(self._chain.client.close())
        self._run(self.network.reset())
        self._chain = self._run(self.network.chain())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        result: T = self._run(work)
        return result


@contextmanager
def open_network(state: Path, inventory: Path | None = None, *, keep: bool = False) -> Iterator[BootedNetwork]:
    """A booted network during the block, purged at the end unless `keep` is true. Without an inventory it is a
    devnet on free ports. state: the folder for its state. Raises what `Network` raises.
    """
    on_exit = OnExit.KEEP if keep else OnExit.PURGE
    with ExitStack() as stack:
        run = stack.enter_context(_loop())
        network = Network.load(inventory, state=state, on_exit=on_exit) if inventory else _devnet(state, on_exit)
        try:
            run(_boot(network, save=inventory is not None))
            yield BootedNetwork(network, run)
        finally:
            run(network.__aexit__(None, None, None))


async def _boot(network: Network, save: bool) -> None:
    result = await network.boot()
    if result.waiting:
        step, why = next(iter(result.waiting.items()))
        raise OperationFailed(f"{network.name} waits for others at {step}: {why}")
    if save and result.changed:
        await network.save()


def _devnet(state: Path, on_exit: OnExit) -> Devnet:
    if (state / "dev").exists():
        return Devnet.named(state=state, on_exit=on_exit)
    http, p2p = _free_ports()
    return Devnet.named(state=state, on_exit=on_exit, http_port=http, p2p_port=p2p)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@contextmanager
def _loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """An event loop in a separate thread, because tests may have their own loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="bootcoord", daemon=True)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
