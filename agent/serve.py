"""The agent's process: one per data folder."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING

from agent.advising import typed_agent
from agent.background import together
from agent.config import AgentConfig, DataFolder
from agent.dialling import read_credentials
from support.ending import Ending
from support.identity import Kind
from support.journal import Journal
from support.locks import FileLock
from support.processes import Process

if TYPE_CHECKING:
    from agent.daemon import Agent

log = logging.getLogger(__name__)

REMEDY = "move it away and, a minute later, when what it signed has expired, start the agent again"
"""What helps when the journal is damaged: a copy would not know what was signed since; the chain does."""


async def serve(folder: DataFolder, metrics: str = "") -> None:
    """Runs until SIGTERM or SIGINT. metrics: HOST:PORT where values for Prometheus are exported; empty: nowhere.

    Raises ConfigError, LockedError, Refused, JournalError, OSError.
    """
    config = folder.read()
    credentials = read_credentials(folder, config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with FileLock(folder.lock):
        Process.of(os.getpid()).write(folder.record)
        Ending.forget(folder.path)
        journal = Journal(folder.journal, f"{REMEDY} ({_starts(folder, config)})")
        agent = _agent(folder, config, journal)
        try:
            await agent.nodes.open()
            log.info("agent of %s in network %s, process %d", config.name, config.network, os.getpid())
            async with _exported(agent, metrics):
                await together(agent.run(credentials), stop.wait())
        finally:
            await agent.close()
            journal.close()
            folder.record.unlink(missing_ok=True)
            log.info("agent ends; its nodes run on")


def _starts(folder: DataFolder, config: AgentConfig) -> str:
    """What starts this agent: a party's operator does, the others' coordinator."""
    return f"by: {typed_agent('serve', folder.path)}" if config.kind is Kind.PARTY else "by a boot"


def _exported(agent: Agent, metrics: str) -> AbstractAsyncContextManager[None]:
    if not metrics:
        return nullcontext()
    from agent.measures import exported  # an agent without metrics does not wait for its imports

    return exported(agent, metrics)


def _agent(folder: DataFolder, config: AgentConfig, journal: Journal) -> Agent:
    """Imports only its own duties: 3 MiB of a party's are the audit."""
    if config.kind is Kind.PARTY:
        from agent.party.agent import party_agent

        return party_agent(folder, config, journal)
    from agent.daemon import host_agent

    return host_agent(folder, config, journal)
