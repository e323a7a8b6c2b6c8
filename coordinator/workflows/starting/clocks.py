"""Checks clocks before a chain begins: no nodeos makes a block before the genesis timestamp."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from antelope.answers import parse_time
from coordinator.agents.link import AgentLink
from coordinator.errors import OperationFailed
from inventory.sealed import Sealed
from support.retry import DeadlineError, poll

STATUS_SECONDS = 10.0
"""Seconds to wait for an agent's status, which it sends, with its time, every two seconds."""
FAR = 3.0
"""Seconds between two clocks that message delay cannot explain."""
SOON = 1.0
"""Seconds until the genesis that are not worth reporting."""


async def check_clocks(links: Iterable[AgentLink]) -> None:
    """Raises OperationFailed if a host's clock disagrees with this machine's, which dates the genesis."""
    for link in links:

        async def told(link: AgentLink = link) -> bool:
            return link.clock_offset is not None

        try:
            await poll(told, what=f"the clock of {link.name}", deadline=STATUS_SECONDS)
        except DeadlineError as error:
            raise OperationFailed(str(error)) from error
        offset = link.clock_offset or 0.0
        if abs(offset) >= FAR:
            relation = "behind" if offset < 0 else "ahead of"
            raise OperationFailed(
                f"the clock of {link.name} is {abs(offset):.1f} s {relation} this machine's, which dates the genesis: "
                "let NTP set both clocks (systemd-timesyncd or chrony), and run this again; nothing is sealed yet"
            )


def check_begun(sealed: Sealed, now: datetime | None = None) -> None:
    """Raises OperationFailed if the sealed chain's genesis timestamp is in the future."""
    begins = parse_time(str(sealed.genesis["initial_timestamp"]))
    wait = (begins - (now or datetime.now(UTC))).total_seconds()
    if wait > SOON:
        raise OperationFailed(
            f"the chain begins at {begins:%Y-%m-%d %H:%M:%S} UTC, in {wait:.0f} s by this machine's clock, and no node "
            "makes a block before: the clock was ahead when the network was sealed, or is behind now. If it is behind, "
            "set it right and run this again; if it is right, run this again at that time"
        )
