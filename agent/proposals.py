"""Proposals of eosio.msig: read from the agent's own node, described for a person, kept until its operator decides."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.errors import DutyError
from agent.proposal_words import BUDGET, foreign, words
from antelope import actions
from antelope.abi import MOST_BYTES
from antelope.errors import AntelopeError, BadName, NodeError
from antelope.http import NodeClient
from antelope.layouts import MSIG
from antelope.names import check_name, name_to_int
from antelope.strict_json import read_json
from antelope.transaction import Action, PermissionLevel, Transaction
from protos import coordination_pb2 as pb
from support.cage import CageError, caged
from support.files import write_atomic

MOST_ABIS = 32
"""Contracts whose ABIs are asked for to show one proposal."""
MOST_PENDING = 100
"""Proposals that may wait for the operator at once; further ones are not kept."""


@dataclass(frozen=True)
class Proposal:
    """One proposal, identified by the bytes that it would execute."""

    proposer: str
    name: str
    packed: str
    """Hex."""
    agreed: bool = False
    """Its operator said yes to these very bytes."""

    @property
    def title(self) -> str:
        """PROPOSER/NAME, as `agent approve` takes it."""
        return f"{self.proposer}/{self.name}"

    @property
    def hash(self) -> str:
        """sha256 (hex) of the proposed transaction."""
        return hashlib.sha256(bytes.fromhex(self.packed)).hexdigest()

    @property
    def transaction(self) -> Transaction:
        """What it would execute. Raises BadTransaction."""
        return Transaction.unpack(bytes.fromhex(self.packed))


@dataclass(frozen=True)
class Approvals:
    """The accounts that were asked to approve, and those that have."""

    requested: frozenset[str]
    provided: frozenset[str]


async def find(node: NodeClient, proposer: str, name: str) -> Proposal | None:
    """The proposal on the node; None if there is none, or no longer. Raises NodeError."""
    row = await node.find_row(MSIG, proposer, "proposal", name_to_int(name))
    return Proposal(proposer, name, str(row["packed_transaction"])) if row else None


async def asked_for(node: NodeClient, wanted: pb.Endorse) -> Proposal:
    """The proposal that a coordinator asks this agent to approve, as read from the agent's own node.

    Raises DutyError if it is not there yet or its hash differs from the coordinator's; NodeError.
    """
    try:
        proposer, name = check_name(wanted.proposer), check_name(wanted.proposal)
    except BadName as error:
        raise DutyError(f"refused: {error}") from error
    proposal = await find(node, proposer, name)
    if proposal is None:
        raise DutyError(f"{proposer}/{name} is not on this agent's node (yet)", retryable=True)
    if proposal.hash != wanted.hash:
        raise DutyError(
            f"refused: {proposal.title} has the hash {proposal.hash}, the coordinator asks for {wanted.hash[:64]!r}"
        )
    return proposal


def approval(proposal: Proposal, account: str) -> Action:
    """The account's approval of exactly these bytes."""
    digest = bytes.fromhex(proposal.hash)
    return actions.approve(proposal.proposer, proposal.name, PermissionLevel(account), digest)


async def approvals(node: NodeClient, proposer: str, name: str) -> Approvals:
    """Its approvals. Raises NodeError."""
    row: Mapping[str, Any] = await node.find_row(MSIG, proposer, "approvals2", name_to_int(name)) or {}
    parts = ("requested_approvals", "provided_approvals")
    requested, provided = (frozenset(str(one["level"]["actor"]) for one in row.get(part, ())) for part in parts)
    return Approvals(requested | provided, provided)


async def describe(node: NodeClient, proposal: Proposal) -> tuple[str, ...]:
    """Describes it line by line: the proposer, and each action as a cleos command.

    Strangers' ABIs are read in a cage, and left out where that takes too much.
    """
    try:
        accounts = foreign(proposal.transaction)
    except AntelopeError as error:
        return (f"{proposal.title}: cannot be read: {error}",)
    try:
        return await _in_words(proposal, await _abis(node, accounts[:MOST_ABIS]))
    except CageError as error:
        trouble = f"  its data cannot be read with the contracts' ABIs ({error}): it is shown as it is"
    try:
        title, *lines = await _in_words(proposal, {})
    except CageError as error:
        return (f"{proposal.title}: cannot be shown: {error}",)
    return (title, *lines, trouble)


async def _in_words(proposal: Proposal, abis: Mapping[str, bytes]) -> tuple[str, ...]:
    packed = {account: base64.b64encode(abi).decode() for account, abi in abis.items()}
    request = {"title": proposal.title, "packed": proposal.packed, "abis": packed}
    return tuple(await caged(words, request, BUDGET))


async def _abis(node: NodeClient, accounts: Sequence[str]) -> dict[str, bytes]:
    """The ABIs that the node has."""
    found = {}
    for account in accounts:
        with contextlib.suppress(NodeError):
            found[account] = (await node.get_raw_abi(account)).abi
    return {account: abi for account, abi in found.items() if len(abi) <= MOST_BYTES}


class Pending:
    """Proposals in DATA/proposals, a file each."""

    def __init__(self, folder: Path) -> None:
        """Creates the folder when it is first written to."""
        self._folder = folder

    def note(self, proposal: Proposal) -> bool:
        """Keeps a proposal for the operator to decide. Returns whether it is new. Raises OSError."""
        if self._path(proposal).is_file() or len(self.all()) >= MOST_PENDING:
            return False
        self._write(proposal)
        return True

    def agree(self, proposal: Proposal) -> None:
        """Records that its operator said yes. Raises OSError."""
        self._write(Proposal(proposal.proposer, proposal.name, proposal.packed, agreed=True))

    def agreed(self, proposal: Proposal) -> bool:
        """Whether its operator said yes to these very bytes."""
        return any(one.agreed for one in self.all() if one.hash == proposal.hash and one.title == proposal.title)

    def drop(self, proposal: Proposal) -> None:
        """Removes a proposal that was decided."""
        self._path(proposal).unlink(missing_ok=True)

    def all(self) -> Sequence[Proposal]:
        """Everything that waits, by title."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(Proposal(**read_json(path.read_bytes())))
            except (OSError, ValueError, TypeError):
                continue
        return sorted(found, key=lambda one: one.title)

    def _path(self, proposal: Proposal) -> Path:
        return self._folder / f"{proposal.proposer}.{proposal.name}.{proposal.hash[:16]}.json"

    def _write(self, proposal: Proposal) -> None:
        write_atomic(self._path(proposal), json.dumps(asdict(proposal)).encode(), 0o600)
