"""Waits, before the seal, for the parties that the inventory lists in parties.wait_for."""

from __future__ import annotations

import time
from collections.abc import Mapping

from coordinator.advising import typed
from coordinator.errors import OperationFailed
from coordinator.parties.invite_store import Invites
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.store import Party
from coordinator.reporter import Reporter, StepResult
from support.retry import DeadlineError, poll

STEP, TITLE = "parties", "wait for parties"


def present(opened: OpenNetwork) -> Mapping[str, Party]:
    """The parties in wait_for that were accepted, by account."""
    awaited = opened.network.parties.wait_for
    found = (party for party in opened.parties.parties() if party.accepted)
    return {party.account: party for party in found if party.account in awaited}


async def await_parties(opened: OpenNetwork, reporter: Reporter) -> Mapping[str, Party]:
    """The parties in wait_for, by account, once all are accepted and connected. Shows which are missing.

    Raises OperationFailed after the inventory's wait_seconds.
    """
    rules = opened.network.parties
    began, until = time.monotonic(), time.monotonic() + rules.wait_seconds
    if not _missing(opened):
        return present(opened)
    reporter.began(STEP, TITLE)

    async def there() -> bool:
        missing = _missing(opened)
        left = max(0.0, until - time.monotonic())
        detail = f"{'; '.join(missing)} ({left:.0f} s left)"
        reporter.moved(STEP, len(rules.wait_for) - len(missing), len(rules.wait_for), detail)
        return not missing

    try:
        await poll(there, what="parties", deadline=rules.wait_seconds)
    except DeadlineError:
        said = "; ".join(_missing(opened))
        reporter.ended(STEP, TITLE, StepResult.FAILED, said)
        raise OperationFailed(
            f"not all parties came within {rules.wait_seconds} s: {said}. Run {typed('boot')} again to wait "
            f"again, or take them out of parties.wait_for in {opened.network.source}"
        ) from None
    reporter.ended(STEP, TITLE, StepResult.DONE, f"{len(rules.wait_for)} came, {time.monotonic() - began:.1f} s")
    return present(opened)


def _missing(opened: OpenNetwork) -> list[str]:
    """Each missing party's account, and what is missing."""
    known = {party.account: party for party in opened.parties.parties()}
    invited = {invite.account for invite in Invites(opened.state.journal).open(time.time())}
    missing = []
    for account in opened.network.parties.wait_for:
        party = known.get(account)
        link = opened.hub.links.get(party.name) if party else None
        if party is None:
            invite = f"not invited yet; run: {typed('invite', 'NAME', '--account', account)}"
            missing.append(f"{account}: {'invited' if account in invited else invite}")
        elif not party.accepted:
            missing.append(f"{account}: {party.state}{': ' + party.why if party.why else ''}")
        elif link is None or not link.connected:
            missing.append(f"{account}: its agent is away")
    return missing
