"""Chooses the protocol features to activate: what nodeos supports, except what would break the network's contracts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from antelope.errors import AntelopeError
from antelope.features import PREACTIVATE_FEATURE, order
from inventory import versions
from inventory.errors import Problems
from inventory.sealed import SealedFeature

_DEFERRED = ("DISABLE_DEFERRED_TRXS_STAGE_1", "DISABLE_DEFERRED_TRXS_STAGE_2")


def choose(
    wanted: tuple[str, ...] | None, supported: Any, unbearable: Mapping[str, str], problems: Problems
) -> tuple[tuple[SealedFeature, ...], tuple[str, ...]]:
    """The features in the order of activation, and a note for each that is left out although nodeos supports it.

    wanted: the names in the inventory; None for all that can be activated. supported: nodeos' answer to
    get_supported_protocol_features. unbearable: features that this network must not activate, each with the reason.
    """
    try:
        ordered = [SealedFeature(name, digest) for name, digest in order(supported)]
        needs = _dependencies(supported)
    except (AntelopeError, TypeError, KeyError) as error:
        problems.add("nodeos", f"its protocol features cannot be read: {error}", "is it a Leap or Spring nodeos?")
        return (), ()
    if PREACTIVATE_FEATURE not in {feature.name for feature in ordered}:
        problems.add("nodeos", f"does not support {PREACTIVATE_FEATURE}", "it is too old: Leap 3 or newer is needed")
        return (), ()
    if wanted is not None:
        _check(wanted, ordered, needs, unbearable, problems)
        return tuple(feature for feature in ordered if feature.name in wanted), ()
    out: dict[str, str] = {}
    chosen = []
    for feature in ordered:
        reason = unbearable.get(feature.name) or next(
            (
                f"it depends on {other.name}"
                for other in ordered
                if other.digest in needs[feature.digest] and other.name in out
            ),
            None,
        )
        if reason is None:
            chosen.append(feature)
        else:
            out[feature.name] = f"{feature.name} is left out: {reason}"
    return tuple(chosen), tuple(out.values())


def unbearable(msig: bytes) -> dict[str, str]:
    """The features that would break the contracts, each with the reason. Raises BadWasm."""
    reasons = {"SAVANNA": "it needs finalizer keys to be set up, which this version does not do"}
    if versions.executes_deferred(msig):
        reasons |= dict.fromkeys(
            _DEFERRED, "this eosio.msig executes proposals through deferred transactions, and would stop working"
        )
    return reasons


def _dependencies(supported: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    return {one["feature_digest"]: frozenset(one["dependencies"]) for one in supported}


def _check(
    wanted: tuple[str, ...],
    ordered: list[SealedFeature],
    needs: Mapping[str, frozenset[str]],
    unbearable: Mapping[str, str],
    problems: Problems,
) -> None:
    """Everything that is wrong with the inventory's own list of features."""
    known = {feature.name: feature for feature in ordered}
    names = {feature.digest: feature.name for feature in ordered}
    for index, name in enumerate(wanted):
        path = f"system.features[{index}]"
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            problems.add(
                path, f"this nodeos does not support {name}", f"did you mean {near[0]}?" if near else "remove it"
            )
        elif name in unbearable:
            problems.add(path, f"{name} cannot be activated: {unbearable[name]}", "remove it")
        else:
            for lacking in sorted({names[digest] for digest in needs[known[name].digest]} - set(wanted)):
                problems.add(path, f"{name} depends on {lacking}", f"add {lacking}")
