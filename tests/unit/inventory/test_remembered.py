"""Where the nodes of a sealed network are placed when its inventory is edited."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.load import load
from inventory.network import Network
from inventory.placed import Placed

HOSTS = """
[network]
name = "net"
[producers]
count = 3
"""


def hosts(*names: str) -> str:
    return "".join(f'[[hosts]]\nname = "{name}"\naddress = "10.0.0.{name[1:]}"\n' for name in names)


def loaded(folder: Path, text: str, before: Network | None = None) -> Network:
    """The network of this text; before: the same network as it was sealed."""
    path = folder / "net.toml"
    path.write_text(text)
    known: Mapping[str, Placed] = {node.name: Placed.of(node) for node in before.nodes} if before else {}
    return load(path, remembered=lambda name: known if name == "net" else {})


def places(network: Network) -> dict[str, tuple[str, int, int]]:
    return {node.name: (node.host, node.p2p_port, node.http_port) for node in network.nodes}


def test_a_new_host_moves_nobody(tmp_path: Path) -> None:
    """Nodes stay where they are. The rule alone would spread the producers anew, away from their keys."""
    before = loaded(tmp_path, HOSTS + hosts("h1", "h2"))
    edited = HOSTS + hosts("h1", "h2", "h3", "h4") + '[[nodes]]\nname = "watcher"\nrole = "full"\nhost = "h4"\n'
    after = places(loaded(tmp_path, edited, before))
    assert {name: place for name, place in after.items() if name != "watcher"} == places(before)
    assert after["watcher"] == ("h4", 9876, 8888)
    assert {name: place[0] for name, place in places(loaded(tmp_path, edited)).items()} != {
        name: place[0] for name, place in after.items()
    }


def test_a_new_node_takes_nobodys_ports(tmp_path: Path) -> None:
    """Only new nodes get new ports, because others dial the old ones."""
    before = loaded(tmp_path, HOSTS)
    edited = '[[nodes]]\nname = "watcher"\nrole = "full"\n'
    after = places(loaded(tmp_path, HOSTS + edited, before))
    assert {name: place for name, place in after.items() if name != "watcher"} == places(before)
    assert after["watcher"][1] not in {place[1] for place in places(before).values()}


def test_a_node_that_left_the_file_keeps_its_ports(tmp_path: Path) -> None:
    """It still runs. A renamed one is a new node, and so is one that the file names on another host."""
    left = '[[nodes]]\nname = "watcher"\nrole = "full"\nhost = "h2"\n'
    before = loaded(tmp_path, HOSTS + hosts("h1", "h2") + left)
    renamed = places(loaded(tmp_path, HOSTS + hosts("h1", "h2") + left.replace("watcher", "looker"), before))
    old, new = places(before)["watcher"], renamed["looker"]
    assert new[0] == old[0] == "h2"
    assert not {new[1], new[2]} & {old[1], old[2]}
    elsewhere = left.replace("h2", "h1") + left.replace("watcher", "looker")
    moved = places(loaded(tmp_path, HOSTS + hosts("h1", "h2") + elsewhere, before))
    assert not {*moved["looker"][1:]} & {old[1], old[2]}


def test_a_node_without_keys_stays_until_it_is_moved(tmp_path: Path) -> None:
    """A file that names another host for it starts no second one there, and gives it no address of that host."""
    text = HOSTS + hosts("h1", "h2")
    served = '[[nodes]]\nname = "served"\nrole = "api"\nhost = "h2"\napi = "10.0.0.2:8000"\np2p_port = 9999\n'
    before = loaded(tmp_path, text + served)
    edited = text + served.replace("h2", "h1").replace("10.0.0.2", "10.0.0.1")
    after = loaded(tmp_path, edited, before)
    node = after.node("served")
    assert (node.asked_host, places(after)["served"]) == ("h1", places(before)["served"])
    assert node.api == f"127.0.0.1:{node.http_port + 1000}"
    fresh = loaded(tmp_path, edited).node("served")
    assert (fresh.host, fresh.asked_host, fresh.p2p_port, fresh.api) == ("h1", "", 9999, "10.0.0.1:8000")


def test_a_port_that_the_file_says_counts(tmp_path: Path) -> None:
    """Written values count; remembered ones fill in only what the file leaves open."""
    before = loaded(tmp_path, HOSTS)
    edited = HOSTS + '[[nodes]]\naccount = "defproducerb"\np2p_port = 9900\n'
    after = places(loaded(tmp_path, edited, before))
    assert after["defproducerb"] == ("local", 9900, places(before)["defproducerb"][2])


def test_a_host_with_keys_cannot_be_left_out(tmp_path: Path) -> None:
    """Its producers are named, once each, with what to do; nothing else is said of them."""
    before = loaded(tmp_path, HOSTS + hosts("h1", "h2", "h3"))
    with pytest.raises(InventoryError) as refused:
        loaded(tmp_path, HOSTS + hosts("h1", "h2"), before)
    (line,) = str(refused.value).splitlines()
    assert "hosts: h3 is missing, and the keys of defproducerb are there; list host h3 again" in line


def test_nothing_is_said_of_the_ports_of_a_node_whose_host_is_missing(tmp_path: Path) -> None:
    """The host that stands in for it has nodes with the same ports."""
    text = HOSTS + hosts("h1", "h2", "h3") + '[[nodes]]\naccount = "defproducerb"\nhost = "h3"\np2p_port = 9876\n'
    before = loaded(tmp_path, text)
    assert places(before)["genesis"][:2] == ("h1", 9876)
    with pytest.raises(InventoryError) as refused:
        loaded(tmp_path, text.replace(hosts("h1", "h2", "h3"), hosts("h1", "h2")), before)
    said = str(refused.value)
    assert "there is no host 'h3'" in said
    assert "is taken" not in said


def test_a_producer_cannot_be_moved_by_the_file(tmp_path: Path) -> None:
    """Keys stay on the host that made them."""
    before = loaded(tmp_path, HOSTS + hosts("h1", "h2", "h3"))
    moved = HOSTS + hosts("h1", "h2", "h3") + '[[nodes]]\naccount = "defproducerb"\nhost = "h1"\n'
    with pytest.raises(InventoryError, match=r"nodes\[0\].host: the keys of defproducerb are on h3, not h1"):
        loaded(tmp_path, moved, before)
