"""The nodeos options that an inventory may set: those that tune a node but cannot expose it or move its files.

Options that name files, addresses, keys, plugins or producers are set by bootcoord and not in this list. Versions of
nodeos differ, so each host finds out whether its nodeos knows an option.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from inventory.errors import Problems
from inventory.network import Role
from inventory.parse import join

ALLOWED = frozenset(
    {
        # chain_plugin
        "abi-serializer-max-time-ms",
        "block-log-retain-blocks",
        "blocks-log-stride",
        "chain-state-db-guard-size-mb",
        "chain-state-db-size-mb",
        "chain-threads",
        "contracts-console",
        "database-map-mode",
        "disable-ram-billing-notify-checks",
        "enable-account-queries",
        "eos-vm-oc-cache-size-mb",
        "eos-vm-oc-compile-threads",
        "eos-vm-oc-enable",
        "integrity-hash-on-start",
        "integrity-hash-on-stop",
        "max-nonprivileged-inline-action-size",
        "max-retained-block-files",
        "maximum-variable-signature-length",
        "signature-cpu-billable-pct",
        "transaction-finality-status-failure-duration-sec",
        "transaction-finality-status-max-storage-size-gb",
        "transaction-finality-status-success-duration-sec",
        "transaction-retry-interval-sec",
        "transaction-retry-max-expiration-sec",
        "transaction-retry-max-storage-size-gb",
        "wasm-runtime",
        # http_plugin
        "access-control-allow-headers",
        "access-control-allow-origin",
        "http-keep-alive",
        "http-max-bytes-in-flight-mb",
        "http-max-in-flight-requests",
        "http-max-response-time-ms",
        "http-threads",
        "max-body-size",
        "verbose-http-errors",
        # net_plugin
        "agent-name",
        "connection-cleanup-period",
        "max-cleanup-time-msec",
        "max-clients",
        "net-threads",
        "p2p-accept-transactions",
        "p2p-dedup-cache-expire-time-sec",
        "p2p-disable-block-nack",
        "p2p-keepalive-interval-ms",
        "p2p-max-nodes-per-host",
        "sync-fetch-span",
        # producer_plugin
        "cpu-effort-percent",
        "greylist-limit",
        "incoming-defer-ratio",
        "incoming-transaction-queue-size-mb",
        "last-block-cpu-effort-percent",
        "last-block-time-offset-us",
        "max-block-cpu-usage-threshold-us",
        "max-block-net-usage-threshold-bytes",
        "max-irreversible-block-age",
        "max-reversible-blocks",
        "max-scheduled-transaction-time-per-block-ms",
        "max-transaction-time",
        "produce-block-offset-ms",
        "produce-time-offset-us",
        "producer-threads",
        "production-pause-vote-timeout-ms",
        "read-only-read-window-time-us",
        "read-only-threads",
        "read-only-write-window-time-us",
        "subjective-account-decay-time-minutes",
        "subjective-account-max-failures",
        "subjective-account-max-failures-window-size",
        "subjective-cpu-leeway-us",
        "vote-threads",
        # resource_monitor_plugin
        "resource-monitor-interval-seconds",
        "resource-monitor-not-shutdown-on-threshold-exceeded",
        "resource-monitor-space-absolute-gb",
        "resource-monitor-space-threshold",
        "resource-monitor-warning-interval",
    }
)

SERVING = frozenset({Role.API, Role.HISTORY})
"""Roles that may have an address for the chain API."""

_OWN: Mapping[Role, frozenset[str]] = {
    Role.API: frozenset({"access-control-max-age"}),
    Role.HISTORY: frozenset(
        {
            "access-control-max-age",
            "max-retained-history-files",
            "state-history-log-retain-blocks",
            "state-history-stride",
            "trace-minimum-irreversible-history-blocks",
            "trace-minimum-uncompressed-irreversible-history-blocks",
            "trace-slice-stride",
        }
    ),
}
"""Options that only nodes of a role may have."""

_BARRED: Mapping[Role, Mapping[str, str]] = {
    Role.HISTORY: dict.fromkeys(
        ("block-log-retain-blocks", "max-retained-block-files"),
        "a history node keeps every block: indexers ask for the old ones",
    ),
    Role.SEED: dict.fromkeys(
        ("block-log-retain-blocks", "max-retained-block-files"),
        "a seed node keeps every block: new nodes ask it for the old ones",
    )
    | dict.fromkeys(
        ("access-control-allow-headers", "access-control-allow-origin", "enable-account-queries", "read-only-threads"),
        "a seed node serves no API: give it to a node with role api",
    ),
}
"""Options that a role forbids, and why. In nodeos.options they apply only to the other nodes."""


def allowed(role: Role) -> frozenset[str]:
    """The options that the inventory may set for a node of this role."""
    return (ALLOWED | _OWN.get(role, frozenset())) - _BARRED.get(role, {}).keys()


def _wrong_role(key: str, role: Role) -> tuple[str, str] | None:
    """What is wrong with an option for a node of this role, and what to do; None if nothing is."""
    if why := _BARRED.get(role, {}).get(key):
        return f"cannot be set where role is {role}", why
    owners = [owner for owner, own in _OWN.items() if key in own]
    if owners and role not in owners:
        others = " or ".join(owners)
        return f"is for nodes with role {others} alone", "write it in that node's nodes.options"
    return None


VALUE = re.compile(r"[A-Za-z0-9._:,+@/* -]{1,200}", re.ASCII)
"""What an option's value in config.ini may be: without line breaks, and without '#', which begins a comment there."""

