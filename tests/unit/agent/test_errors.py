"""The agent's errors: one tree, and one place where the libraries' errors become the agent's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent import errors
from agent.errors import AgentError, PortTaken, Refused, SessionEnded
from agent.foreign import translated, translating
from antelope.errors import AssertionFailed, BadName, Unreachable
from boot.audit import AuditError
from support.artifacts import DamagedError, MissingError
from support.errors import Explained, explanation
from support.identity import InvitationError, TlsError
from support.journal import JournalError
from support.locks import LockedError
from support.processes import StillRunningError
from support.retry import DeadlineError


def _tree(kind: type[AgentError]) -> set[type[AgentError]]:
    return {kind}.union(*(_tree(child) for child in kind.__subclasses__()))


def test_the_drawing_is_the_tree() -> None:
    """Every error of the agent is drawn in the module's docstring below its parent, and none is made elsewhere."""
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in str(errors.__doc__).splitlines():
        if found := re.match(r"([│├└─ ]*)((?:[A-Z]\w+)(?:, [A-Z]\w+)*)  ", line):
            depth = len(found[1]) // 4
            for name in found[2].split(", "):
                drawn[name] = above[depth - 1] if depth else ""
            above[depth:] = [found[2].split(", ")[-1]]
        elif found := re.match(r"([│├└─ ]+)((?:[A-Z]\w+)(?:, [A-Z]\w+)+) ", line):
            drawn |= dict.fromkeys(found[2].split(", "), above[len(found[1]) // 4 - 1])
    tree = _tree(AgentError)
    assert {kind.__module__ for kind in tree} == {"agent.errors"}
    assert drawn == {kind.__name__: "" if kind is AgentError else kind.__bases__[0].__name__ for kind in tree}


@pytest.mark.parametrize(
    ("error", "status", "retryable", "line"),
    [
        (Unreachable("connection refused"), 1, True, "connection refused"),
        (AssertionFailed(500, 3050003, "eosio_assert", "no"), 1, False, "no (3050003 eosio_assert)"),
        (BadName("no name"), 1, False, "no name"),
        (AuditError("no judgement"), 1, True, "no judgement"),
        (DeadlineError("blocks", 5), 1, True, "waited 5 s for blocks"),
        (StillRunningError("it runs"), 1, False, "it runs"),
        (JournalError("j: full"), 1, False, "j: full"),
        (DamagedError("changed"), 1, False, "changed"),
        (MissingError("missing"), 1, False, "missing"),
        (TlsError("no PEM"), 2, False, "no PEM"),
        (InvitationError("cut"), 2, False, "cut"),
        (FileNotFoundError(2, "No such file or directory", "/x"), 1, True, "/x: No such file or directory"),
        (OSError("odd"), 1, True, "odd"),
        (LockedError(Path("/d/agent.lock"), 7), 1, False, "an agent runs in /d already (process 7)"),
        (LockedError(Path("/d/agent.lock"), None), 1, False, "an agent runs in /d already"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_librarys_error_has_a_place_in_the_tree(error: Exception, status: int, retryable: bool, line: str) -> None:
    """Exit status, whether to try again, and one line for a person; the cause is kept."""
    with pytest.raises(AgentError) as raised, translating():
        raise error
    own = raised.value
    assert (own.exit_status, own.retryable, str(own)) == (status, retryable, line)
    assert own.__cause__ is error


def test_a_fault_of_the_program_is_none_of_them() -> None:
    """It passes as it is, so that it is logged with its traceback; an error of the agent's own passes as well."""
    for error in (KeyError("x"), ZeroDivisionError(), PortTaken("taken")):
        with pytest.raises(type(error)) as raised, translating():
            raise error
        assert raised.value is error
    assert translated(KeyError("x")) is None


def test_an_error_is_one_line_with_its_hint() -> None:
    """Whatever line breaks a message of somebody else's has in it."""
    taken = PortTaken("port 1 is taken:\nx", hint="stop it")
    assert (str(taken), explanation(taken)) == ("port 1 is taken: x", "port 1 is taken: x; stop it")
    assert isinstance(taken, Explained)
    assert PortTaken("x").retryable
    assert not PortTaken("x", retryable=False).retryable
    assert (SessionEnded("x").retryable, Refused("x").retryable) == (True, False)
