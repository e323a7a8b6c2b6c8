"""A party changes its block-signing key by itself: as its policy allows, in order, and on from wherever it stopped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.errors import ControlError, DutyError, NodeFault
from agent.keys import KeyStore
from agent.party import rotating
from agent.party.policy import Policy, objection
from agent.party.rotating import Rotating
from agent.pushes.pushing import Chore
from agent.reports import Pushed
from antelope.answers import Info, Schedule, ScheduledProducer, Schedules
from antelope.keys import PublicKey
from boot.step import Push

ALICE = "alice1111111"


@dataclass
class World:
    """A chain of two producers; alice's node, keys and account."""

    keys: KeyStore
    policy: Policy = field(default_factory=Policy)
    running: tuple[str, ...] = ()
    registered: str = ""
    said: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    breaks: str = ""
    """Before which act the agent dies, once."""
    others: tuple[str, ...] = ("bob111111111",)
    looks: int = 0
    name: str = ALICE

    def die(self, act: str) -> None:
        """What was done until then stays."""
        if self.breaks == act:
            self.breaks = ""
            raise NodeFault(f"died before {act}")
        self.acts.append(act)

    @property
    def signer_keys(self) -> tuple[PublicKey, ...]:
        return self.keys.signer_keys(ALICE)

    async def registered_key(self) -> PublicKey | None:
        return next((key for key in self.signer_keys if str(key) == self.registered), None)

    def succeed(self, given: Any) -> PublicKey:
        self.die("make")
        return self.keys.succeed(ALICE, given)

    def keep_signer(self, key: PublicKey) -> None:
        if len(self.signer_keys) > 1:
            self.die("remove")
        self.keys.keep_signer(ALICE, key)

    async def synced(self) -> None:
        """It is."""

    def in_sync(self, info: Info) -> bool:
        return True

    @property
    def node(self) -> World:
        return self

    async def get_info(self) -> Any:
        self.looks += 1
        turn = (ALICE, *self.others)[self.looks // 3 % (1 + len(self.others))]
        return SimpleNamespace(head_block_producer=turn, last_irreversible_block_num=9)

    async def find_row(self, *_: object) -> Any:
        return {"is_active": 1, "producer_key": self.registered, "url": "https://a", "location": 1}

    async def get_block_info(self, num: int) -> Any:
        return SimpleNamespace(schedule_version=2)

    async def get_producer_schedule(self) -> Schedules:
        key = (PublicKey.parse(self.registered),)
        return Schedules(Schedule(2, tuple(ScheduledProducer(n, key) for n in (ALICE, *self.others))), None, None)

    async def sign(self, chore: Chore, pushes: tuple[Push, ...], info: Any) -> tuple[Pushed, ...]:
        self.die("register")
        (push,) = pushes
        if why := objection(self.policy, ALICE, push.actions, frozenset(map(str, self.signer_keys))):
            raise DutyError(f"refused: {why}")
        self.registered = str(self.signer_keys[-1])
        return (Pushed(push.key, "01", 5),)

    def record(self, name: str) -> Any:
        return SimpleNamespace(keys=self.running)

    async def restart(self, name: str) -> None:
        self.die(f"restart with {len(self.signer_keys)}")
        self.running = tuple(map(str, self.signer_keys))

    async def rotate(self) -> None:
        """As its operator asks."""
        both: Any = self
        await Rotating(both, both, self.said.append, lambda: self.acts.append("tell")).run(None)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Registered, and signing with the first key."""
    monkeypatch.setattr(rotating, "LOOK_SECONDS", 0.001)
    keys = KeyStore(tmp_path / "keys")
    key = str(keys.signer_key(ALICE))
    return World(keys, running=(key,), registered=key)


STEPS = ["make", "restart with 2", "register", "tell", "remove", "restart with 1", "tell"]


async def test_the_key_changes_in_order(world: World) -> None:
    """Both keys before the registration, the new one alone after the schedule; the coordinator hears of both."""
    before = world.registered
    await world.rotate()
    assert world.acts == STEPS
    assert world.running == (world.registered,) == tuple(map(str, world.signer_keys))
    assert world.registered != before


@pytest.mark.parametrize("act", [step for step in STEPS if step != "tell"])
async def test_it_goes_on_after_a_crash_anywhere(world: World, act: str) -> None:
    """No second key, no second registration."""
    world.breaks = act
    with pytest.raises(NodeFault):
        await world.rotate()
    await world.rotate()
    done = [one for one in world.acts if one != "tell"]
    assert sorted(done) == sorted(step for step in STEPS if step != "tell")
    assert world.running == (world.registered,) == tuple(map(str, world.signer_keys))


async def test_a_policy_without_regproducer_is_kept(world: World) -> None:
    """The registered key then keeps signing."""
    world.policy = replace(world.policy, regproducer=False)
    with pytest.raises(DutyError, match="switched off"):
        await world.rotate()
    assert world.registered == world.running[0]


async def test_the_only_producer_does_not_stop_its_chain(world: World) -> None:
    """Nor does one begin whose key is another than the chain's."""
    world.others = ()
    with pytest.raises(ControlError, match="the only producer"):
        await world.rotate()
    world.registered = str(KeyStore(world.keys.accounts_file.parent.parent / "other").signer_key(ALICE))
    with pytest.raises(ControlError, match="not registered as a producer with a key of this agent"):
        await world.rotate()
    assert world.acts == []
