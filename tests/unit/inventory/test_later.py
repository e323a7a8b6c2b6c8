"""Producers that join later are outside the seal and get nodes like all others, but none once they are retired."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inventory.compare import sections
from inventory.errors import InventoryError
from inventory.load import glance
from inventory.network import Network
from inventory.placed import Placed

FILE = """
[network]
name = "net"
[producers]
count = 2
[[hosts]]
name = "h1"
address = "10.0.0.1"
[[hosts]]
name = "h2"
address = "10.0.0.2"
"""
LATER = '[[producers.later]]\naccount = "defproducerx"\n'


def read(path: Path, text: str, remembered: dict[str, Placed] | None = None) -> Network:
    """The network of this text."""
    file = path / "net.toml"
    file.write_text(text)
    return glance(file, lambda _: remembered or {})


def test_nothing_sealed_changes(tmp_path: Path) -> None:
    """The same digests of all sealed sections, with or without it; it has a node of its own, which signs for it."""
    before, after = read(tmp_path, FILE), read(tmp_path, FILE + LATER)
    assert sections(before) == sections(after)
    assert before.producers == after.producers
    (later,) = after.later
    assert (later.account, later.node, later.elected) == ("defproducerx", "defproducerx", True)
    assert after.node("defproducerx").account == "defproducerx"
    assert after.elected == ("defproducera", "defproducerb")


def test_nobody_votes_for_a_standby(tmp_path: Path) -> None:
    """Until it takes a retired one's place."""
    (later,) = read(tmp_path, FILE + LATER + "standby = true\n").later
    assert (later.node, later.elected) == ("defproducerx", False)


def test_it_goes_where_the_file_says_or_by_the_rule(tmp_path: Path) -> None:
    """A later producer's node moves no other node."""
    ruled = read(tmp_path, FILE + LATER)
    assert {node.name: node.host for node in ruled.nodes if node.account}["defproducerx"] == "h2"
    said = read(tmp_path, FILE + LATER + 'host = "h1"\n')
    assert said.node("defproducerx").host == "h1"
    assert [node.host for node in said.nodes][:3] == [node.host for node in read(tmp_path, FILE).nodes][:3]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('account = "defproducera"', r"producers\.later\[0\]\.account: producer defproducera is listed twice"),
        ('account = "short"', r"producers\.later\[0\]\.account: short does not have 12 characters"),
        ('account = "defproducerx"\nhost = "h9"', r"producers\.later\[0\]\.host: there is no host 'h9'"),
        ('account = "defproducerx"\nlocation = 70000', r"producers\.later\[0\]\.location: 70000"),
    ],
)
def test_mistakes_name_their_place(tmp_path: Path, lines: str, problem: str) -> None:
    """As everywhere in the file."""
    with pytest.raises(InventoryError, match=problem):
        read(tmp_path, f"{FILE}[[producers.later]]\n{lines}\n")


def test_a_retired_producer_has_no_node(tmp_path: Path) -> None:
    """Whether it is one of the boot or a later one; the other nodes stay where they are."""
    network = read(tmp_path, FILE + LATER)
    for name in ("defproducera", "defproducerx"):
        remembered = {node.name: Placed.of(node) for node in network.nodes}
        remembered[name] = replace(remembered[name], retired=True)
        after = read(tmp_path, FILE + LATER, remembered)
        kept = {node.name: (node.host, node.p2p_port, node.http_port) for node in after.nodes}
        assert kept == {
            node.name: (node.host, node.p2p_port, node.http_port) for node in network.nodes if node.name != name
        }
        assert all(name not in node.peers for node in after.nodes)
        assert sections(after) == sections(network)
