"""--web of `coord boot` and `coord serve`, over a machine that is made up."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import aiohttp
import pytest

from coordinator.cli.main import run
from coordinator.web.listening import Door
from support.endpoint import Endpoint
from support.retry import poll
from tests.unit.coordinator.home import Home

BEGIN = ["boot", "home.toml", "--until", "genesis"]
Said = pytest.CaptureFixture[str]


async def state(url: str) -> Any:
    """What the page is sent, once it knows of the seal."""
    async with aiohttp.ClientSession() as session:

        async def known() -> Any:
            async with session.get(f"{url}state.json") as response:
                found = await response.json()
                return found if found and found["sections"]["network"]["manifest"] else None

        return await poll(known, what="the page to know the seal", deadline=20)


def url_in(text: str) -> str:
    """The one that was printed."""
    found = re.search(r"status page: (http://127\.0\.0\.1:\d+/)", text)
    assert found, text
    return found[1]


@pytest.mark.parametrize("command", ["boot", "serve"])
def test_the_page_is_there_while_the_command_runs(
    command: str, home: Home, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its URL is printed, it shows what the network is, no path and no address, and it is gone with the command."""
    monkeypatch.setattr("coordinator.workflows.serving.keep_agents.LOOK", 0.01)
    if command == "serve":
        assert run(BEGIN) == 0
        said.readouterr()
    seen: list[Any] = []
    printed = ""

    async def stopped(*_: object) -> None:
        nonlocal printed
        printed = said.readouterr().out
        seen.append(await state(url_in(printed)))

    monkeypatch.setattr(f"coordinator.cli.{command}.until_stopped", stopped)
    words = [*BEGIN, "--serve"] if command == "boot" else ["serve", "home.toml"]
    assert run([*words, "--web", "127.0.0.1:0"]) == 0
    sections = seen[0]["sections"]
    assert sections["network"]["name"] == "home"
    assert sections["network"]["manifest"]
    assert [host["name"] for host in sections["hosts"]] == ["one", "two"]
    assert next(step["state"] for step in sections["steps"] if step["name"] == "genesis") == "done"
    assert sections["allocation"]["accounts"] == 5
    text = json.dumps(seen)
    assert "127.0.0.1" not in text
    assert str(home.folder) not in text
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url_in(printed).rstrip("/").rpartition(":")[2])))


def test_a_port_that_is_taken(home: Home, said: Said) -> None:
    """Status 2 before anything is made; without an address another port is taken."""
    door = Door.at(Endpoint("127.0.0.1", 0))
    address = door.url.removeprefix("http://").rstrip("/")
    assert run([*BEGIN, "--web", address]) == 2
    assert f"something else listens on {address}: choose another port" in said.readouterr().err
    assert not home.state.exists()
    door.socket.close()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["boot", "--web", "home.toml"], "'home.toml' is not HOST:PORT; without an address, write --web after"),
        (["boot", "home.toml", "--web", "localhost"], "'localhost' is not HOST:PORT"),
        (["serve", "home.toml", "--web", "localhost:99999"], "'localhost:99999' is not HOST:PORT"),
        (["serve", "home.toml", "--web-name", "example.org"], "--web-name has no effect without --web"),
    ],
)
def test_addresses_that_are_none(words: list[str], reason: str, home: Home, said: Said) -> None:
    """Status 2, with what to type."""
    assert run(words) == 2
    assert reason in said.readouterr().err
