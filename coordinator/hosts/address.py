"""Finds the address of this machine that hosts dial."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from coordinator.errors import OperationFailed
from inventory.network import Host, Network


def advertised(network: Network) -> str:
    """The address that hosts dial: the inventory's, or that of this machine's interface towards the first remote host
    that it has a route to. Raises OperationFailed.
    """
    if network.advertise:
        return network.advertise
    far = [host for host in network.hosts if host.ssh is not None and not host.tunnel]
    return _towards(far) if far else "127.0.0.1"


def _towards(hosts: Sequence[Host]) -> str:
    """This machine's address on the way to the first of the hosts that it has a route to."""
    from coordinator.hosts.deploy.login import first_hop  # fabric takes 0.1 s to import

    troubles = []
    for host in hosts:
        assert host.ssh is not None  # noqa: S101 (chosen so)
        try:
            address, port = first_hop(host.ssh)
        except (OperationFailed, OSError) as error:
            troubles.append(f"{host.name}: {error}")
            continue
        if ":" in address:  # agents dial by IPv4, as nodes do
            address = host.address
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((address, port))  # sends nothing: the kernel only chooses the route
                return str(probe.getsockname()[0])
        except OSError as error:
            troubles.append(f"{host.name}: no route to {address} ({error}); is its address right?")
    if troubles:
        raise OperationFailed(troubles[0])
    return "127.0.0.1"
