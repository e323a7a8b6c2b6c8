"""The commands of `agent`, and their exit statuses.

A command imports what only it needs: an agent that serves would keep it in memory for months.
"""

from __future__ import annotations

import support.quiet  # noqa: F401 (before what imports grpc)

# isort: split
import argparse
import asyncio
import contextlib
import json
import logging
import sys
import time
from pathlib import Path

from agent.config import AgentConfig, DataFolder
from agent.errors import AgentError, ConfigError, FolderBusy, InternalError, KeyStoreError
from agent.foreign import translating
from agent.keys import KeyStore
from agent.party.arguments import wanted
from support import nodelogs
from support.ending import Ending
from support.errors import explanation
from support.json_log import JsonLines
from support.log_limit import LogLimit
from support.node_processes import stop_nodes
from support.processes import Process, stop
from support.texts import plain

LINE_LIMIT = 4000
"""Maximum characters of a log line."""
AGENT_GRACE = 20.0
"""Seconds that the agent gets to end."""


class _OneLine(logging.Formatter):
    """Keeps each message on one line, even if it quotes a coordinator. Only tracebacks take more lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        return plain(super().formatMessage(record), LINE_LIMIT)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command and returns its exit status. An error is one line on stderr."""
    try:
        with translating():
            return _COMMANDS.get(arguments.command, _ask_party)(arguments)
    except AgentError as error:
        ending = error
    except Exception as error:
        if logging.getLogger().handlers:  # the daemon's log
            logging.exception("a fault of this agent")
        ending = InternalError(f"internal error: {type(error).__name__}: {error}; please report it")
    if arguments.command == "serve":
        _leave_reason(arguments, ending)
    return _complain(ending)


def _leave_reason(arguments: argparse.Namespace, ending: AgentError) -> None:
    """Keeps the reason in the agent's folder for the program that started it, unless another agent runs there."""
    if arguments.data is None or not arguments.data.is_dir() or isinstance(ending, FolderBusy):
        return
    with contextlib.suppress(OSError):  # a full disk may be the very reason; it is on stderr, too
        Ending(plain(explanation(ending), LINE_LIMIT)).write(arguments.data)


def _serve(arguments: argparse.Namespace) -> int:
    from agent.serve import serve

    if arguments.unit:
        from agent.party.commands import print_unit

        return print_unit(arguments)
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    plain_lines = _OneLine("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    handler.setFormatter(plain_lines)
    handler.addFilter(LogLimit())  # a coordinator makes the agent speak as often as it likes
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    if arguments.data is None and not wanted(arguments):
        raise ConfigError("--data DIR is missing; a party that joins says --join TOKEN --account NAME --p2p HOST:PORT")
    folder = _folder(arguments) if arguments.data else None
    if folder is None or wanted(arguments) or folder.party.is_file():
        from agent.party.commands import prepare

        folder = prepare(arguments)
    config = folder.read()
    if arguments.log == "json":
        handler.setFormatter(JsonLines({"network": config.network, str(config.kind): config.name}))
    logging.getLogger().setLevel(config.log_level.upper())
    asyncio.run(serve(folder, arguments.metrics))
    return 0


def _ask_party(arguments: argparse.Namespace) -> int:
    """Asks the running agent of a party."""
    from agent.party.commands import speak

    return speak(arguments)


def _enrol(arguments: argparse.Namespace) -> int:
    from agent.identity import request

    folder = _folder(arguments)
    folder.make()
    config = AgentConfig(arguments.network, arguments.name, arguments.coordinator, local=not arguments.remote)
    sys.stdout.write(request(folder, config).decode())
    return 0


def _admit(arguments: argparse.Namespace) -> int:
    from agent.identity import admit

    admit(_folder(arguments), sys.stdin.buffer.read(1 << 20))
    return 0


def _down(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments)
    if not folder.path.exists():
        raise ConfigError(f"{folder.path}: no such folder")
    agent = Process.read(folder.record)
    if agent:
        stop(agent, AGENT_GRACE)  # the agent first: it would restart the nodes
    names = stop_nodes(folder.path)
    nodelogs.end(folder.path)
    folder.record.unlink(missing_ok=True)
    stopped = [f"agent (process {agent.pid})"] if agent else []
    sys.stdout.write(f"stopped: {', '.join(stopped + list(names)) or 'nothing, as nothing ran'}\n")
    return 0


def _solo(arguments: argparse.Namespace) -> int:
    """Speaks with `coord devnet` in lines of JSON: it prints a signing request, reads the certificates, and prints what
    is done."""
    from agent.identity import admit, request
    from agent.solo import again, begin, resume
    from inventory.load import load

    def say(**document: object) -> None:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()

    def done(step: str, seconds: float, detail: str) -> None:
        say(step=step, seconds=seconds, detail=detail)

    folder = _folder(arguments)
    network = load(arguments.inventory)
    if arguments.resume:
        asyncio.run(resume(folder, network))
        return 0
    if arguments.again:
        asyncio.run(again(folder, network, arguments.again, done))
        return 0
    folder.make()
    config = AgentConfig(network.name, network.genesis_node.host, arguments.coordinator)
    say(csr=request(folder, config).decode())
    admit(folder, json.loads(sys.stdin.readline())["certificates"].encode())
    say(manifest=asyncio.run(begin(folder, network, done)))
    return 0


def _wallet(arguments: argparse.Namespace) -> int:
    from agent.keys import wallet

    folder = _folder(arguments)
    if not folder.path.exists():
        raise ConfigError(f"{folder.path}: no such folder")
    store, network = KeyStore(folder.keys), folder.read().network
    sys.stdout.write(wallet.run(store, network, arguments.keosd, arguments.wallet, arguments.account))
    return 0


def _keys_backup(arguments: argparse.Namespace) -> int:
    from agent.keys.backup import back_up
    from agent.keys.losses import lost_keys
    from agent.nodes.folder import signing_there

    folder = _folder(arguments)
    config, store = folder.read(), KeyStore(folder.keys)
    if lost := lost_keys(store, signing_there(folder.nodes)):
        raise KeyStoreError("; ".join(lost), hint="put it back from an earlier backup first: docs/backup.md")
    sys.stdout.buffer.write(back_up(store, config.network, config.name, arguments.recipient))
    return 0


def _keys_restore(arguments: argparse.Namespace) -> int:
    from agent.keys.backup import SIZE_LIMIT, put_back

    folder = _folder(arguments)
    config = folder.read()
    accounts = put_back(KeyStore(folder.keys), config.network, config.name, sys.stdin.buffer.read(SIZE_LIMIT))
    sys.stdout.write("".join(f"{account}\n" for account in accounts))
    return 0


def _folder(arguments: argparse.Namespace) -> DataFolder:
    return DataFolder(Path(arguments.data).absolute())


def _complain(error: AgentError) -> int:
    sys.stderr.write(plain(f"agent: {explanation(error)}", LINE_LIMIT) + "\n")
    return error.exit_status


_COMMANDS = {
    "serve": _serve,
    "enrol": _enrol,
    "admit": _admit,
    "down": _down,
    "keys-backup": _keys_backup,
    "keys-restore": _keys_restore,
    "solo": _solo,
    "wallet": _wallet,
}
"""All others are `_ask_party`."""
