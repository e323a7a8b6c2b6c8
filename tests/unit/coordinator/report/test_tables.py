"""Reports as text: columns that line up, and every trouble in words."""

from __future__ import annotations

import re

import pytest

from coordinator.parties.store import Party, Standing
from coordinator.report.status import HostRow, NodeRow
from coordinator.report.tables import columns, node_table, report_lines
from tests.unit.coordinator.report.test_status import status


def test_each_column_is_as_wide_as_its_widest_cell() -> None:
    """Nothing is cut, and no line ends with blanks."""
    assert list(columns(("A", "LONG"), [("wide cell", "x"), ("y", "")])) == ["A          LONG", "wide cell  x", "y"]


def test_a_node_that_does_not_run_says_why() -> None:
    """Below the table; what is not known is a dash."""
    row = NodeRow("n1", "h1", "", "full", "h1:9876", "http://127.0.0.1:8888", "failed", 0, 0, 0, "its disk is full")
    lines = list(node_table(status(nodes=(row,))))
    assert lines[1].split() == ["n1", "h1", "(full)", "failed", "-", "-", "0", "h1:9876", "http://127.0.0.1:8888"]
    assert lines[2] == "n1: its disk is full"


def test_a_node_for_other_people_says_where_it_serves() -> None:
    """Below the table, with both addresses; and a seed is never named as the one that takes transactions."""
    at = ("h1:9876", "http://127.0.0.1:8888", "running", 9, 8, 3, "")
    seed, audit = NodeRow("s", "h1", "", "seed", *at), NodeRow("g", "h1", "eosio", "genesis", *at, audit=True)
    past = NodeRow("p", "h1", "", "history", *at, api="10.0.0.1:80", history="10.0.0.1:8080")
    lines = list(node_table(status(nodes=(seed, past, audit))))
    assert lines[1].split()[2] == "(seed)"
    assert lines[4] == "p serves its API at http://10.0.0.1:80 and state history at ws://10.0.0.1:8080"
    assert "it takes no transactions; p does" in lines[5]


def test_the_report_names_what_a_person_would_ask() -> None:
    """The chain, hosts with clock and disk, parties with their state, steps; a chain that stands is called so."""
    alice = Party(
        "alice", "alice1111111", None, None, None, "", "", Standing.REFUSED, "its port is closed", 0.0, (), ""
    )
    hosts = (HostRow("h1", "connected", -0.25, 3 << 30), HostRow("h2", "away", None, None))
    text = "\n".join(report_lines(status(hosts=hosts, parties=(alice,), silent=("b",))))
    assert "head      1000, 0 s ago   LIB 980" in text
    assert "h1    connected  -250 ms  3.0 GiB" in text
    assert "h2    away       -        -" in text
    assert "alice  alice1111111  -    refused: its port is closed" in text
    assert "silent    b: elected, but no block in the latest round" in text
    left = "\n".join(report_lines(status(unlisted={"h5": ("watcher",), "h6": ()})))
    assert re.search(r"h5 left the inventory, and runs watcher: coord .*host .*remove h5", left)
    assert re.search(r"h6 left the inventory, and runs no node: coord .*host .*remove h6", left)
    text = "\n".join(report_lines(status(stands=True, head_age=73.0)))
    assert "stalled   no new blocks; a, b, c, d should sign" in text
    assert "silent" not in text
    unknown = "\n".join(report_lines(status(chain_id=None, manifest=None, head_age=None, schedule=())))
    assert "chain id  -" in unknown
    assert "schedule  -" in unknown


@pytest.mark.parametrize("width", [80, 60, 40])
def test_a_report_fits_the_terminal(width: int) -> None:
    """No word is broken: columns are left out, and other lines are wrapped and indented."""
    row = NodeRow(
        "defproducera", "h1", "defproducera", "producer", "10.0.0.1:9876", "http://127.0.0.1:8888", "failed", 1000, 980,
        4, "another process has its data open: stop that one first",
    )  # fmt: skip
    shown = status(nodes=(row,))
    lines = list(report_lines(shown, width))
    words = {word for line in report_lines(shown) for word in line.split()}
    assert {word for line in lines for word in line.split()} <= words
    assert [line for line in lines if len(line) > width and len(line.split()) > 2] == []
    assert any(line.startswith("NODE") and "STATE" in line for line in lines)
