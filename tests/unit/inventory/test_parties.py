"""[parties]: who pays, who is waited for, who may be where."""

from __future__ import annotations

import pytest

from inventory.allocation import holdings, parts_of
from inventory.compare import compare, sections
from inventory.errors import InventoryError
from inventory.reach import Reach, reach_of, widest
from inventory.seal import seal
from inventory.sealed import Sealed
from tests.unit.inventory.material import Collect, Load, key

SPONSOR = '[parties]\nsponsor = "sponsor"\nlimit = 10\n'


def test_the_sponsors_funds_cover_its_budget(network: Load) -> None:
    """The sponsor's liquid tokens pay for every party. The rest of the issue is shared out exactly as before."""
    found = network(SPONSOR)
    sponsor = found.parties.sponsor
    assert sponsor is not None
    held = holdings(found)
    assert held[-1].account == "sponsor"
    parts = parts_of(found, held[-1])
    assert parts.liquid == 10 * (sponsor.ram + sponsor.net + sponsor.cpu + sponsor.liquid) == sponsor.budget
    assert sum(holding.balance for holding in held) == found.users.total
    assert sponsor.ram + sponsor.net + sponsor.cpu + sponsor.liquid == 1000_0000  # what a producer has at least


def test_the_sponsor_is_sealed(network: Load, collect: Collect) -> None:
    """Its budget is part of the document, which reads back; without a sponsor the document says nothing of one."""
    found = network(SPONSOR)
    sealed = seal(found, collect(found)).sealed
    assert sealed.sponsor is not None
    assert (sealed.sponsor.account, sealed.sponsor.parties) == ("sponsor", 10)
    assert Sealed.parse(sealed.canonical()) == sealed
    plain = seal(network(""), collect(network(""))).sealed
    assert b"sponsor" not in plain.canonical()
    assert "parties" not in plain.sections


def test_its_budget_cannot_change_after_the_seal(network: Load, collect: Collect) -> None:
    """Edited, added or removed: the section is named. How parties are waited for and voted for may change."""
    found = network(SPONSOR)
    sealed = seal(found, collect(found)).sealed
    assert compare(sealed, found) == []
    assert compare(sealed, network(SPONSOR + "wait_seconds = 5\nvote = false")) == []
    assert "parties" in compare(sealed, network(SPONSOR.replace("10", "11")))
    assert "parties" in compare(sealed, network(""))
    assert "parties" in compare(seal(network(""), collect(network(""))).sealed, found)


def test_an_awaited_party_is_a_producer_without_a_node_here(network: Load) -> None:
    """It is elected and voted for like the others; no host of the operator has its keys."""
    found = network('[producers]\ncount = 3\n[parties]\nwait_for = ["alice"]')
    party = found.producers[-1]
    assert (party.account, party.node, party.elected, party.party) == ("alice", None, True, True)
    assert "alice" in found.elected
    assert all(node.account != "alice" for node in found.nodes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[parties]\nsponsor = "eosio.x"', "is reserved for the system"),
        ('[parties]\nsponsor = "defproducera"', "an account of its own"),
        ('[parties]\nsponsor = "useraaaaaaaa"', "an account of its own"),
        ('[parties]\nsponsor = "s"\nlimit = 0', "not between 1 and 1000"),
        ('[parties]\nram = "1.0000 SYS"', "name the sponsor in parties.sponsor"),
        ('[parties]\nsponsor = "s"\nram = "0.0001 SYS"', "5000 bytes are needed"),
        ('[parties]\nsponsor = "s"\ncpu = "0.0000 SYS"', "cannot push any transaction"),
        ('[parties]\nsponsor = "s"\nlimit = 1000\nliquid = "2000000.0000 SYS"', "issue"),
        ('[parties]\nwait_for = ["defproducera"]', "is already listed in producers"),
        ('[parties]\nwait_for = ["alice", "alice"]', "is listed twice"),
        ('[parties]\nwait_for = ["Alice"]', "wait_for[0]"),
        ("[parties]\nwait_seconds = 0", "0 is not between 1 and 604800"),
        ('[parties]\nshare = "1/0"', "neither a fraction"),
        ('[parties]\nshare = "2/1"', "neither a fraction"),
        ('[parties]\nshare = "third"', "neither a fraction"),
        ('[producers]\ncount = 2\n[parties]\nwait_for = ["alice"]', "1 of the 3 producers to be elected are parties"),
        ('[parties]\nwait_for = ["alice", "bob"]', "2 of the 6 producers to be elected are parties"),
        ('[parties]\nendpoints = "anywhere"', "not one of public, private, loopback"),
        ('[parties]\nwait_for = ["alice"]\n[[votes.vote]]\nvoter = "alice"\nproducers = ["alice"]', "key is held here"),
    ],
)
def test_mistakes(network: Load, text: str, said: str) -> None:
    """Each mistake is reported before anything starts."""
    with pytest.raises(InventoryError, match=said.replace("[", r"\[")):
        network(text)


def test_reach() -> None:
    """The reach of each address. An address that cannot be dialled has none."""
    assert reach_of("8.8.8.8") is Reach.PUBLIC
    assert reach_of("2a00:1450::1") is Reach.PUBLIC
    for private in ("10.99.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"):
        assert reach_of(private) is Reach.PRIVATE
    for loopback in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert reach_of(loopback) is Reach.LOOPBACK
    for nowhere in ("0.0.0.0", "224.0.0.1", "169.254.169.254", "255.255.255.255", "::", "fe80::1"):  # noqa: S104
        assert reach_of(nowhere) is None
    assert Reach.PRIVATE.bears(Reach.PUBLIC)
    assert not Reach.PRIVATE.bears(Reach.LOOPBACK)


def test_endpoints_are_as_near_as_the_hosts(network: Load) -> None:
    """A network on this machine takes loopback, one with public addresses nothing nearer."""
    assert network("").parties.endpoints is Reach.LOOPBACK
    assert widest(["8.8.8.8", "example.org"]) is Reach.PUBLIC
    assert widest(["8.8.8.8", "10.0.0.1"]) is Reach.PRIVATE
    assert network('[parties]\nendpoints = "public"').parties.endpoints is Reach.PUBLIC


def test_a_key_of_the_sponsor_is_needed(network: Load, collect: Collect) -> None:
    """The seal names it when its host did not report it."""
    found = network(SPONSOR)
    keys = dict(collect(found).account_keys)
    del keys["sponsor"]
    with pytest.raises(InventoryError, match="sponsor"):
        seal(found, collect(found, account_keys=keys | {"other": key("other")}))
    assert sections(found)["parties"]
