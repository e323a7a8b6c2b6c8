"""Which versions of bootcoord understand each other.

Messages may grow: what an older side does not know, it ignores. The number rises with a change that the other side must
know, and OLDEST with the end of support for an older one. An agent says both in its Hello; the coordinator compares.
"""

from __future__ import annotations

from protos import coordination_pb2 as pb

SPOKEN = 1
"""What this version speaks."""
OLDEST = 1
"""The oldest that it understands. Agents from before the number was sent (0) speak 1."""


def spoken(hello: pb.Hello) -> pb.Hello:
    """The Hello with this version's language in it."""
    hello.protocol, hello.oldest_protocol = SPOKEN, OLDEST
    return hello


def fits(hello: pb.Hello) -> bool:
    """Whether an agent that says so and this version understand each other."""
    return (hello.oldest_protocol or 1) <= SPOKEN and (hello.protocol or 1) >= OLDEST


def misfit(hello: pb.Hello, agent: str, coordinator: str) -> str:
    """Why an agent and a coordinator of these versions cannot work together; empty: they can."""
    if fits(hello):
        return ""
    theirs = hello.protocol or 1
    older, newer = ("agent", "coordinator") if theirs < SPOKEN else ("coordinator", "agent")
    return (
        f"the agent is of bootcoord {agent} and the coordinator of {coordinator}, which do not understand each other "
        f"(protocols {theirs} and {SPOKEN}): install the {newer}'s version for the {older}"
    )
