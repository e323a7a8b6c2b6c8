"""What a host's agent does with producers' keys, whatever a coordinator asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.duties.registration import Registration
from agent.errors import DutyError
from agent.keys import KeyStore
from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeRecord
from agent.nodes.state import NodeStatus
from agent.pushes.pushing import Chore, Pushing
from agent.reports import Pushed, silent
from antelope.answers import Schedule, ScheduledProducer, Schedules
from antelope.keys import PrivateKey, PublicKey
from antelope.layouts import unpack_data
from boot.blueprint import Blueprint
from boot.step import Finality, NodeMode, Push
from inventory.network import Role
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.journal import Journal
from support.possession import Challenge
from tests.unit.agent.party.conftest import FakeNode, sealed_network

PRODUCER, NONCE = "defproducera", b"once"


@dataclass
class Nodes:
    """The producer's own node."""

    node: FakeNode = field(default_factory=FakeNode)
    stopped: list[str] = field(default_factory=list)

    async def status(self) -> list[NodeStatus]:
        """It runs until it is stopped."""
        state = NodeState.STOPPED if self.stopped else NodeState.RUNNING
        return [NodeStatus("node-a", state, NodeMode.NORMAL)]

    def client(self, name: str) -> FakeNode:
        """Its answers."""
        return self.node

    def record(self, name: str) -> NodeRecord:
        """What it runs with."""
        spec = NodeSpec(name, Role.PRODUCER, PRODUCER, "h:1", "h:1", 8888)
        return NodeRecord(spec, NodeMode.NORMAL, "ab" * 32)

    async def stop(self, name: str) -> None:
        """It ends."""
        self.stopped.append(name)


@dataclass
class Office:
    """The duties, and what they pushed."""

    nodes: Nodes
    keys: KeyStore
    blueprint: Blueprint
    duties: Registration = field(init=False)
    pushed: list[tuple[Chore, Push]] = field(default_factory=list)

    def held(self) -> Blueprint:
        """As Holding's."""
        return self.blueprint

    def row(self, key: PublicKey, *, active: bool = True) -> None:
        """What the chain knows of the producer."""
        self.nodes.node.rows["eosio", "eosio", "producers", PRODUCER] = {
            "owner": PRODUCER, "is_active": int(active), "producer_key": str(key), "url": "https://a", "location": 7,
        }  # fmt: skip

    def scheduled(self, key: PublicKey | None, irreversible: int = 3) -> None:
        """The active schedule, version 3, and that of the last irreversible block."""
        producers = (ScheduledProducer(PRODUCER, (key,)),) if key else ()
        found = Schedules(Schedule(3, producers), None, None)

        async def schedules() -> Schedules:
            return found

        async def block(num: int) -> Any:
            return SimpleNamespace(schedule_version=irreversible)

        node: Any = self.nodes.node
        node.get_producer_schedule, node.get_block_info = schedules, block

    async def rekey(self, make: bool = True, account: str = PRODUCER) -> list[pb.Key]:
        """Asks for its keys."""
        wanted = pb.Rekey(account=account, make=make, nonce=NONCE)
        return list((await self.duties.rekey(wanted)).collected.signers)

    async def register(self, key: pb.Key, nonce: bytes = NONCE) -> pb.Result:
        """Asks for regproducer."""
        return await self.duties.register(pb.Register(key=key, nonce=nonce, url="https://new"), silent)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A host that has the producer's keys."""
    bundle = sealed_network(tmp_path)
    keys, nodes = KeyStore(tmp_path / "keys"), Nodes()
    made = Office(nodes, keys, Blueprint(bundle.sealed, bundle.artifacts.__getitem__))
    tools: Any = SimpleNamespace(nodes=nodes, keys=keys, journal=Journal(tmp_path / "journal.sqlite"))
    made.duties = Registration(tools, made)  # type: ignore[arg-type] # it asks what is held, and no more

    async def do(pushing: Pushing, node: Any, chore: Chore, pushes: Sequence[Push], *_: Any) -> tuple[Pushed, ...]:
        made.pushed += [(chore, push) for push in pushes]
        assert pushing.key_of(pushes[0].holder)
        return ()

    monkeypatch.setattr(Pushing, "do", do)
    keys.make([PRODUCER], [PRODUCER])
    return made


async def test_whether_an_accounts_own_key_is_here_is_told(office: Office) -> None:
    """The account, and nothing of its key."""
    wanted = pb.Rekey(account=PRODUCER, nonce=NONCE)
    assert list((await office.duties.rekey(wanted)).collected.accounts) == [pb.Key(account=PRODUCER)]


