"""The plugins, addresses and options of a node of each role. Agents write them; preflight tries them.

A node's own agent uses the whole API, on a loopback port. Other people use a separate address, which serves only the
part of the API that answers about the chain and takes transactions. nodeos separates the two by itself, with
`http-category-address`: Leap 5, Spring, and the bundled nodeos have this option.
"""

from __future__ import annotations

from collections.abc import Collection

from boot.settings import PLUGINS
from inventory.network import Role

Option = tuple[str, str]

PUBLIC = ("chain_ro", "chain_rw")
"""Categories of the API that an api address serves: what clients ask about the chain, and their transactions."""
TRACES = "trace_api"
"""A category that an api address serves as well, if the node has it."""
PROMETHEUS = "prometheus"
"""The plugin and the category of nodeos' own values for Prometheus, which are served at the agent's address."""
AGENTS = (*PUBLIC, "net_ro", "net_rw", "producer_ro", "producer_rw", "snapshot")
"""Categories that a node's own agent uses. nodeos ignores a category whose plugin is not loaded."""
NEEDED = {
    "http-category-address": "an address for its API",
    "state-history-endpoint": "role history",
    "trace-no-abis": "role history",
    "api-accept-transactions": "role seed",
}
"""Options that not every nodeos has, and the service that needs each."""


def plugins(role: Role, prometheus: bool) -> tuple[str, ...]:
    """The plugins that a node of this role loads, in this order. prometheus: with nodeos' own values."""
    own = ("trace_api", "state_history") if role is Role.HISTORY else ()
    return (*PLUGINS, *own, *((PROMETHEUS,) if prometheus else ()))


def services(role: Role, http: str, api: str, history: str, prometheus: bool) -> tuple[Option, ...]:
    """The addresses where it listens besides p2p, and what it serves there.

    http: the agent's address. api, history: addresses for other people; empty: none. prometheus: whether to serve
    nodeos' own values, at the agent's address.
    """
    found: list[Option] = []
    if api:
        traces = (TRACES,) if role is Role.HISTORY else ()
        found.append(("http-server-address", "http-category-address"))
        values = (PROMETHEUS,) if prometheus else ()
        found += [("http-category-address", f"{category},{http}") for category in (*AGENTS, *traces, *values)]
        found += [("http-category-address", f"{category},{api}") for category in (*PUBLIC, *traces)]
        # A proxy passes on the host name that its clients asked for, which nodeos does not know.
        found.append(("http-validate-host", "false"))
    else:
        found.append(("http-server-address", http))
    if role is Role.HISTORY:
        found += [
            ("state-history-endpoint", history),
            ("trace-history", "true"),
            ("chain-state-history", "true"),
            # Actions' data stays packed: readers of traces have the contracts' ABIs.
            ("trace-no-abis", "true"),
        ]
    if role is Role.SEED:
        found.append(("api-accept-transactions", "false"))
    return tuple(found)


def flags(role: Role) -> tuple[str, ...]:
    """The options on its command line: state_history_plugin needs this one, and config.ini does not accept it."""
    return ("--disable-replay-opts",) if role is Role.HISTORY else ()


def lacking(used: Collection[Option], known: Collection[str]) -> str:
    """What these services need and a nodeos lacks, in words; empty if nothing. known: the options in its --help."""
    missing = [option for option in NEEDED if option in dict(used) and option not in known]
    return ", ".join(f"{option}, which {NEEDED[option]} needs" for option in missing)
