"""Checks that it is the sealed chain: its id, its protocol features, its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from boot.audit.genesis import LIMITS, chain_id
from boot.audit.report import Check, Question, judged
from boot.audit.seen import Seen
from boot.blueprint import Blueprint


def check(blueprint: Blueprint, seen: Seen) -> Check:
    """chain id: of how the chain was born, the first."""
    fine = f"{blueprint.sealed.chain_id}, as the genesis computes"
    return judged("chain id", _chain_id(blueprint, seen), fine, Question.BORN)


def checks(blueprint: Blueprint, seen: Seen) -> Iterator[Check]:
    """protocol features, chain parameters."""
    features = len(blueprint.sealed.features)
    yield judged("protocol features", _features(blueprint, seen), f"the {features} sealed ones are active, no other")
    yield judged("chain parameters", _parameters(blueprint, seen), "as in the genesis")


def _chain_id(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    sealed = blueprint.sealed
    computed, shown = chain_id(sealed.genesis), str(seen.info["chain_id"])
    if computed != sealed.chain_id:
        yield f"the sealed genesis computes {computed}, sealed is {sealed.chain_id}"
    if shown != sealed.chain_id:
        yield f"the node is on chain {shown}, sealed is {sealed.chain_id}"


def _features(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    active = {str(feature["feature_digest"]): _codename(feature) for feature in seen.features}
    sealed = {feature.digest: feature.name for feature in blueprint.sealed.features}
    yield from (f"{name} is not active" for digest, name in sealed.items() if digest not in active)
    yield from (f"{name} is active, but not sealed" for digest, name in active.items() if digest not in sealed)


def _codename(feature: Mapping[str, Any]) -> str:
    parts = {str(part["name"]): str(part["value"]) for part in feature["specification"]}
    return parts.get("builtin_feature_codename", str(feature["feature_digest"]))


def _parameters(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    for name in LIMITS:
        planned, shown = int(blueprint.sealed.genesis["initial_configuration"][name]), int(seen.parameters[name])
        if planned != shown:
            yield f"{name} is {shown}, in the genesis {planned}"
