"""A node's config.ini and command line, from its description alone.

Only options that this nodeos lists in its --help are written, because an unknown one stops it at once, and versions
differ. Private keys are in config.ini, which is 0600 in a 0700 folder, and never on the command line.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from agent.errors import SpecError
from agent.keys.keosd import KeosdKey
from agent.nodeos.spec import NodeSpec
from antelope.keys import PrivateKey
from boot import roles
from boot.settings import tuning
from boot.step import NodeMode
from inventory.network import Role
from support.node_processes import place

STALE_PRODUCTION = "-e"
"""Produces blocks even if the last block is old. At most one node of a network may run with it."""

KEOSD_MILLISECONDS = 250
"""Time for a keosd to sign a block: half a block interval. With nodeos' default of 5 ms a busy machine misses blocks.
"""


def produces(spec: NodeSpec, mode: NodeMode) -> bool:
    """Whether the node signs blocks in this mode, and hence needs a key."""
    return spec.account is not None and mode is not NodeMode.AUDIT


def config_ini(
    spec: NodeSpec,
    mode: NodeMode,
    known: Collection[str],
    keys: Sequence[PrivateKey | KeosdKey] = (),
    *,
    local: bool = False,
    withheld: bool = False,
) -> str:
    """The text of config.ini; secret where the node produces. known: the options of this nodeos.

    keys: those that it signs blocks with, the current one first. local: the operator's own machine. withheld: a
    producer's node that follows the chain without its keys. Raises SpecError on an option that this nodeos does not
    know, a mode that does not fit the node, or a missing key.
    """
    if (mode is NodeMode.GENESIS) != (spec.account == "eosio") and mode is not NodeMode.AUDIT:
        raise SpecError(f"node {spec.name} ({spec.role}) cannot run in mode {mode.value}")
    unknown = sorted(set(spec.options) - set(known))
    if unknown:
        raise SpecError(
            f"node {spec.name}: its nodeos has no option {', '.join(unknown)}; remove it from the inventory"
        )
    served = roles.services(spec.role, f"127.0.0.1:{spec.http_port}", spec.api, spec.history, spec.prometheus)
    if lacks := roles.lacking(served, known):
        raise SpecError(f"node {spec.name}: its nodeos has no option {lacks}: name a newer nodeos in the inventory")
    signs = produces(spec, mode) and not withheld
    own = tuning(mode, spec.options, spec.role, produces=signs, local=local, public=bool(spec.api))
    options = {option: value for option, value in own.items() if option in known} | dict(spec.options)
    lines = [f"plugin = eosio::{plugin}_plugin" for plugin in roles.plugins(spec.role, spec.prometheus)]
    lines += [
        f"{option} = {value}"
        for option, value in (*served, *_addresses(spec, known), *_role(spec, mode, known, keys, signs))
    ]
    lines += [f"{option} = {value}" for option, value in sorted(options.items())]
    return "".join(f"{line}\n" for line in lines)


def command_line(nodeos: Sequence[str], folder: Path, role: Role, mode: NodeMode) -> tuple[str, ...]:
    """The command that runs a node, to be run in its folder, which has its config.ini and genesis.json."""
    stale = (STALE_PRODUCTION,) if mode in (NodeMode.GENESIS, NodeMode.STARTER) else ()
    return *nodeos, *places(folder, "/data"), *roles.flags(role), *stale


def places(folder: Path, data: str = "") -> tuple[str, ...]:
    """The options of a nodeos that works in this folder. data: where in it its chain is to be."""
    here = place(folder)
    return "--config-dir", here, "--data-dir", f"{here}{data}", "--genesis-json", f"{here}/genesis.json"


def _addresses(spec: NodeSpec, known: Collection[str]) -> Iterator[tuple[str, str]]:
    yield "p2p-listen-endpoint", spec.p2p_bind
    yield "p2p-server-address", spec.p2p_endpoint
    if "agent-name" in known and "agent-name" not in spec.options:
        yield "agent-name", spec.name
    for peer in dict.fromkeys(spec.peers):
        if peer != spec.p2p_endpoint:
            yield "p2p-peer-address", peer


def _role(
    spec: NodeSpec, mode: NodeMode, known: Collection[str], keys: Sequence[PrivateKey | KeosdKey], signs: bool
) -> Iterator[tuple[str, str]]:
    if mode is NodeMode.AUDIT:
        yield "read-mode", "irreversible"
        if "api-accept-transactions" in known:
            # Older versions refuse them by themselves in that mode; Spring would judge them by irreversible state.
            yield "api-accept-transactions", "false"
    if not signs:
        return
    if not keys:
        raise SpecError(f"node {spec.name}: no key to sign blocks as {spec.account}")
    yield "producer-name", str(spec.account)
    yield from dict.fromkeys(option for key in keys for option in signature_provider(key))
    key = keys[0]
    if "peer-private-key" in known and isinstance(key, PrivateKey):
        # Signs its handshakes, so that other producers' agents can tell whose node it is.
        yield "peer-private-key", json.dumps([str(key.public), key.wif])


def signature_provider(key: PrivateKey | KeosdKey) -> Iterator[tuple[str, str]]:
    """The options by which a nodeos signs blocks with this key; secret, unless a keosd has it."""
    if isinstance(key, KeosdKey):
        yield "signature-provider", f"{key.public}=KEOSD:{key.keosd.signing_url}"
        yield "keosd-provider-timeout", str(KEOSD_MILLISECONDS)
    else:
        yield "signature-provider", f"{key.public}=KEY:{key.wif}"