async def test_a_key_is_made_once_and_registered_once_irreversibly(office: Office) -> None:
    """With the URL and location that are registered; the same again changes nothing."""
    current = office.keys.signer_key(PRODUCER)
    office.row(current)
    assert [key.public_key for key in await office.rekey(make=False)] == [str(current)]
    first, second = await office.rekey()
    assert first.public_key == str(current)
    assert (await office.rekey())[1].public_key == second.public_key
    assert not (await office.register(second)).absent
    ((chore, push),) = office.pushed
    assert chore.finality is Finality.IRREVERSIBLE
    (action,) = push.actions
    assert unpack_data("eosio", "regproducer", action.data) == {
        "producer": PRODUCER, "producer_key": second.public_key, "url": "https://a", "location": 7,
    }  # fmt: skip
    office.row(PublicKey.parse(second.public_key))
    await office.register(second)
    assert len(office.pushed) == 1


async def test_what_nobody_holds_is_not_registered(office: Office) -> None:
    """A key without a proof, or with one of another occasion, would take the producer's blocks away."""
    _, made = await office.rekey()
    for key, nonce in (
        (pb.Key(account=PRODUCER, public_key=str(PrivateKey.generate().public), proof=made.proof), NONCE),
        (made, b"again"),
        (pb.Key(account=PRODUCER, public_key=made.public_key), NONCE),
        (pb.Key(account=PRODUCER, public_key="EOS1", proof=made.proof), NONCE),
    ):
        with pytest.raises(DutyError, match="refused"):
            await office.register(key, nonce)
    assert not office.pushed


@pytest.mark.parametrize("account", ["eosio", "eosio.ram", "useraaaaaaaa"])
async def test_who_is_no_producer_gets_no_key_and_no_registration(office: Office, account: str) -> None:
    """System accounts and users, whose keys a host may have as well."""
    with pytest.raises(DutyError, match="is not a producer"):
        await office.rekey(account=account)
    with pytest.raises(DutyError, match="is not a producer"):
        await office.duties.unregister(pb.Unregister(account=account), silent)


async def test_another_hosts_key_is_registered_by_the_accounts_holder(office: Office, tmp_path: Path) -> None:
    """Keys never move: the new host proves its own; a host without the account's key says so."""
    other = KeyStore(tmp_path / "other")
    key = other.succeed(PRODUCER)
    sealed = office.blueprint.sealed
    proof = other.prove(key, PRODUCER, Challenge(sealed.network, sealed.chain_id, NONCE))
    proved = pb.Key(account=PRODUCER, public_key=str(key), proof=proof)
    assert not (await office.register(proved)).absent
    stranger = pb.Key(account="newproducer1", public_key=str(key))
    stranger.proof = other.prove(key, PRODUCER, Challenge(sealed.network, sealed.chain_id, NONCE))
    office.blueprint = replace(office.blueprint)
    with pytest.raises(DutyError, match="no proof of possession"):
        await office.register(stranger)
    assert (await office.duties.unregister(pb.Unregister(account="newproducer1"), silent)).absent


async def test_an_old_key_goes_when_no_schedule_needs_it(office: Office) -> None:
    """Not before that; then it is removed, and the node continues with the new one."""
    old = office.keys.signer_key(PRODUCER)
    new = office.keys.succeed(PRODUCER)
    office.row(new)
    office.scheduled(old)
    with pytest.raises(DutyError, match="another key") as refused:
        await office.duties.settle(pb.Settle(account=PRODUCER, public_key=str(new)))
    assert refused.value.retryable
    office.scheduled(new, irreversible=2)
    with pytest.raises(DutyError, match="not irreversible"):
        await office.duties.settle(pb.Settle(account=PRODUCER, public_key=str(new)))
    assert office.keys.signer_keys(PRODUCER) == (old, new)
    office.scheduled(new)
    await office.duties.settle(pb.Settle(account=PRODUCER, public_key=str(new)))
    assert office.keys.signer_keys(PRODUCER) == (new,)
    assert not office.nodes.stopped


async def test_a_host_that_another_one_succeeds_has_no_key_and_no_signer_left(office: Office) -> None:
    """Its node is stopped too, also when the first attempt ended in between."""
    new = PrivateKey.generate().public
    office.row(new)
    office.scheduled(new)
    await office.duties.settle(pb.Settle(account=PRODUCER, public_key=str(new)))
    assert office.keys.signer_keys(PRODUCER) == ()
    assert office.nodes.stopped == ["node-a"]
    await office.duties.settle(pb.Settle(account=PRODUCER, public_key=str(new)))
    assert office.nodes.stopped == ["node-a"]
