"""The different configurations of a host's nodes, each tried once by preflight/nodeos.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from boot import roles
from boot.settings import tuning
from boot.step import NodeMode
from inventory.network import GENESIS_ACCOUNT, Host, Network, Node
from support.endpoint import Endpoint

Trial = dict[str, Any]
"""As JSON: nodes (their names, for a person), plugins, services, flags, produces, irreversible, tuning, options."""

_ADDRESS = re.compile(r"[^,]+(?=:\{(?:api|history)\}$)")


def trials(network: Network, host: Host) -> list[Trial]:
    """The host's trials. Nodes that differ only in names, keys and addresses share one."""
    found: dict[tuple[object, ...], Trial] = {}
    for node in network.nodes:
        if node.host != host.name:
            continue
        for mode in _modes(node):
            produces = node.account is not None and mode is not NodeMode.AUDIT
            plugins = roles.plugins(node.role, node.prometheus)
            services = roles.services(
                node.role, "{http}", _at(node.api, "{api}"), _at(node.history, "{history}"), node.prometheus
            )
            own = tuning(mode, node.options, node.role, produces=produces, local=host.local, public=bool(node.api))
            same = (produces, plugins, services, *own.items(), mode is NodeMode.AUDIT, *sorted(node.options.items()))
            if same in found:
                found[same]["nodes"] += f", {node.name}"
            else:
                found[same] = {
                    "nodes": node.name,
                    "plugins": plugins,
                    "services": services,
                    "flags": roles.flags(node.role),
                    "produces": produces,
                    "irreversible": mode is NodeMode.AUDIT,
                    "tuning": own,
                    "options": dict(node.options),
                }
    return list(found.values())


def on_loopback(trial: Trial) -> Trial:
    """The same trial for a machine that does not have the host's addresses."""
    services = [(name, _ADDRESS.sub("127.0.0.1", value)) for name, value in trial["services"]]
    return {**trial, "services": services}


def _at(endpoint: str, port: str) -> str:
    """The same address with a free port, which is chosen on the host; empty if there is no address."""
    return endpoint and str(Endpoint(Endpoint.parse(endpoint).host, 0)).removesuffix("0") + port


def _modes(node: Node) -> Iterator[NodeMode]:
    """The modes of a node: the genesis node becomes the audit node after the handover."""
    yield NodeMode.GENESIS if node.account == GENESIS_ACCOUNT else NodeMode.NORMAL
    if node.account == GENESIS_ACCOUNT:
        yield NodeMode.AUDIT
