"""The advice in coord's messages works: after the advised command, what was refused succeeds."""

from __future__ import annotations

import re

import pytest

from tests.live.coordinator.network import Done, MakeNetwork, Network


def advised(network: Network, refused: Done) -> Done:
    """Types the command that the message names, as it stands."""
    found = re.search(r"run:? (\S*coord( --state \S+)? \w+ \S+\.toml( --[\w-]+( [\w-]+)?)*)", refused.text)
    assert found, refused.text
    return network.typed(found[1])


@pytest.mark.advice(
    "coordinator/workflows/starting/needs.py: coord boot --until …",
    "coordinator/engine/transfers.py: coord boot --until accounts",
)
def test_what_is_advised_helps(make_network: MakeNetwork) -> None:
    """A network gets from nothing to live only by the commands that coord's refusals name."""
    network = make_network("advised")
    network.write()
    asked = (
        ("plan", ["--cleos"]),
        ("transfers", ["--count", "3"]),
        ("boot", ["--only", "canary-propose"]),
        ("boot", ["--only", "retire"]),
    )
    for command, options in asked:
        refused = network.coord(command, *options)
        assert refused.status in (1, 2), refused.text
        helped = advised(network, refused)
        assert helped.status == 0, helped.text
        assert network.coord(command, *options).status == 0
    assert "phase" in network.boot().out
    refused = network.coord("revoke", "local")
    assert refused.status == 2
    assert re.search(r"run \S*coord down \S+ --only local, then remove it from that file", refused.err)
    assert advised(network, refused).status == 0
    refused = network.coord("verify")
    assert refused.status == 1
    assert advised(network, refused).status == 0
    assert network.coord("verify").status == 0
