"""The options in a node's config.ini besides addresses, keys and peers. Agents write them; preflight tries them."""

from __future__ import annotations

from collections.abc import Mapping

from boot.step import NodeMode
from inventory.network import Role
from inventory.options import SIZE, SIZE_DEFAULT

PLUGINS = ("chain", "chain_api", "http", "net", "net_api", "producer", "producer_api")
"""chain_plugin first: the bundled nodeos crashes otherwise."""

_EVERY_NODE = {
    # The default drops every second peer of one address, without a line in the log.
    "p2p-max-nodes-per-host": "100",
    "max-clients": "250",
    # Seconds until a peer that was not up yet is dialled again; the default is 30.
    "connection-cleanup-period": "5",
    SIZE: str(SIZE_DEFAULT),
    # The defaults of 15 ms cut off table reads and large ABIs on a busy machine.
    "http-max-response-time-ms": "500",
    "abi-serializer-max-time-ms": "2000",
}

_FOLLOWING_HEAD = {
    "transaction-finality-status-max-storage-size-gb": "1",
}

_PRODUCING = {
    # Milliseconds. A system contract's setcode on a slow machine needs more than the default of 30. A node that does
    # not produce stops at once when this exceeds its read-only window.
    "max-transaction-time": "400",
}

_LOCAL = {
    # A developer's disk is often over nodeos' limit of 90 %, with plenty of space left.
    "resource-monitor-not-shutdown-on-threshold-exceeded": "true",
}

_ROLES: Mapping[Role, Mapping[str, str]] = {
    # Wallets ask which accounts a key has.
    Role.API: {"enable-account-queries": "true"},
    # Other nodes use it as their first peer.
    Role.SEED: {"max-clients": "1000"},
}

_PUBLIC = {
    # Web pages of any origin may use a public API from a browser, as is usual for such an API.
    "access-control-allow-origin": "*",
}

_SHARING = {
    # On a machine with several nodes, each node's optimising compiler would spend two seconds of CPU on the
    # system contract. Without it a node creates 7,000 accounts a second instead of 11,000.
    "eos-vm-oc-enable": "none",
}

_LIMIT, _WINDOW = "max-transaction-time", "read-only-read-window-time-us"
_LEAST_LIMIT, _MARGIN = 50, 20_000
"""From this limit (milliseconds) on, the default window of 60,000 microseconds is too small; and the microseconds by
which a window must exceed the limit."""


def _fitting_window(options: Mapping[str, str]) -> Mapping[str, str]:
    """The window for read-only transactions that fits the inventory's max-transaction-time, if the default does not.

    On a node that does not produce, nodeos refuses a limit that exceeds its window (seen: limit + 10 ms).
    """
    limit = options.get(_LIMIT, "")
    if _WINDOW in options or not limit.isdigit() or int(limit) < _LEAST_LIMIT:
        return {}
    return {_WINDOW: str(int(limit) * 1000 + _MARGIN)}


def tuning(
    mode: NodeMode, options: Mapping[str, str], role: Role, *, produces: bool, local: bool, public: bool = False
) -> Mapping[str, str]:
    """The options that bootcoord sets. Each is used if this nodeos knows it and the inventory does not set it.

    options: the inventory's. produces: whether it signs blocks in this mode. local: on the operator's own machine.
    public: it serves the chain API on an address of its own.
    """
    found = {**_EVERY_NODE, **(_LOCAL if local else {}), **_ROLES.get(role, {}), **(_PUBLIC if public else {})}
    if local and mode in (NodeMode.NORMAL, NodeMode.STARTER):
        found |= _SHARING
    if mode is not NodeMode.AUDIT:
        found |= _FOLLOWING_HEAD
    return {**found, **(_PRODUCING if produces else _fitting_window(options))}
