"""The plugins, addresses and options of a node of each role. Agents write them, and preflight tries them out.

A node's own agent always has the whole API, on a loopback port. What other people use has an address of its own, and
only that part of the API which answers about the chain and takes transactions. nodeos keeps the two apart itself, by
`http-category-address`: Leap 5, Spring, and the bundled nodeos have it.
"""

from __future__ import annotations

from collections.abc import Collection

from boot.settings import PLUGINS
from inventory.network import Role

Option = tuple[str, str]

PUBLIC = ("chain_ro", "chain_rw")
"""Categories of the API that an api address serves: what clients ask about the chain, and their transactions."""
TRACES = "trace_api"
"""A category that an api address serves too, if the node has it."""
PROMETHEUS = "prometheus"
"""The plugin, and the category, of nodeos' own values for Prometheus. Its address is the agent's, on loopback."""
AGENTS = (*PUBLIC, "net_ro", "net_rw", "producer_ro", "producer_rw", "snapshot")
"""Categories that a node's own agent uses. A category without its plugin is not an error."""
NEEDED = {
    "http-category-address": "an address for its API",
    "state-history-endpoint": "role history",
    "trace-no-abis": "role history",
    "api-accept-transactions": "role seed",
}
"""Options that not every nodeos has, and what needs them."""


def plugins(role: Role, prometheus: bool) -> tuple[str, ...]:
    """The plugins that a node of this role loads, in this order. prometheus: with nodeos' own values."""
    own = ("trace_api", "state_history") if role is Role.HISTORY else ()
    return (*PLUGINS, *own, *((PROMETHEUS,) if prometheus else ()))


def services(role: Role, http: str, api: str, history: str, prometheus: bool) -> tuple[Option, ...]:
    """The addresses where it listens, besides p2p, and what it serves there.

    http: the agent's address. api, history: those for other people; empty: none. prometheus: with nodeos' own values,
    at the agent's address.
    """
    found: list[Option] = []
    if api:
        traces = (TRACES,) if role is Role.HISTORY else ()
        found.append(("http-server-address", "http-category-address"))
        values = (PROMETHEUS,) if prometheus else ()
        found += [("http-category-address", f"{category},{http}") for category in (*AGENTS, *traces, *values)]
        found += [("http-category-address", f"{category},{api}") for category in (*PUBLIC, *traces)]
        # A proxy passes on the name that its clients asked for, which nodeos does not know.
        found.append(("http-validate-host", "false"))
    else:
        found.append(("http-server-address", http))
    if role is Role.HISTORY:
        found += [
            ("state-history-endpoint", history),
            ("trace-history", "true"),
            ("chain-state-history", "true"),
            # Actions' data stays packed: who reads traces has the ABIs of the contracts.
            ("trace-no-abis", "true"),
        ]
    if role is Role.SEED:
        found.append(("api-accept-transactions", "false"))
    return tuple(found)


def flags(role: Role) -> tuple[str, ...]:
    """What is on its command line: state_history_plugin asks for this one, and config.ini does not take it."""
    return ("--disable-replay-opts",) if role is Role.HISTORY else ()


def lacking(used: Collection[Option], known: Collection[str]) -> str:
    """What a nodeos lacks that these services use, in words; empty: nothing. known: the options in its --help."""
    missing = [option for option in NEEDED if option in dict(used) and option not in known]
    return ", ".join(f"{option}, which {NEEDED[option]} needs" for option in missing)
