"""Gathers the report's content from the journal, the sealed network, the agents and the chain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from antelope.errors import NodeError
from boot.steps import OPTIONAL, STEPS
from coordinator.parties.attestations import check
from coordinator.parties.observing import observed
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.store import Attested, Party
from coordinator.report.audit import audit_chain
from coordinator.report.distribution import distribution
from coordinator.report.gathering import gather
from coordinator.report.launch.document import (
    FORMAT,
    LaunchReport,
    ReportedAttestation,
    ReportedNode,
    ReportedProducer,
    ReportedStep,
    ReportedTransaction,
    packed,
)
from coordinator.report.peer_graph import draw, members
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from inventory.sealed import Sealed
from protos.states import NodeState

FIRST = 1
"""The number of the first block."""


async def launch_report(opened: OpenNetwork) -> LaunchReport:
    """The report, with an audit made now. Raises as `audit_chain` does."""
    sealed = opened.sealed
    blueprint = opened.blueprint(sealed)
    audited = await audit_chain(opened)
    status = await gather(opened)
    pushes = {
        step: tuple(ReportedTransaction(*one) for one in sorted(found, key=lambda one: (one[2], one[0])))
        for step, found in opened.state.pushes().items()
    }
    ends = {found[place].block for found in pushes.values() for place in (0, -1)}
    known = observed(opened.parties, opened.network.later)
    times = await _times(opened, {FIRST, *ends})
    return LaunchReport(
        format=FORMAT,
        made=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        software=version("bootcoord"),
        network=sealed.network,
        chain_id=sealed.chain_id,
        manifest=sealed.manifest,
        phase=str(status.phase),
        schedule=status.schedule,
        first_block=times.get(FIRST),
        steps=tuple(_steps(opened.state.steps(), pushes, times)),
        nodes=await _nodes(opened),
        producers=_producers(opened, sealed),
        attestations=await asyncio.to_thread(
            _attestations, opened.parties.attestations(), opened.parties.parties(), sealed
        ),
        late_accounts=tuple(sorted(known.parties)),
        upgrades=tuple(sorted(known.upgrades)),
        distribution=await asyncio.to_thread(distribution, blueprint.rows),
        peers=draw(members(opened.network, opened.parties.parties())),
        audit=audited.to_json(),
        sealed=json.loads(sealed.canonical()),
        artifacts=await asyncio.to_thread(packed, sealed, blueprint),
    )


def _steps(
    records: Mapping[str, StepRecord],
    pushes: Mapping[str, tuple[ReportedTransaction, ...]],
    times: Mapping[int, str],
) -> Iterable[ReportedStep]:
    for step in (*STEPS, *OPTIONAL):
        record, found = records.get(step.name), pushes.get(step.name, ())
        if step in OPTIONAL and not found:
            continue
        yield ReportedStep(
            name=step.name,
            title=step.title,
            result=str(record.result) if record else "pending",
            detail=record.detail if record and record.result is StepResult.DONE else "",
            seconds=record.seconds if record else 0.0,
            transactions=found,
            began=times.get(found[0].block) if found else None,
            ended=times.get(found[-1].block) if found else None,
        )


async def _times(opened: OpenNetwork, numbers: Iterable[int]) -> dict[int, str]:
    """The blocks' times (UTC), of those that the audited node still has."""
    reader = opened.access.reader
    link = opened.access.link(reader.host)

    async def one(number: int) -> tuple[int, str] | None:
        try:
            found = await link.query(reader.name, "/v1/chain/get_block_info", {"block_num": number})
            return number, f"{datetime.fromisoformat(found['timestamp']):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
        except (NodeError, KeyError, TypeError, ValueError):
            return None

    return dict(filter(None, await asyncio.gather(*(one(number) for number in sorted(numbers) if number > 0))))


async def _nodes(opened: OpenNetwork) -> tuple[ReportedNode, ...]:
    nodes = opened.network.nodes
    versions = await asyncio.gather(*(_version(opened, node.host, node.name) for node in nodes))
    own = [
        ReportedNode(
            node.name, node.host, node.role.value, node.account or "", opened.network.p2p(node), running
        )
        for node, running in zip(nodes, versions, strict=True)
    ]  # fmt: skip
    joined = [
        ReportedNode(party.name, party.name, "party", party.account, party.endpoint or "", party.nodeos)
        for party in opened.parties.parties()
        if party.accepted
    ]
    return (*own, *joined)


async def _version(opened: OpenNetwork, host: str, node: str) -> str:
    link = opened.hub.links.get(host)
    running = link is not None and link.status is not None and link.connected
    if link is None or not running or not _runs(link.status, node):
        return ""
    try:
        return str((await link.query(node, "/v1/chain/get_info"))["server_version_string"])[:80]
    except (NodeError, KeyError, TypeError):
        return ""


def _runs(status: Any, name: str) -> bool:
    return any(node.name == name and node.state == NodeState.RUNNING for node in status.nodes)


def _producers(opened: OpenNetwork, sealed: Sealed) -> tuple[ReportedProducer, ...]:
    parties = {party.account: party.name for party in opened.parties.parties()}
    return tuple(
        ReportedProducer(
            one.account, one.account_key, one.signing_key, one.elected,
            parties.get(one.account) or opened.network.holder(one.account),
        )
        for one in sealed.producers
    )  # fmt: skip


def _attestations(
    known: Mapping[str, Attested], parties: Iterable[Party], sealed: Sealed
) -> tuple[ReportedAttestation, ...]:
    """Checks them all, which takes half a second for a thousand parties."""
    by_name = {party.name: party for party in parties}
    found = []
    for name, attested in sorted(known.items()):
        if (party := by_name.get(name)) is None:
            continue
        judged = check(attested, party, sealed)
        why = judged.wrong or ("" if judged.ok else "it found differences")
        found.append(
            ReportedAttestation(
                name, attested.account, str(party.account_key), attested.document, attested.signature, not why, why
            )
        )
    return tuple(found)
