"""How a party's operator speaks to the running agent."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.party.control import Answerer, ControlError, Say, ask, listening


async def _count(request: Mapping[str, Any], say: Say) -> None:
    for number in range(request["to"]):
        say(str(number))


async def _refuse(request: Mapping[str, Any], say: Say) -> None:
    say("looking")
    raise ControlError("no")


ANSWERERS: dict[str, Answerer] = {"count": _count, "refuse": _refuse}


async def test_lines_and_a_status_come_back(tmp_path: Path) -> None:
    """What is said is heard line by line; a refusal is a line with status 1."""
    said: list[str] = []
    async with listening(tmp_path, ANSWERERS):
        assert await ask(tmp_path, {"ask": "count", "to": 3}, said.append) == 0
        assert await ask(tmp_path, {"ask": "refuse"}, said.append) == 1
        assert await ask(tmp_path, {"ask": "nonsense"}, said.append) == 1
    assert said == ["0", "1", "2", "looking", "no", "not a request that this agent knows"]


async def test_only_its_user_may_speak_to_it(tmp_path: Path) -> None:
    """The socket is 0600, also in a folder whose path is longer than a socket's address."""
    deep = tmp_path.joinpath(*["deep" * 10] * 5)
    deep.mkdir(parents=True)
    async with listening(deep, ANSWERERS):
        mode = (deep / "control.sock").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert await ask(deep, {"ask": "count", "to": 0}, print) == 0
    assert not (deep / "control.sock").exists()


async def test_without_an_agent(tmp_path: Path) -> None:
    """One line says what to type."""
    with pytest.raises(ControlError, match="agent serve"):
        await ask(tmp_path, {"ask": "count"}, print)
    with pytest.raises(ControlError, match="no such folder"):
        await ask(tmp_path / "none", {"ask": "count"}, print)
