"""Protocol features, asked for through the producer API."""

from __future__ import annotations

from agent.errors import PushError
from antelope.errors import FeatureAlreadyActive
from antelope.http import NodeClient
from boot.step import Preactivate
from support.retry import DeadlineError, poll

ACTIVATION_SECONDS = 30.0


async def preactivate(node: NodeClient, work: Preactivate) -> None:
    """Asks the producing node until the features are active. nodeos keeps such a request only in memory.

    Raises PushError and NodeError.
    """
    wanted, refusal = set(work.digests), ""

    async def active() -> bool:
        nonlocal refusal
        missing = wanted - set(await node.get_activated_protocol_features())
        if missing:
            try:
                await node.schedule_protocol_feature_activations(sorted(missing))
            except FeatureAlreadyActive as error:  # or unknown to this node: the next look, or the deadline, tells
                refusal = str(error)
        return not missing

    try:
        await poll(active, what="the protocol features to become active", deadline=ACTIVATION_SECONDS)
    except DeadlineError as error:
        raise PushError(f"preactivate {work.key}: {error}: {refusal}", retryable=True) from error
