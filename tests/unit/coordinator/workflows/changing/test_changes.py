"""The difference between an inventory and what runs, line by line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from coordinator.cli.plan import Edited
from coordinator.engine.node_specs import node_spec
from coordinator.workflows.changing.changes import Cost, Fact, Home, differences, restarts, summary
from coordinator.workflows.changing.facts import Facts
from inventory.load import load
from inventory.network import Network, Ssh
from protos import coordination_pb2 as pb

TEXT = """
[network]
name = "net"
[producers]
count = 2
"""


def network(folder: Path) -> Network:
    path = folder / "net.toml"
    path.write_text(TEXT)
    return load(path)


def running(network: Network) -> dict[str, Fact]:
    """Everything runs as the network says."""
    return {node.name: Fact(node.host, node_spec(network, node)) for node in network.nodes}


def edited(network: Network, name: str, **changes: object) -> Network:
    nodes = tuple(replace(node, **changes) if node.name == name else node for node in network.nodes)  # type: ignore[arg-type]
    return replace(network, nodes=nodes)


def test_no_difference_is_none(tmp_path: Path) -> None:
    """Also if nodes dial parties in addition."""
    net = network(tmp_path)
    facts = running(net)
    facts["defproducera"].spec.peers.append("party.example:9876")
    assert differences(net, facts, parties=["party.example:9876"]) == ()
    assert summary(()) == ""


def test_an_agents_metrics_are_a_line(tmp_path: Path) -> None:
    """Where they go elsewhere than the inventory says; hosts that did not say are left out."""
    net = network(tmp_path)
    facts, wanted = running(net), replace(net, hosts=(replace(net.hosts[0], metrics="127.0.0.1:9101"),))
    (change,) = differences(wanted, facts, exports={"local": ""})
    assert change.line() == (
        "+ local: agent metrics: (none) -> 127.0.0.1:9101 (its agent is restarted, its nodes are not)"
    )
    assert summary([change]) == "1 agent is restarted"
    assert differences(wanted, facts, exports={"local": "127.0.0.1:9101"}) == differences(wanted, facts) == ()
    assert Facts.from_json(Facts(facts, (), exports={"local": "a:1"}).to_json()).exports == {"local": "a:1"}


def test_data_stays_where_it_was_made(tmp_path: Path) -> None:
    """An edit of a host's data folder or user is named before a boot fails at it; agents that do not tell are left."""
    net = network(tmp_path)
    far = replace(net.hosts[0], name="h1", ssh=Ssh("192.0.2.1"), data="/srv/new", user="me")
    edit = replace(net, nodes=(), hosts=(far,))
    data, user = differences(edit, {}, homes={"h1": Home("/var/lib/bootcoord/net", "bootcoord")})
    assert data.line() == (
        "~ h1: agent data: /var/lib/bootcoord/net -> /srv/new (not applied by a boot; "
        "data and keys stay as they were made: leave hosts.data as it was)"
    )
    assert (user.part, user.before, user.after) == ("user", "bootcoord", "me")
    assert differences(edit, {}, homes={"h1": Home("/srv/new", "me")}) == differences(edit, {}) == ()
    told = Facts({}, (), homes={"h1": Home("/srv/new", "me")})
    assert Facts.from_json(told.to_json()).homes == told.homes


def test_a_place_that_a_node_left_is_no_place(tmp_path: Path) -> None:
    """The host that it left still tells of it; where it is now, it is new or runs."""
    net = network(tmp_path)
    facts = running(net)
    facts["defproducerb"] = Fact("h9", facts["defproducerb"].spec, stopped=True)
    (change,) = differences(net, facts)
    assert change.line().startswith("+ local: defproducerb: producer node")


def test_each_part_is_a_line_with_its_cost(tmp_path: Path) -> None:
    """A port, an option and a nodeos cost a restart; the nodes that dial the port only learn the new one."""
    net = network(tmp_path)
    facts = running(net)
    after = edited(net, "defproducerb", p2p_port=9900, options={"max-clients": "30"})
    lines = [change.line() for change in differences(after, facts)]
    assert lines == [
        "~ local: genesis peers: -127.0.0.1:9878 +127.0.0.1:9900",
        "~ local: defproducera peers: -127.0.0.1:9878 +127.0.0.1:9900",
        "~ local: defproducerb p2p: 127.0.0.1:9878 -> 127.0.0.1:9900 (the node is restarted)",
        "+ local: defproducerb options.max-clients: (none) -> 30 (the node is restarted)",
    ]
    changes = differences(after, facts)
    assert restarts(changes) == ("defproducerb",)
    assert summary(changes) == "1 node is restarted; 2 nodes learn of it without a restart"


def test_a_stopped_node_is_a_difference(tmp_path: Path) -> None:
    """A boot starts it, with what was changed meanwhile; it needs no restart and begins nothing anew."""
    net = network(tmp_path)
    facts = running(net)
    facts["defproducerb"] = replace(facts["defproducerb"], stopped=True)
    (change,) = differences(net, facts)
    assert change.line() == "~ local: defproducerb state: stopped -> running (the node is started)"
    assert summary([change]) == "1 node starts"
    assert Edited(changes=(change,)).started == ()
    both = differences(edited(net, "defproducerb", options={"max-clients": "30"}), facts)
    assert [(change.part, change.cost) for change in both] == [
        ("state", Cost.START),
        ("options.max-clients", Cost.START),
    ]
    assert summary(both) == "1 node starts"


