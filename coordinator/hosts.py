"""Sees to it that every host has an agent that runs and is enrolled."""

from __future__ import annotations

from coordinator.local import ensure_agent
from coordinator.progress import Reporter
from coordinator.session import Session


async def ensure_agents(session: Session, reporter: Reporter) -> bool:
    """Starts what does not run. Returns whether anything was started. Raises OperationFailed."""
    started = False
    for host in session.network.hosts:
        if host.local and await ensure_agent(session.hub, host.name, session.state.host_data(host.name)):
            reporter.note(f"agent of {host.name} started")
            started = True
    return started
