"""Proposals in words: an ABI that anybody set costs the agent neither its memory nor its time."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent import proposals
from agent.proposal_words import LONGEST_LINE, words
from agent.proposals import Pending, Proposal, describe
from antelope import actions
from antelope.abi import Abi
from antelope.answers import RawAbi
from antelope.asset import Asset
from antelope.errors import UnknownAccount
from antelope.transaction import Action, PermissionLevel, Transaction
from support.cage import Budget
from tests.unit.antelope import bombs

OWN = (PermissionLevel("mallory"),)
TRANSFER = actions.transfer("alice", "bob", Asset.parse("1.0000 SYS"))


@dataclass
class Node:
    """Has ABIs, and remembers whose were asked for."""

    abis: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def get_raw_abi(self, name: str) -> RawAbi:
        """As put here."""
        self.asked.append(name)
        if name not in self.abis:
            raise UnknownAccount(500, None, "", "unknown")
        return RawAbi("", "", self.abis[name])


def proposal(*acts: Action, delay: int = 0) -> Proposal:
    """One that would do this."""
    return Proposal("mallory", "gift", Transaction(1_800_000_000, 0, 0, acts, delay_sec=delay).packed.hex())


async def test_known_and_foreign_actions_are_shown() -> None:
    """By this library's layouts, by the contract's own ABI, or as packed data; each contract is asked for once."""
    node = Node({"mallory": Abi(bombs.chained(2)).packed()})
    foreign = Action("mallory", "go", OWN, b"\1\2")
    title, digest, *lines = await describe(node, proposal(TRANSFER, foreign, foreign, Action("x", "y", OWN, b"")))  # type: ignore[arg-type]
    assert title == "mallory/gift: 4 actions, until 2027-01-15 08:00 UTC"
    assert digest == f"  sha256 of its bytes: {proposal(TRANSFER, foreign, foreign, Action('x', 'y', OWN, b'')).hash}"
    assert '"quantity":"1.0000 SYS"' in lines[0]
    assert lines[1] == lines[2]
    assert '{"f0":1,"f1":2}' in lines[1]
    assert "push transaction" in lines[3]
    assert node.asked == ["mallory", "x"]


async def test_a_delay_is_said() -> None:
    """A proposal that is executed with a delay says so."""
    assert (await describe(Node(), proposal(TRANSFER, delay=3600)))[0].endswith("UTC, 3600 s after it is executed")  # type: ignore[arg-type]


async def test_a_bomb_is_shown_as_data_while_the_agent_goes_on() -> None:
    """2^31 values out of no bytes: the loop turns, no memory is taken, and the operator reads why it is not decoded."""
    node, before = Node({"mallory": Abi(bombs.doubling()).packed()}), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work = asyncio.create_task(describe(node, proposal(Action("mallory", "go", OWN, b""))))  # type: ignore[arg-type]
    longest, last = 0.0, time.monotonic()
    while not (await asyncio.wait([work], timeout=0.01))[0]:
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    lines = await work
    assert "more values than may be read at once" in lines[2]
    assert "push transaction" in lines[2]
    assert longest < 1.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10  # KiB


async def test_what_is_beyond_the_budget_is_shown_without_abis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cage ends the reading: what the bytes alone say is shown, or at least that there is a proposal."""
    monkeypatch.setattr(proposals, "BUDGET", Budget(memory=64 << 20, cpu=5, seconds=20, answer=2000))
    node = Node({"mallory": Abi(bombs.long_names()).packed()})
    lines = await describe(node, proposal(Action("mallory", "go", OWN, b"\x64" + b"\1" * 100)))  # type: ignore[arg-type]
    assert "push transaction" in lines[2]
    assert "cannot be read with the contracts' ABIs (the result is larger than 2000 bytes)" in lines[-1]
    lines = await describe(node, proposal(Action("mallory", "go", OWN, bytes(2000))))  # type: ignore[arg-type]
    assert lines == ("mallory/gift: cannot be shown: the result is larger than 2000 bytes",)


def test_a_line_without_end_is_cut() -> None:
    """The terminal gets what fits, and how much more there is."""
    packed = Transaction(1, 0, 0, (Action("x", "y", OWN, bytes(150_000)),)).packed.hex()
    line = words({"title": "t", "packed": packed, "abis": {}})[2]
    assert "characters more" in line
    assert len(line) < LONGEST_LINE + 100


@pytest.mark.parametrize("text", ["[" * 100_000, "{", '{"proposer": 1e400}', "[]", '"x"', '{"a": 1}'])
def test_a_damaged_note_of_a_proposal_is_none(tmp_path: Path, text: str) -> None:
    """A file in the folder that is not a proposal does not affect the others."""
    pending = Pending(tmp_path)
    assert pending.note(proposal(TRANSFER))
    (tmp_path / "bad.json").write_text(text)
    assert [one.title for one in pending.all()] == ["mallory/gift"]
    assert json.loads(next(tmp_path.glob("mallory*")).read_text())["agreed"] is False
