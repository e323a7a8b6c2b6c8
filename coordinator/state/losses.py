"""Finds what is missing or damaged in a network's state folder, before anything is created in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coordinator.advising import typed
from coordinator.errors import OperationFailed
from coordinator.state.folder import JOURNAL, SEALED, StateFolder
from inventory.toml_text import BadToml, read_toml
from support.endpoint import Endpoint
from support.identity import TlsError
from support.journal import DamagedJournal
from support.tls import load_certificate, load_or_make_key, public_bytes

NO_CA = "without a copy of it, parties have to be invited again"
ASIDE = ".damaged"
"""Suffix of the name under which a damaged file is kept."""


@dataclass(frozen=True)
class Loss:
    """A file of a sealed network that is missing or damaged."""

    path: Path
    what: str
    """Such as "is missing"."""

    def __str__(self) -> str:
        """One line, without a hint."""
        return f"{self.path} {self.what}"


def check_whole(state: StateFolder) -> None:
    """Raises OperationFailed if something is lost: a new CA, register or seal would cut off a running network."""
    if found := losses(state):
        raise OperationFailed(f"{found[0]}: run: {typed('adopt')}")


def losses(state: StateFolder) -> tuple[Loss, ...]:
    """Everything that is lost: nothing for a network that was never sealed and whose hosts were never enrolled."""
    return tuple(_losses(state))


def _losses(state: StateFolder) -> Iterator[Loss]:
    try:
        enrolled, begun = _register(state), any(step.done for step in state.steps().values())
    except DamagedJournal as error:
        yield Loss(state.folder / JOURNAL, f"is damaged ({error.found})")
        enrolled, begun = False, True
    else:
        if not enrolled and (_certified(state) or (state.folder / SEALED).exists()):
            yield Loss(state.folder / JOURNAL, "is missing, or another network's: it has no host of this network")
    if wrong := state.wrong_seal(begun):
        yield Loss(state.folder / SEALED, wrong)
    elif state.sealed:
        for sha256 in state.sealed.artifacts:
            if not state.artifacts.has(sha256):
                yield Loss(state.artifacts.path(sha256), "is missing")
    if enrolled or begun or _certified(state) or (state.folder / SEALED).exists():
        yield from _of_ca(state.folder / "ca")


def _register(state: StateFolder) -> bool:
    """Whether any agent is enrolled."""
    table = state.journal.row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'enrolled'")
    return bool(table and state.journal.row("SELECT 1 FROM enrolled"))


def _certified(state: StateFolder) -> bool:
    """Whether a local host has a certificate."""
    return any(state.folder.glob("hosts/*/identity/agent.pem"))


def _of_ca(folder: Path) -> Iterator[Loss]:
    key, certificate = folder / "ca.key", folder / "ca.pem"
    loaded = None
    if not key.exists():
        yield Loss(key, f"is missing ({NO_CA})")
    else:
        try:
            loaded = load_or_make_key(key)
        except TlsError:
            yield Loss(key, f"is damaged ({NO_CA})")
    if certificate.exists():  # otherwise it is recreated from the key
        try:
            if loaded and public_bytes(load_certificate(certificate.read_bytes())) == public_bytes(loaded):
                return
            yield Loss(certificate, "does not belong to ca.key")
        except TlsError:
            yield Loss(certificate, "is damaged")


def former_port(state: StateFolder) -> int:
    """The port that local agents dial, for when the journal is lost; 0 if unknown."""
    for path in sorted(state.folder.glob("hosts/*/agent.toml")):
        try:
            return Endpoint.parse(str(read_toml(path.read_bytes())["coordinator"])).port
        except (BadToml, KeyError, ValueError, OSError):
            continue
    return 0


def set_aside(loss: Loss) -> bool:
    """Moves a damaged file aside, so that it can be recreated. Returns whether there was one."""
    if not loss.path.exists():
        return False
    for path in (loss.path, *(loss.path.with_name(loss.path.name + end) for end in ("-wal", "-shm"))):
        if path.exists():
            path.replace(path.with_name(path.name + ASIDE))
    return True
