"""The address of this machine that hosts dial."""

from __future__ import annotations

import socket

from coordinator.errors import OperationFailed
from coordinator.hosts.deploy.login import first_hop
from inventory.network import Network


def advertised(network: Network) -> str:
    """The address that hosts dial: the inventory's, or that of this machine's interface towards the first remote host
    that it has a route to. Raises OperationFailed.
    """
    if network.advertise:
        return network.advertise
    troubles = []
    for host in network.hosts:
        if host.ssh is None or host.tunnel:
            continue
        try:
            address, port = first_hop(host.ssh)
        except (OperationFailed, OSError) as error:
            troubles.append(f"{host.name}: {error}")
            continue
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((address, port))  # sends nothing: the kernel only chooses the route
                return str(probe.getsockname()[0])
        except OSError as error:
            troubles.append(f"{host.name}: no route to {address} ({error}); is its address right?")
    if troubles:
        raise OperationFailed(troubles[0])
    return "127.0.0.1"
