"""What the commands of `agent` do, and how their ends become exit statuses."""

from __future__ import annotations

import support.quiet  # noqa: F401 (before what imports grpc)

# isort: split
import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path

from agent.config import AgentConfig, ConfigError, DataFolder
from agent.exits import ENDED, FAILED, WRONG
from agent.identity import admit, request
from agent.keys import KeyStore, KeyStoreError, wallet
from agent.keys.keosd import KeosdError
from agent.nodeos.errors import NodeosError
from agent.party import commands as party
from agent.party.arguments import wanted
from agent.party.control import ControlError
from agent.party.joining import JoinError
from support import nodelogs
from support.invitation import InvitationError
from support.locks import LockedError
from support.processes import Process, StillRunningError, stop, stop_nodes
from support.texts import plain
from support.tls import TlsError

LINE_LIMIT = 4000
"""Characters of a line of the log."""
AGENT_GRACE = 20.0
"""Seconds that the agent gets to end."""


class _OneLine(logging.Formatter):
    """A message is one line, whatever words of a coordinator are in it; only a traceback has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        return plain(super().formatMessage(record), LINE_LIMIT)


def run(arguments: argparse.Namespace) -> int:
    """Runs what the command line says, and returns the exit status. What goes wrong is one line on stderr."""
    try:
        return _COMMANDS.get(arguments.command, party.speak)(arguments)
    except (ConfigError, InvitationError, KeyStoreError, NodeosError, TlsError) as error:
        return _complain(error, WRONG)
    except (ControlError, JoinError, KeosdError, LockedError, StillRunningError) as error:
        return _complain(error, FAILED)
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else error, FAILED)
    except Exception as error:
        if logging.getLogger().handlers:  # the daemon's log
            logging.exception("a fault of this agent")
        return _complain(f"internal error: {type(error).__name__}: {error}; please report it", FAILED)


def _serve(arguments: argparse.Namespace) -> int:
    from agent.serve import serve
    from agent.session import Refused
    from support.journal import JournalError

    if arguments.unit:
        return party.print_unit(arguments)
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    if arguments.data is None and not wanted(arguments):
        raise ConfigError("--data DIR is missing; a party that joins says --join TOKEN --account NAME --p2p HOST:PORT")
    folder, party_folder = _folder(arguments) if arguments.data else None, False
    try:
        if folder is None or wanted(arguments) or folder.party.is_file():
            folder, party_folder = party.prepare(arguments), True
        logging.getLogger().setLevel(folder.read().log_level.upper())
        asyncio.run(serve(folder))
    except LockedError as error:
        running = f" (process {error.pid})" if error.pid else ""
        return _complain(f"an agent runs in {error.path.parent} already{running}", FAILED)
    except Refused as error:
        return _complain(error, ENDED if party_folder else FAILED)
    except JournalError as error:
        return _complain(error, FAILED)
    return 0


def _enrol(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments)
    folder.make()
    config = AgentConfig(arguments.network, arguments.name, arguments.coordinator, local=not arguments.remote)
    sys.stdout.write(request(folder, config).decode())
    return 0


def _admit(arguments: argparse.Namespace) -> int:
    admit(_folder(arguments), sys.stdin.buffer.read(1 << 20))
    return 0


def _down(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments)
    if not folder.path.exists():
        raise ConfigError(f"{folder.path}: no such folder")
    agent = Process.read(folder.record)
    if agent:
        stop(agent, AGENT_GRACE)  # first: a living agent would start the nodes again
    names = stop_nodes(folder.path)
    nodelogs.end(folder.path)
    folder.record.unlink(missing_ok=True)
    stopped = [f"agent (process {agent.pid})"] if agent else []
    sys.stdout.write(f"stopped: {', '.join(stopped + list(names)) or 'nothing, as nothing ran'}\n")
    return 0


def _wallet(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments)
    if not folder.path.exists():
        raise ConfigError(f"{folder.path}: no such folder")
    try:
        store, network = KeyStore(folder.keys), folder.read().network
        sys.stdout.write(wallet.run(store, network, arguments.keosd, arguments.wallet, arguments.account))
    except KeyError as error:
        return _complain(error.args[0], WRONG)
    return 0


def _folder(arguments: argparse.Namespace) -> DataFolder:
    return DataFolder(Path(arguments.data).absolute())


def _complain(error: object, status: int) -> int:
    sys.stderr.write(plain(f"agent: {error}", LINE_LIMIT) + "\n")
    return status


_COMMANDS = {"serve": _serve, "enrol": _enrol, "admit": _admit, "down": _down, "wallet": _wallet}
"""All others speak to the agent of a party."""
