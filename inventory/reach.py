"""The reach of an IP address: from where it can be dialled. The network's reach limits parties' p2p endpoints."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import StrEnum

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class Reach(StrEnum):
    """From where an address can be dialled. A network of one kind also accepts addresses of the kinds before it."""

    PUBLIC = "public"
    PRIVATE = "private"
    """In a private network, or in a range shared by a provider's customers."""
    LOOPBACK = "loopback"
    """On this machine only."""

    def bears(self, other: Reach) -> bool:
        """Whether a network of this reach accepts a node of the other."""
        order = list(Reach)
        return order.index(other) <= order.index(self)


def reach_of(address: str) -> Reach | None:
    """The reach of an IP address; None if nobody can dial it (unspecified, multicast, link-local, reserved).

    Raises ValueError when it is not an IP address.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = _within(found) or found
    if found.is_loopback:
        return Reach.LOOPBACK
    if found.is_unspecified or found.is_multicast or found.is_link_local or found.is_reserved:
        return None
    return Reach.PUBLIC if found.is_global else Reach.PRIVATE


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, by 6to4 or Teredo, or translated (RFC 6052)."""
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


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
