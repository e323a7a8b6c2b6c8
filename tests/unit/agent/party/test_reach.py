"""Which addresses a party's node dials: by its operator's rule, and by what names resolve to."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from agent.errors import ConfigError
from agent.party import reach
from agent.party.reach import judge, own_reach
from agent.party.settings import PartySettings
from inventory.reach import Reach
from protos import coordination_pb2 as pb
from tests.unit.agent.party.conftest import ALICE, Home

NAMES = {
    "good.example": ("8.8.8.8",),
    "both.example": ("2001:4860:4860::8888", "8.8.4.4"),
    "loop.example": ("127.0.0.1",),
    "half.example": ("8.8.8.8", "10.1.2.3"),
    "mapped.example": ("::ffff:127.0.0.1",),
    "secret.example": ("169.254.169.254",),
}


async def resolver(host: str) -> tuple[str, ...]:
    """What a stranger's name server answers."""
    return NAMES.get(host, (host,) if host[0].isdigit() or ":" in host else ())


@pytest.mark.parametrize(
    ("peer", "reached"),
    [
        ("8.8.8.8:1", Reach.PUBLIC),
        ("good.example:1", Reach.PUBLIC),
        ("10.0.0.5:1", Reach.PRIVATE),
        ("100.64.1.1:1", Reach.PRIVATE),
        ("192.168.1.1:1", Reach.PRIVATE),
        ("[fd00::1]:1", Reach.PRIVATE),
        ("half.example:1", Reach.PRIVATE),
        ("127.0.0.1:1", Reach.LOOPBACK),
        ("127.8.8.8:1", Reach.LOOPBACK),
        ("[::1]:1", Reach.LOOPBACK),
        ("[::ffff:127.0.0.1]:1", Reach.LOOPBACK),
        ("[64:ff9b::7f00:1]:1", Reach.LOOPBACK),
        ("[2002:a00:1::]:1", Reach.PRIVATE),
        ("loop.example:1", Reach.LOOPBACK),
        ("mapped.example:1", Reach.LOOPBACK),
        ("0.0.0.0:1", None),
        ("169.254.169.254:80", None),
        ("[fe80::1]:1", None),
        ("224.0.0.1:1", None),
        ("secret.example:1", None),
    ],
)
async def test_addresses_are_judged_not_names(peer: str, reached: Reach | None) -> None:
    """An endpoint is dialled if the rule covers the nearest of its addresses; some addresses are never dialled."""
    for rule in Reach:
        found = await judge([peer], rule, resolver)
        allowed = reached is not None and rule.bears(reached)
        assert (bool(found.dialled), bool(found.refused)) == (allowed, not allowed), rule


async def test_nodeos_gets_the_address_that_was_judged() -> None:
    """A name that resolves to another address a moment later leads nowhere; IPv4 comes first; failures are reported."""
    found = await judge(
        ["good.example:1", "both.example:2", "gone.example:3", "good.example:1"], Reach.PUBLIC, resolver
    )
    assert found.dialled == ("8.8.8.8:1", "8.8.4.4:2")
    assert found.missing == ("gone.example:3",)


async def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name has no address."""
    monkeypatch.setattr(reach, "SECONDS", 0.05)

    async def never(host: str) -> tuple[str, ...]:
        await asyncio.Event().wait()
        return ()

    assert (await judge(["slow.example:1"], Reach.PUBLIC, never)).missing == ("slow.example:1",)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names have the addresses from above."""
    monkeypatch.setattr(reach, "resolve", resolver)


@pytest.mark.usefixtures("network")
async def test_one_peer_too_near_is_refused_with_what_to_say(alice: Home) -> None:
    """The node is not started with it or with the others; both sides read how the party could allow it."""
    await alice.hold()
    for task in (
        {"follow": pb.Follow(peers=["good.example:1", "loop.example:8888"])},
        {"set_peers": pb.SetPeers(name=ALICE, peers=["127.0.0.1:8888"])},
    ):
        result = await alice.do(**task)
        assert not result.ok
        assert "say --peers loopback" in result.error
    assert alice.nodes.started == []
    result = await alice.do(follow=pb.Follow(peers=["gone.example:1"]))
    assert (result.ok, result.retryable) == (False, True)
    assert (await alice.do(follow=pb.Follow(peers=["good.example:1", "gone.example:1"]))).ok
    assert alice.nodes.started[-1][0].peers == ("8.8.8.8:1",)


@pytest.mark.usefixtures("network")
async def test_the_rule_of_now_holds_when_the_node_is_started_again(
    alice: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Names are resolved again; addresses that are now too near are dropped; without DNS the last ones count."""
    await alice.hold()
    assert (await alice.do(follow=pb.Follow(peers=["good.example:1", "8.8.0.1:2"]))).ok
    monkeypatch.setitem(NAMES, "good.example", ("127.0.0.1",))
    with caplog.at_level(logging.WARNING):
        await alice.duties.node.resume()
    assert [*alice.nodes.started[-1][0].peers] == ["8.8.0.1:2"]
    assert "good.example:1 is at 127.0.0.1" in caplog.text
    alice.duties.node.settings = replace(alice.duties.settings, peers="loopback")
    await alice.duties.node.resume()
    assert [*alice.nodes.started[-1][0].peers] == ["127.0.0.1:1", "8.8.0.1:2"]


@pytest.mark.usefixtures("network")
async def test_endpoints_for_an_outage_are_judged_too(alice: Home, caplog: pytest.LogCaptureFixture) -> None:
    """Endpoints that are too near are left out, and the log says so."""
    told = pb.Producers(endpoints=["good.example:1", "loop.example:2", "8.8.0.1:3"])
    assert (await alice.do(producers=told)).ok
    assert alice.duties.producers.known == ("8.8.8.8:1", "8.8.0.1:3")
    assert "1 endpoints of producers are not kept" in caplog.text


@pytest.mark.parametrize(
    ("p2p", "said"), [("127.0.0.1:1", "loopback"), ("localhost:1", "loopback"), ("10.0.0.5:1", "private")]
)
def test_an_own_endpoint_nearby_asks_for_the_rule(p2p: str, said: str) -> None:
    """A node that only neighbours can dial has neighbours as peers: the option for that is named before joining."""
    with pytest.raises(ConfigError, match=f"say --peers {said}"):
        PartySettings(ALICE, p2p)
    assert PartySettings(ALICE, p2p, peers=said).peers == said
    assert own_reach("p2p.alice.example:1") is Reach.PUBLIC
    with pytest.raises(ConfigError, match="peers is public, private or loopback"):
        PartySettings(ALICE, "8.8.8.8:1", peers="all")
