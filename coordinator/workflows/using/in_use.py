"""Finds what programs on this machine need to use a running network: nodes that take transactions, and keys."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antelope.errors import BadAnswer, BadJson, NodeError, UnknownEndpoint, Unreachable
from antelope.http import NodeClient
from antelope.strict_json import read_object
from coordinator.advising import typed
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.state.folder import StateFolder
from inventory.network import SSH_PORT, Host, Network, Node

SECONDS = 5.0
"""Seconds for a node on this machine to answer."""
TAKES_NONE = 3110001
"""missing_chain_api_plugin_exception: what nodeos answers with api-accept-transactions off, as where it shows
irreversible state only. Source: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap."""
IN_KEOSD = "keosd"
"""Stands in a key file where a keosd has the private key."""
_MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class InUse:
    """A network as programs see it."""

    network: Network
    chain_id: str
    takers: tuple[Node, ...]
    """The nodes of this machine that take transactions now."""
    keys: tuple[Path, ...]
    """The key files of this machine's hosts."""

    @property
    def far(self) -> tuple[Node, ...]:
        """The operator's nodes on other hosts, whose HTTP API listens on their own loopback."""
        return tuple(node for node in self.network.nodes if not self.network.host(node.host).local and not node.party)

    @property
    def url(self) -> str:
        """The URL of a node that takes transactions. Raises OperationFailed if this machine has none."""
        if self.takers:
            return url(self.takers[0])
        if self.far:
            node = self.far[-1]
            raise OperationFailed(
                f"the HTTP API of {node.name} can be reached on host {node.host} only: run "
                f"ssh -N -L {node.http_port}:127.0.0.1:{node.http_port} {_reached(self.network.host(node.host))}, then "
                f"cleos -u {url(node)}"
            )
        raise OperationFailed(
            f"no node of {self.network.name} takes transactions now: {typed('status')} shows why, and "
            f"{typed('boot')} starts what is stopped"
        )

    def to_json(self) -> dict[str, Any]:
        """The document that `coord env --json` prints."""
        return {
            "network": self.network.name,
            "chain_id": self.chain_id,
            "url": url(self.takers[0]) if self.takers else None,
            "nodes": [_node(self.network, node) for node in self.takers],
            "far_nodes": [_node(self.network, node) for node in self.far],
            "keys": [str(path) for path in self.keys],
        }


def _reached(host: Host) -> str:
    """The host, as ssh is told of it on a command line: with what the inventory says of it."""
    ssh = host.ssh
    if ssh is None:
        return host.address
    words = [*(("-p", str(ssh.port)) if ssh.port != SSH_PORT else ()), *(("-i", str(ssh.key)) if ssh.key else ())]
    words += ["-o", f"UserKnownHostsFile={ssh.known_hosts}"] if ssh.known_hosts else []
    if ssh.jump:
        address = f"[{ssh.jump.address}]" if ":" in ssh.jump.address else ssh.jump.address
        words += ["-J", f"{ssh.jump.user}@{address}:{ssh.jump.port}"]
    return shlex.join([*words, f"{ssh.user}@{ssh.address}"])


def url(node: Node) -> str:
    """The URL of the node's API on its own host."""
    return f"http://127.0.0.1:{node.http_port}"


async def in_use(network: Network, state_root: Path) -> InUse:
    """Asks the nodes of this machine. Raises OperationFailed before the network is sealed."""
    if not StateFolder.exists(state_root, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: {typed('boot')}")
    with closing(StateFolder(state_root, network.name)) as state:
        sealed = state.sealed
        local = [host.name for host in network.hosts if host.local]
        files = [state.host_data(name) / "keys" / "accounts.json" for name in local]
    if sealed is None:
        raise OperationFailed(f"{network.name} has no chain yet; run: {typed('boot')}")
    nodes = [node for node in network.nodes if node.host in local]
    takes = await asyncio.gather(*(_takes(node, sealed.chain_id) for node in nodes))
    takers = tuple(node for node, taking in zip(nodes, takes, strict=True) if taking)
    return InUse(network, sealed.chain_id, takers, tuple(path for path in files if path.exists()))


async def _takes(node: Node, chain_id: str) -> bool:
    """Whether this chain's node answers there and takes transactions: the answer to an empty request shows it."""
    async with NodeClient(url(node), SECONDS) as client:
        try:
            if (await client.call("/v1/chain/get_info", {}))["chain_id"] != chain_id:
                return False
            await client.call("/v1/chain/send_transaction", {})
        except (Unreachable, UnknownEndpoint, BadAnswer, KeyError, TypeError):
            return False
        except NodeError as error:
            return error.code != TAKES_NONE
        return False  # nothing of a nodeos takes this request


@dataclass(frozen=True)
class AccountKeys:
    """An account's key pair, as a host of this machine keeps it."""

    account: str
    host: str
    public: str
    _private: str

    @property
    def private(self) -> str | None:
        """WIF; None: a keosd has it. Only printed where a user asked for it."""
        return None if self._private == IN_KEOSD else self._private

    def __repr__(self) -> str:
        return f"AccountKeys({self.account!r}, {self.public!r})"


def keys(network: Network, state_root: Path, accounts: Sequence[str]) -> tuple[AccountKeys, ...]:
    """The keys of these accounts; without any, of all that the hosts of this machine have.

    Raises UsageProblem for an account whose key is not here, OperationFailed where nothing can be read.
    """
    found: dict[str, AccountKeys] = {}
    for host in network.hosts:
        if host.local:
            folder = state_root.absolute() / network.name / "hosts" / host.name / "keys"
            # eosio's key is the one that the genesis node signs with; other signing keys are no account's.
            signing = (row for row in _rows(folder / "signing.json") if row.get("name") == "eosio")
            for row in (*signing, *_rows(folder / "accounts.json")):
                name = str(row["name"])
                found.setdefault(name, AccountKeys(name, host.name, str(row["pub"]), str(row["pvt"])))
    if not found:
        raise OperationFailed(f"no host of this machine has keys of {network.name}; run: {typed('boot')}")
    if missing := [name for name in accounts if name not in found]:
        raise UsageProblem(f"no host of this machine has a key of {', '.join(missing)}: {typed('keys')} lists")
    return tuple(found[name] for name in (accounts or found))


def _rows(path: Path) -> list[Mapping[str, Any]]:
    try:
        document = read_object(path.read_bytes(), size=_MOST_BYTES)
    except FileNotFoundError:
        return []
    except (OSError, BadJson) as error:
        raise OperationFailed(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return [row for part in ("users", "producers") for row in document.get(part, ())]


def _node(network: Network, node: Node) -> dict[str, str | None]:
    return {
        "name": node.name, "host": node.host, "account": node.account, "url": url(node), "p2p": network.p2p(node),
    }  # fmt: skip
