"""PREACTIVATE_FEATURE: the one feature that the producing node itself schedules, for the block it makes next."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.reads import active_features
from boot.step import ChainStep, Preactivate, Reads, Verdict

NAME = "PREACTIVATE_FEATURE"


def work(blueprint: Blueprint) -> tuple[Preactivate, ...]:
    """The first of the sealed features."""
    return (Preactivate(NAME, (blueprint.sealed.features[0].digest,)),)


def evidence(blueprint: Blueprint) -> Reads:
    """The chain lists it as active."""
    if blueprint.sealed.features[0].digest in (yield from active_features()):
        return Verdict((), f"{NAME} is active")
    return Verdict((NAME,), f"{NAME} is not active yet")


STEP = ChainStep("preactivate", f"activate {NAME}", ("genesis",), work, evidence)