GUARD, SIZE = "chain-state-db-guard-size-mb", "chain-state-db-size-mb"
GUARD_DEFAULT = 128
"""MiB. nodeos ends when less than this is free in its database (chain_plugin of Leap and Spring)."""
AGE = "max-irreversible-block-age"
"""Seconds; enable-stale-production does not lift it."""
SIZE_DEFAULT = 1024
"""MiB that bootcoord sets: enough for 100,000s of accounts."""
LEAST_STATE = 32
"""MiB beyond the guard. Measured: a chain without any accounts needs between 4 and 12."""


def merged(
    shared: tuple[str, Mapping[str, Any]], own: tuple[str, Mapping[str, Any]], role: Role, problems: Problems
) -> dict[str, str]:
    """A node's options as in config.ini, from (path, table) pairs. Its own options override those of all nodes, and it
    does not get options of all nodes that its role forbids.
    """
    barred = _BARRED.get(role, {})
    tables = ((shared[0], {key: value for key, value in shared[1].items() if key not in barred}), own)
    found = {}
    for path, table in tables:
        for key, value in table.items():
            text = _text(value)
            if wrong_role := _wrong_role(key, role):
                problems.add(join(path, key), *wrong_role)
            elif key not in allowed(role):
                near = difflib.get_close_matches(key, ALLOWED, 1, 0.8)
                hint = f"did you mean {near[0]}?" if near else "see docs/inventory.md"
                problems.add(join(path, key), "is not among the nodeos options that an inventory may set", hint)
            elif text is None:
                problems.add(join(path, key), "expected a string, an integer, or true or false")
            elif VALUE.fullmatch(text) is None:
                message = f"{text!r} is not 1 to 200 letters, digits, spaces and ._:,+@/*-, as config.ini takes them"
                problems.add(join(path, key), message, "leave the others out")
            else:
                found[key] = text
    for path, table in tables:
        if (SIZE in table or GUARD in table) and (wrong := too_small_state(found)):
            problems.add(join(path, SIZE), wrong)
        if AGE in table and found.get(AGE, "-1") != "-1":
            problems.add(
                join(path, AGE), "after an outage longer than that, no producer may make a block again",
                "remove it; nodeos' own is -1, no limit",
            )  # fmt: skip
    return found


def too_small_state(options: Mapping[str, str]) -> str:
    """What is wrong with the database's size, and what to do; None if nothing is wrong. With too small a size nodeos
    ends at the first blocks, with status 0 and a message about the database's guard.
    """
    size, guard = options.get(SIZE, str(SIZE_DEFAULT)), options.get(GUARD, str(GUARD_DEFAULT))
    if not (size.isdigit() and guard.isdigit()) or int(size) >= int(guard) + LEAST_STATE:
        return ""
    least = f"write {int(guard) + LEAST_STATE} or more; bootcoord's own is {SIZE_DEFAULT}"
    return f"{size} is too small: nodeos ends when less than {guard} MiB of it are free ({GUARD}); {least}"


def _text(value: Any) -> str | None:
    """An option's value as config.ini has it; None when it is not a string, integer or boolean."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None
