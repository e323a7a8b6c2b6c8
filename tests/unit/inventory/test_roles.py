"""Nodes of the roles api, history and seed: what an inventory may say about them, and their defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.network import Role, SnapshotRule
from tests.unit.inventory.material import Load

AROUND = """
[[nodes]]
name = "door"
role = "api"
http_port = 8900
[[nodes]]
name = "past"
role = "history"
http_port = 8901
[[nodes]]
name = "seed"
role = "seed"
"""


def test_addresses_are_on_loopback_unless_the_file_says_otherwise(network: Load) -> None:
    """By a rule that depends on the node's own port alone; a history has no API address without being told."""
    made = network(AROUND)
    assert [(made.node(name).api, made.node(name).history) for name in ("door", "past", "seed", "genesis")] == [
        ("127.0.0.1:9900", ""), ("", "127.0.0.1:10901"), ("", ""), ("", "")
    ]  # fmt: skip
    wide = network('[[nodes]]\nname = "p"\nrole = "history"\napi = "0.0.0.0:80"\nhistory = "10.0.0.1:8080"')
    assert (wide.node("p").api, wide.node("p").history) == ("0.0.0.0:80", "10.0.0.1:8080")


def test_the_pages_example_is_an_inventory(network: Load) -> None:
    """docs/roles.md shows a node of each role."""
    page = (Path(__file__).parents[3] / "docs" / "roles.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert {node.role for node in network(example).nodes} >= {Role.API, Role.HISTORY, Role.SEED}


def test_they_sign_nothing_and_no_producer_gets_one(network: Load) -> None:
    """Producers have nodes of their own beside them."""
    made = network(AROUND)
    assert {node.name for node in made.nodes if node.role.signs} == {"genesis", *made.elected}
    assert [made.node(name).account for name in ("door", "past", "seed")] == [None, None, None]


def test_a_history_begins_with_the_first_block(network: Load) -> None:
    """Also where other nodes begin with snapshots, unless its own rule says so."""
    always = '[nodeos]\nsnapshot = "always"\n'
    made = network(always + AROUND)
    assert (made.node("past").snapshot, made.node("door").snapshot) == (SnapshotRule.NEVER, SnapshotRule.ALWAYS)
    own = network(always + '[[nodes]]\nname = "p"\nrole = "history"\nsnapshot = "auto"')
    assert own.node("p").snapshot is SnapshotRule.AUTO


def test_options_of_all_nodes_count_where_the_role_allows_them(network: Load) -> None:
    """A seed gets none that its role forbids; a role's own options are that node's."""
    shared = '[nodeos.options]\naccess-control-allow-origin = "*"\nblock-log-retain-blocks = 1000\nmax-clients = 9\n'
    made = network(
        shared + AROUND + '[[nodes]]\nname = "p"\nrole = "history"\noptions.state-history-stride = 1000000\n'
    )
    assert made.node("seed").options == {"max-clients": "9"}
    assert made.node("door").options["block-log-retain-blocks"] == "1000"
    assert "block-log-retain-blocks" not in made.node("p").options
    assert made.node("p").options["state-history-stride"] == "1000000"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'role = "api"\naccount = "defproducera"',
            'account: a node with role api does not sign; remove it, or write role = "producer"',
        ),
        ('role = "seed"\napi = "127.0.0.1:1"', 'api: a node with role seed has none; remove it, or write role = "api"'),
        (
            'role = "api"\nhistory = "a:1"',
            'history: a node with role api has none; remove it, or write role = "history"',
        ),
        ('role = "api"\napi = "8080"', "api: '8080' is not HOST:PORT, such as 0.0.0.0:7000"),
        ('role = "api"\napi = "a:0"', "api: others cannot know which port 0 stands for; write 1 to 65535"),
        ('role = "api"\nhttp_port = 8000\napi = "0.0.0.0:8000"', 'api: port 8000 is taken by node "x"; write another'),
        ('role = "history"\napi = "a:80"\nhistory = "a:80"', 'history: port 80 is taken by node "x"; write another'),
        (
            'role = "api"\nhttp_port = 65000',
            'api: is missing, and 66000, the usual port here, is not a port; write "HOST:PORT"',
        ),
        (
            'role = "history"\noptions.max-retained-block-files = 2',
            "options.max-retained-block-files: cannot be set where role is history; a history node keeps every block",
        ),
        (
            'role = "seed"\noptions.read-only-threads = 2',
            "options.read-only-threads: cannot be set where role is seed; a seed node serves no API",
        ),
        (
            'role = "full"\noptions.state-history-stride = 2',
            "options.state-history-stride: is for nodes with role history alone",
        ),
        (
            'role = "api"\noptions.api-accept-transactions = false',
            "options.api-accept-transactions: is not among the nodeos options",
        ),
        (
            'role = "api"\noptions.http-validate-host = true',
            "options.http-validate-host: is not among the nodeos options",
        ),
    ],
)
def test_what_a_role_forbids_is_refused_in_one_line(network: Load, text: str, message: str) -> None:
    """Each with its place, and what to do."""
    with pytest.raises(InventoryError) as found:
        network(f'[[nodes]]\nname = "x"\n{text}')
    assert f"nodes[0].{message}" in str(found.value)
    assert len(str(found.value).splitlines()) == 1