def test_a_producer_that_joins_later_is_more_than_a_node(tmp_path: Path) -> None:
    """The line also says what becomes of its account; of a producer of the boot there is no more to say."""
    path = tmp_path / "net.toml"
    later = "".join(f'[[producers.later]]\naccount = "defproducer{one}"\n' for one in "xy")
    path.write_text(TEXT + later + "standby = true\n")
    net = load(path)
    facts = running(net)
    for name in ("defproducerb", "defproducerx", "defproducery"):
        del facts[name]
    early, joins, standby = differences(net, facts)
    assert early.line().endswith("(the node is started)")
    assert joins.line().endswith(
        "(the node is started; defproducerx gets an account if it has none, registers, and gets votes)"
    )
    assert standby.line().endswith("(the node is started; defproducery gets an account if it has none, and registers)")


def test_what_was_added_and_removed_is_named(tmp_path: Path) -> None:
    """The boot starts a new node; a node that left the file runs on, and the line says how to stop it."""
    net = network(tmp_path)
    facts = running(net)
    stranger = pb.NodeSpec(name="old\x1b[2J", role="full", p2p_endpoint="10.0.0.9:9876", http_port=8888)
    facts["old"] = Fact("h9", stranger)
    del facts["defproducerb"]
    added, removed = differences(net, facts)
    assert added.line().startswith("+ local: defproducerb: producer node, p2p 127.0.0.1:9878")
    assert added.cost is Cost.START
    assert removed.line().startswith("- h9: old: full node, p2p 10.0.0.9:9876, http port 8888 (not applied by a boot; ")
    assert "remove h9" in removed.hint
    assert removed.line().isprintable()


def test_a_node_that_has_yet_to_be_moved_is_one_line(tmp_path: Path) -> None:
    """Nobody is told of an endpoint where it does not run, and it is not changed where it runs."""
    net = network(tmp_path)
    facts = running(net)
    asked = edited(net, "defproducerb", asked_host="h9", options={"max-clients": "30"})
    (line,) = differences(asked, facts)
    assert line.line() == (
        "+ h9: defproducerb: moves from local (not applied by a boot; it runs on local; to move it: "
        "coord node INVENTORY move defproducerb --to h9)"
    )


def test_a_producer_that_left_the_file_is_retired_and_not_just_stopped(tmp_path: Path) -> None:
    """Its turns would stay empty; the sponsor's file names it again first."""
    net = network(tmp_path)
    spec = pb.NodeSpec(name="x", role="producer", account="defproducerx", p2p_endpoint="10.0.0.9:9876")
    for host in ("local", "h9"):
        (left,) = differences(net, running(net) | {"x": Fact(host, spec)})
        assert left.hint.endswith("list defproducerx in producers.later again, and retire it (docs/changing.md)")


def test_a_host_that_left_is_named_although_no_node_runs_there(tmp_path: Path) -> None:
    """Its agent still gets tasks, and has keys; the line says how to end that. Once only, where a node runs there."""
    net = network(tmp_path)
    (left,) = differences(net, running(net), agents=["local", "h9"])
    assert left.line().startswith("- h9: agent: no node runs, but its agent is let in (not applied by a boot; ")
    assert left.line().endswith("remove h9)")
    stranger = Fact("h9", pb.NodeSpec(name="old", role="full", p2p_endpoint="10.0.0.9:9876", http_port=8888))
    (runs,) = differences(net, running(net) | {"old": stranger}, agents=["local", "h9"])
    assert runs.node == "old"


def test_a_host_that_does_not_answer_is_no_difference(tmp_path: Path) -> None:
    """What runs there is unknown, so nothing is called missing."""
    net = network(tmp_path)
    assert differences(net, {}, away=["local"]) == ()
    assert {change.cost for change in differences(net, {})} == {Cost.START}


def test_a_node_keeps_its_role(tmp_path: Path) -> None:
    """Another role is another node: the change is refused, and no other line is printed for that node."""
    net = network(tmp_path)
    facts = running(net)
    facts["defproducerb"].spec.role, facts["defproducerb"].spec.account = "full", ""
    (change,) = differences(net, facts)
    assert (change.part, change.cost) == ("role", Cost.BY_HAND)
    assert "give the new one another name" in change.line()


def test_facts_cross_to_another_terminal(tmp_path: Path) -> None:
    """They arrive as the running coordinator has them."""
    facts = Facts(running(network(tmp_path)), ("h2",), frozenset({"party.example:1"}), ["h9"])
    again = Facts.from_json(facts.to_json())
    assert (dict(again.nodes), again.away, again.parties) == (dict(facts.nodes), ("h2",), facts.parties)


def test_a_plan_does_not_say_that_a_boot_applies_what_it_refuses(tmp_path: Path) -> None:
    """One edit of a sealed section, and nothing of the file is applied; differences by hand are not applied either."""
    net = network(tmp_path)
    changes = differences(edited(net, "defproducerb", p2p_port=9900), running(net))
    assert "applies it: 1 node is restarted" in list(Edited((), changes).lines())[-1]
    last = list(Edited(("users: undo the edit",), changes).lines())[-1]
    assert "refuses this file" in last
    assert "applies it" not in last
    by_hand = differences(net, running(net), agents=["h9"])
    assert "leaves it: 1 difference is not applied by a boot" in list(Edited((), by_hand).lines())[-1]
