"""Chooses the parties that the network's voters vote for, within the inventory's share of the schedule. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from antelope.elections import MAX_VOTED_PRODUCERS
from coordinator.parties.progress import ChainView
from inventory.network import Network
from inventory.share import Seats


@dataclass(frozen=True)
class Vote:
    """What the voters should vote for."""

    producers: tuple[str, ...]
    """The sealed ones first, then parties."""
    new: tuple[str, ...] = ()
    """Parties that are not voted for yet."""


def seats(network: Network, chain: ChainView) -> Seats:
    """The parties' places in the schedule; those of parties that are voted for now are taken."""
    later = {producer.account for producer in network.later}
    return Seats.of(network, (chain.voted & chain.registered.keys()) - later)


def choose(network: Network, elected: Sequence[str], ready: Sequence[str], chain: ChainView) -> Vote:
    """The elected producers, then ready parties in order of joining, as far as there are places for them.

    elected: as sealed. No party is voted out for being away or for lack of places: people decide that. An account
    that is no longer a registered producer is left out, because it cannot be voted for.
    """
    kept = [name for name in chain.voted if name in chain.registered and name not in elected]
    new = [name for name in ready if name not in kept and name not in elected][: seats(network, chain).free]
    parties = [name for name in ready if name in kept or name in new]
    standing = [name for name in elected if name in chain.registered]
    wanted = dict.fromkeys((*standing, *parties, *sorted(kept)))
    return Vote(tuple(wanted)[:MAX_VOTED_PRODUCERS], tuple(new))
