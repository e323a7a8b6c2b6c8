"""The chain that one node signs alone: what is sent, and what happens where the machine is busy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.errors import PushError
from agent.keys import KeyStore
from agent.solo import _Chain
from antelope import actions
from antelope.answers import Info
from antelope.errors import DuplicateTransaction, NodeError, ResourceExceeded
from antelope.transaction import SignedTransaction
from boot.step import ChainStep, Push, Verdict


@dataclass
class Node:
    """Answers a push with what comes next."""

    answers: list[NodeError | None]
    sent: list[SignedTransaction] = field(default_factory=list)

    async def get_info(self) -> Info:
        """A young chain."""
        now = datetime.now(UTC)
        return Info("ab" * 32, 2, "00000002" + "0" * 56, now, "eosio", 1, "00000001" + "0" * 56, now, "")

    async def send_transaction(self, signed: SignedTransaction) -> None:
        """Keeps it."""
        self.sent.append(signed)
        if answer := self.answers.pop(0):
            raise answer


def step(push: Push) -> ChainStep:
    """One whose work that is, and something spare."""
    spare = Push("spare", (actions.setpriv("eosio.wrap", True),), "eosio", spare=True)

    def evidence(_: object) -> Any:
        return Verdict(())
        yield

    return ChainStep("one", "do it", (), lambda _: (push, spare), evidence)


def chain(node: Node, folder: Path) -> _Chain:
    """Of a network with one system account."""
    blueprint = SimpleNamespace(sealed=SimpleNamespace(system_accounts=("eosio.msig",)))
    return _Chain(cast(Any, node), cast(Any, blueprint), KeyStore(folder))


async def test_the_same_bytes_are_sent_again_on_a_busy_machine(tmp_path: Path) -> None:
    """What took too long is sent again until it is accepted. A duplicate is not an error; spare work is not sent."""
    node = Node([ResourceExceeded(500, 3080004, "tx_cpu_usage_exceeded", "too long"), None])
    one = chain(node, tmp_path)
    one.keys.make([], ["eosio"])
    await one.run(step(Push("a", (actions.setpriv("eosio.msig", True),), "eosio")))
    assert len(node.sent) == 2
    assert node.sent[0].pack() == node.sent[1].pack()
    again = Node([DuplicateTransaction(409, 3040008, "tx_duplicate", "known")])
    await chain(again, tmp_path).run(step(Push("a", (actions.setpriv("eosio.msig", True),), "eosio")))
    assert len(again.sent) == 1


async def test_it_signs_for_eosio_only(tmp_path: Path) -> None:
    """A system account's transactions are signed with eosio's key, a user's are not signed."""
    node = Node([None])
    one = chain(node, tmp_path)
    one.keys.make(["useraaaaaaaa"], ["eosio"])
    code = actions.setcode("eosio.msig", b"")
    await one.run(step(Push("a", (code,), "eosio")))
    signed = node.sent[0]
    digest = signed.transaction.signing_digest("ab" * 32)
    assert [signature.recover(digest) for signature in signed.signatures] == [one.keys.key("eosio").public]
    with pytest.raises(PushError, match="useraaaaaaaa cannot be signed for by eosio"):
        await one.run(step(Push("a", (actions.setcode("useraaaaaaaa", b""),), "eosio")))
