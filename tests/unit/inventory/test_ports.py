"""One more node on an address gets ports that none of its nodes has, whatever the file says of theirs."""

from __future__ import annotations

import pytest

from inventory.ports import free_pair
from tests.unit.inventory.material import Load

FILE = """
[producers]
count = 2
[[nodes]]
account = "defproducera"
"""


@pytest.mark.parametrize(
    "ports",
    [
        "",
        "http_port = 9877",  # between the p2p ports
        "p2p_port = 8889\nhttp_port = 9878",
        "p2p_port = 65535\nhttp_port = 65534",  # there is none above
    ],
)
def test_the_pair_is_free(network: Load, ports: str) -> None:
    """Each port is nobody's, neither as a p2p nor as an HTTP port, and one that a socket can have."""
    net = network(FILE + ports)
    pair = free_pair(net, "127.0.0.1")
    taken = {port for node in net.nodes for port in (node.p2p_port, node.http_port)}
    assert len({*pair}) == 2
    assert not taken & {*pair}
    assert all(port < 65536 for port in pair)


def test_another_address_has_its_first_ports_free(network: Load) -> None:
    """Ports are counted for each address."""
    assert free_pair(network(FILE), "127.0.0.2") == (9876, 8888)
