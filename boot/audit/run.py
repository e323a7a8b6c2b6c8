"""The audit: read everything, then judge it."""

from __future__ import annotations

from antelope.abi import Abi
from antelope.reads import ChainReader
from boot.audit import accounts, contracts, governance, identity, producers, token
from boot.audit.chain import Chain, Progress
from boot.audit.error import AuditError
from boot.audit.report import Report
from boot.audit.seen import Observed, Seen, read_chain
from boot.blueprint import Blueprint


async def audit(
    reader: ChainReader, blueprint: Blueprint, *, observed: Observed | None = None, progress: Progress | None = None
) -> Report:
    """Audits the whole chain; best through a node that reads irreversible state.

    Blocks go on while it reads. Where a difference shows and the head has moved meanwhile, all is read once more: what
    differs then differs on the chain, and not because two rows were read at two blocks.

    Raises AuditError when the chain cannot be read, or an artifact of the sealed network is not at hand.
    """
    _at_hand(blueprint)
    chain = Chain(reader, progress)
    try:
        report, still = await _once(chain, blueprint, observed or Observed())
        if not report.ok and not still:
            report, _ = await _once(chain, blueprint, observed or Observed())
        return report
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reason = f"an answer of the node is malformed: {error!r}"
        raise AuditError(f"the chain could not be read, so nothing was judged: {reason}; ask another node") from error


async def _once(chain: Chain, blueprint: Blueprint, observed: Observed) -> tuple[Report, bool]:
    """The report, and whether the head stood still while the chain was read."""
    info = await chain.info()
    report = _judge(blueprint, await read_chain(chain, blueprint, info), observed)
    return report, (await chain.info())["head_block_id"] == info["head_block_id"]


def _judge(blueprint: Blueprint, seen: Seen, observed: Observed) -> Report:
    compared = accounts.compare(blueprint, seen)
    checks = (
        *identity.checks(blueprint, seen),
        *contracts.checks(blueprint, seen, observed),
        *token.checks(blueprint, seen),
        *accounts.checks(blueprint, seen, observed, compared),
        *producers.checks(blueprint, seen, observed),
        *governance.checks(blueprint, seen),
    )
    head, block_id = int(seen.info["head_block_num"]), str(seen.info["head_block_id"])
    return Report(str(seen.info["chain_id"]), head, block_id, checks, compared)


def _at_hand(blueprint: Blueprint) -> None:
    """Before the chain is asked: later errors are then the node's."""
    try:
        for sha256 in blueprint.sealed.artifacts:
            blueprint.verified(sha256)
        for contract in blueprint.sealed.contracts:
            Abi.parse(blueprint.verified(contract.abi))
        _ = blueprint.rows, blueprint.symbol
    except (KeyError, ValueError) as error:
        raise AuditError(f"the sealed network is incomplete here, so nothing was audited: {error}") from error
