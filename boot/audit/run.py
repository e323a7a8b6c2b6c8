"""The audit: read everything, then judge it."""

from __future__ import annotations

from collections.abc import Awaitable

from antelope.abi import Abi
from antelope.reads import ChainReader
from boot.audit import accounts, contracts, governance, identity, producers, token
from boot.audit.blocks import Blocks, read_blocks
from boot.audit.chain import Chain, Json, Progress
from boot.audit.found import Survey
from boot.audit.report import AuditReport
from boot.audit.seen import Observed, Seen, read_chain
from boot.audit.survey import TakeSnapshot, surveying
from boot.blueprint import Blueprint
from boot.errors import AuditError


async def audit(
    reader: ChainReader,
    blueprint: Blueprint,
    *,
    observed: Observed | None = None,
    progress: Progress | None = None,
    snapshot: TakeSnapshot | None = None,
) -> AuditReport:
    """Audits the whole chain, preferably through a node that reads irreversible state.

    It reads how the chain was born from its blocks, and its present state from a snapshot or its tables. The chain
    makes blocks meanwhile. If there is a difference and the head has moved, everything is read once more, because two
    rows may have been read at different blocks.

    snapshot: has the node write its state, from which many accounts are read at once.
    Raises AuditError when the chain cannot be read, or an artifact of the sealed network is not at hand.
    """
    _at_hand(blueprint)
    chain = Chain(reader, progress)
    try:
        info = await chain.info()
        async with surveying(blueprint, snapshot) as survey:
            blocks = await read_blocks(chain, blueprint, int(info["head_block_num"]))
            report = await _once(chain, blueprint, observed or Observed(), blocks, info, survey)
        if not report.unchanged:
            now = await chain.info()
            if now["head_block_id"] != info["head_block_id"]:
                async with surveying(blueprint, snapshot) as survey:
                    report = await _once(chain, blueprint, observed or Observed(), blocks, now, survey)
        return report
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reason = f"an answer of the node is malformed: {error!r}"
        raise AuditError(f"the chain could not be read, so nothing was judged: {reason}; ask another node") from error


async def _once(
    chain: Chain,
    blueprint: Blueprint,
    observed: Observed,
    blocks: Blocks,
    info: Json,
    survey: Awaitable[Survey | None],
) -> AuditReport:
    seen = await read_chain(chain, blueprint, info, blocks.early, await survey)
    return _judge(blueprint, seen, observed, blocks)


def _judge(blueprint: Blueprint, seen: Seen, observed: Observed, blocks: Blocks) -> AuditReport:
    compared = accounts.compare(blueprint, seen)
    checks = (
        identity.check(blueprint, seen),
        *blocks.birth.checks(blocks.unread),
        *identity.checks(blueprint, seen),
        *contracts.checks(blueprint, seen, observed),
        *token.checks(blueprint, seen),
        *accounts.checks(blueprint, seen, observed, compared),
        *producers.checks(blueprint, seen, observed),
        *governance.checks(blueprint, seen),
    )
    head, block_id = int(seen.info["head_block_num"]), str(seen.info["head_block_id"])
    return AuditReport(str(seen.info["chain_id"]), head, block_id, checks, compared)


def _at_hand(blueprint: Blueprint) -> None:
    """Loads the artifacts before the chain is asked, so that later errors are the node's."""
    try:
        for sha256 in blueprint.sealed.artifacts:
            blueprint.verified(sha256)
        for contract in blueprint.sealed.contracts:
            Abi.parse(blueprint.verified(contract.abi))
        _ = blueprint.rows, blueprint.symbol
    except (KeyError, ValueError) as error:
        raise AuditError(f"the sealed network is incomplete here, so nothing was audited: {error}") from error
