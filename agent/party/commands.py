"""The `agent` commands of a party's operator."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.config import DataFolder
from agent.errors import ConfigError
from agent.exits import FAILED
from agent.keys import KeyStore
from agent.keys.keosd import Keosd, KeosdKey
from agent.nodeos.probe import command_of, probe
from agent.nodeos.trial import check_signing
from agent.party import settings as party_settings
from agent.party.control import Request, ask
from agent.party.joining import Joining, default_data, read_token
from agent.party.own_keys import own_key, public_key
from agent.party.unit import unit_text
from support.bundled import cache_folder, fetch
from support.identity import Kind
from support.invitation import Invitation
from support.locks import FileLock
from support.texts import plain

log = logging.getLogger(__name__)

_SETTINGS = (
    "account", "p2p", "p2p_listen", "peers", "http_port", "nodeos", "keosd", "manifest", "url", "location", "snapshot",
    "snapshot_quorum",
)  # fmt: skip


def prepare(arguments: argparse.Namespace) -> DataFolder:
    """Joins unless that was done, keeps settings and keys, and returns the data folder.

    Raises ConfigError, JoinError, InvitationError, TlsError, KeyStoreError, LockedError, OSError.
    """
    said = _said(arguments)
    given = said.pop("join", None)
    invitation = read_token(given, sys.stdin.read() if given == "-" else None) if given else None
    data = said.pop("data", None) or (default_data(invitation.network) if invitation else None)
    if data is None:
        raise ConfigError("--data DIR is missing: where the party's agent keeps its files")
    folder = DataFolder(Path(data).expanduser().absolute())
    folder.make()
    with FileLock(folder.lock):
        _settle(folder, invitation, said)
    return folder


def _settle(folder: DataFolder, invitation: Invitation | None, said: dict[str, Any]) -> None:
    kept = party_settings.read_file(folder.party) if folder.party.is_file() else {}
    own = [str(said.pop(name, "")) for name in ("account_key", "producer_key")]
    settings = party_settings.settle({**kept, **said})
    if kept and kept["account"] != settings.account:
        raise ConfigError(f"{folder.path} belongs to {kept['account']}: use another folder for {settings.account}")
    keosd = settings.keys_elsewhere
    key, signer = [own_key(where, keosd) for where in own]
    if isinstance(signer, KeosdKey):
        asyncio.run(_try_out(settings.nodeos, folder, signer))
    KeyStore(folder.keys, keosd).adopt(settings.account, key=key, signer=signer)
    if invitation:
        joining = Joining(invitation, folder, settings.account)
        if joining.done:
            log.info("joined %s with this invitation before", invitation.network)
        else:
            asyncio.run(joining.redeem(settings.log_level, settings.loopback))
            log.info("joined %s as %s; the invitation is used up", invitation.network, invitation.name)
            (folder.path / party_settings.LEFT).unlink(missing_ok=True)
    party_settings.write(folder.party, settings)
    if (folder.path / party_settings.LEFT).exists():
        raise ConfigError(f"{settings.account} has left: a new invitation (--join) brings it back")
    config = folder.read()
    if config.kind is not Kind.PARTY:
        raise ConfigError(f"{folder.path} belongs to a host of the inventory, not to a party")
    folder.write(replace(config, log_level=settings.log_level, local=settings.loopback))


async def _try_out(nodeos: str, folder: DataFolder, signer: KeosdKey) -> None:
    """Tests whether this nodeos can have its blocks signed by keosd. Raises NodeosError if it cannot."""
    command = command_of(nodeos, fetch)
    scratch = folder.path / "nodeos"
    await check_signing(command, await probe(command, scratch), scratch, signer)


def print_unit(arguments: argparse.Namespace) -> int:
    """The systemd unit of a party that has joined already."""
    if not arguments.data:
        raise ConfigError("--data DIR is missing: join first, then print the unit")
    folder = DataFolder(Path(arguments.data).expanduser().absolute())
    settings = party_settings.settle(party_settings.read_file(folder.party))
    network = folder.read().network
    sys.stdout.write(
        unit_text(network, settings.account, folder.path, cache_folder(), getpass.getuser(), sys.executable)
    )
    return 0


def _said(arguments: argparse.Namespace) -> dict[str, Any]:
    """The values of the --config file, overridden by the command line. Paths in the file are relative to it."""
    said: dict[str, Any] = {}
    if arguments.config:
        said = party_settings.read_file(arguments.config, party_settings.JOINING)
        beside = arguments.config.parent
        for name in ("data", "producer_key", "account_key"):
            if name in said and public_key(str(said[name])) is None:
                said[name] = str(beside / Path(said[name]).expanduser())
        if said.get("keosd"):
            said["keosd"] = Keosd.at(str(said["keosd"]), beside).address
    typed = {name: getattr(arguments, name) for name in (*_SETTINGS, *party_settings.JOINING)}
    if typed["keosd"]:
        typed["keosd"] = Keosd.at(typed["keosd"]).address
    if arguments.snapshot_trust:
        typed["snapshot_trust"] = dict(_trusted(text) for text in arguments.snapshot_trust)
    return said | {name: value for name, value in typed.items() if value is not None}


def _trusted(text: str) -> tuple[str, str]:
    account, given, key = text.partition("=")
    if not given:
        raise ConfigError(f"--snapshot-trust is ACCOUNT=EOS…, not {text[:100]!r}")
    return account, key


def speak(arguments: argparse.Namespace) -> int:
    """Asks the running agent, and shows what it answers. Returns the exit status. Raises ControlError."""
    folder = Path(arguments.data).expanduser().absolute()
    given = vars(arguments)
    request = Request(
        ask=arguments.command,
        proposal=given.get("proposal", ""),
        producers=tuple(given.get("producers", ())),
        key=given.get("producer_key") or "",
        force=given.get("force", False),
    )
    if request.ask == "approve":
        return _approve(folder, request, sure=arguments.yes)
    if arguments.json:
        return _as_json(folder, request)
    return asyncio.run(ask(folder, request, _say)).status


def _as_json(folder: Path, request: Request) -> int:
    """One document: the exit status, what the agent said, and after a rotation the key. Raises ControlError."""
    said: list[str] = []
    answer = asyncio.run(ask(folder, request, said.append))
    document = {"command": request.ask, "status": answer.status, "said": said}
    if answer.key:
        document["key"] = answer.key
    sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    return answer.status


def _approve(folder: Path, request: Request, *, sure: bool) -> int:
    """Shows the proposal, asks for confirmation, and has exactly the shown bytes approved."""
    shown = asyncio.run(ask(folder, replace(request, ask="describe"), _say))
    if shown.status:
        return shown.status
    if not sure:
        sys.stdout.write("approve it? [y/N] ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            _say("not approved")
            return FAILED
    return asyncio.run(ask(folder, replace(request, hash=shown.hash), _say)).status


def _say(line: str) -> None:
    sys.stdout.write(f"{plain(line, len(line))}\n")  # a proposal may contain control characters
    sys.stdout.flush()
