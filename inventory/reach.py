"""How far an IP address reaches: what a party may give as its p2p endpoint depends on where the network itself is."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import StrEnum


class Reach(StrEnum):
    """Who can dial an address; each kind of network bears those before it, too."""

    PUBLIC = "public"
    PRIVATE = "private"
    """Of a private network, or shared by a provider's customers."""
    LOOPBACK = "loopback"
    """This machine only."""

    def bears(self, other: Reach) -> bool:
        """Whether a network of this reach may have a node of the other."""
        order = list(Reach)
        return order.index(other) <= order.index(self)


def reach_of(address: str) -> Reach | None:
    """The reach of an IP address; None for what nobody can dial (unspecified, multicast, link-local, reserved).

    Raises ValueError when it is no IP address.
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_loopback:
        return Reach.LOOPBACK
    if found.is_unspecified or found.is_multicast or found.is_link_local or found.is_reserved:
        return None
    return Reach.PUBLIC if found.is_global else Reach.PRIVATE


def widest(addresses: Iterable[str]) -> Reach:
    """The reach of a network whose hosts have these addresses; DNS names count as public."""
    found = Reach.PUBLIC
    for address in addresses:
        try:
            reach = reach_of(address)
        except ValueError:
            continue
        if reach is not None and reach.bears(found):
            found = reach
    return found
