"""Decides whether a party's node starts from an offered snapshot: by its operator's rule and by who vouches."""

from __future__ import annotations

import logging

from agent.duties.snapshots import HostSnapshots
from agent.nodes.first_start import Source
from agent.party.settings import PartySettings
from agent.party.vouching import objection
from boot import joining
from boot.blueprint import Blueprint
from inventory.network import SnapshotRule
from protos import coordination_pb2 as pb

log = logging.getLogger(__name__)


class Offers:
    """The offers made to one party."""

    def __init__(self, settings: PartySettings, snapshots: HostSnapshots) -> None:
        self._settings = settings
        self._snapshots = snapshots

    async def source(self, offered: pb.Follow, network: Blueprint) -> Source | None:
        """The snapshot that the node starts from; None if it syncs from its peers' blocks. Logs the choice."""
        settings, snapshot = self._settings, offered.snapshot
        rule = SnapshotRule(settings.snapshot)
        if not snapshot.sha256 or rule is SnapshotRule.NEVER:
            return None
        what = f"a snapshot of block {snapshot.block} ({snapshot.sha256[:16]}…)"
        sealed = network.sealed
        sync = joining.sync_seconds(sealed.accounts, snapshot.block)
        begin = joining.begin_seconds(sealed.accounts) + joining.fetch_seconds(snapshot.size)
        about = f"about {begin:.0f} s against {sync:.0f} s"
        if rule is SnapshotRule.AUTO and not joining.quicker(sync, begin):
            log.info("%s is offered and saves too little (%s): the node takes its peers' blocks", what, about)
            return None
        wrong = objection(settings.snapshot_trust, settings.snapshot_quorum, offered, (sealed.network, sealed.chain_id))
        if not wrong:
            found = await self._snapshots.source(snapshot, sealed.chain_id)
            if isinstance(found, Source):
                log.info("the node begins with %s, which enough parties have signed (%s)", what, about)
                return found
            wrong = found
        log.warning("%s is refused: %s; the node takes its peers' blocks", what, wrong)
        return None
