"""How commands of a party's operator talk to the running agent."""

from __future__ import annotations

import argparse
import asyncio
import json
import stat
from pathlib import Path

import pytest

from agent.errors import ConfigError, ControlError
from agent.party.arguments import add_commands
from agent.party.commands import speak
from agent.party.control import Answer, Answerer, Request, Say, ask, listening
from antelope.errors import Unreachable
from support import sockets


def _parser() -> argparse.ArgumentParser:
    """Of the commands for a running agent alone."""
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(dest="command"))
    return parser


async def _count(request: Request, say: Say) -> Answer:
    for producer in request.producers:
        say(producer)
    return Answer(hash="ab")


async def _refuse(request: Request, say: Say) -> Answer:
    say("looking")
    raise ControlError("no")


async def _wrong(request: Request, say: Say) -> Answer:
    raise ConfigError("that is not a name")


async def _unreachable(request: Request, say: Say) -> Answer:
    raise Unreachable("connection refused")


async def _break(request: Request, say: Say) -> Answer:
    raise KeyError("producers")


ANSWERERS: dict[str, Answerer] = {
    "count": _count, "refuse": _refuse, "wrong": _wrong, "unreachable": _unreachable, "break": _break,
}  # fmt: skip


async def test_lines_and_an_answer_come_back(tmp_path: Path) -> None:
    """Text arrives line by line; the facts that the command needs are in the answer."""
    said: list[str] = []
    async with listening(tmp_path, ANSWERERS):
        assert await ask(tmp_path, Request("count", producers=("a", "b")), said.append) == Answer(0, "ab")
        assert await ask(tmp_path, Request("refuse"), said.append) == Answer(1)
    assert said == ["a", "b", "looking", "no"]


async def test_one_document_is_all_that_a_program_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json: what was done and said, the new key, and the same exit status as without."""

    async def rotate(request: Request, say: Say) -> Answer:
        say("the new block-signing key is EOS6")
        if request.key == "EOS7":
            raise ControlError("no")
        return Answer(key="EOS6")

    async def run(*options: str) -> tuple[int, dict[str, object]]:
        arguments = _parser().parse_args(["rotate", "--data", str(tmp_path), "--json", *options])
        status = await asyncio.to_thread(speak, arguments)
        return status, json.loads(capsys.readouterr().out)

    said = ["the new block-signing key is EOS6"]
    async with listening(tmp_path, {"rotate": rotate}):
        assert await run() == (0, {"command": "rotate", "status": 0, "said": said, "key": "EOS6"})
        assert await run("--producer-key", "EOS7") == (1, {"command": "rotate", "status": 1, "said": [*said, "no"]})


async def test_an_error_says_how_the_command_ends(tmp_path: Path) -> None:
    """Each error has its own exit status, also one of a library."""
    said: list[str] = []
    async with listening(tmp_path, ANSWERERS):
        assert await ask(tmp_path, Request("wrong"), said.append) == Answer(2)
        assert await ask(tmp_path, Request("unreachable"), said.append) == Answer(1)
    assert said == ["that is not a name", "connection refused"]


async def test_a_fault_of_the_agent_is_told_as_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The operator sees the fault, the log has its cause, and it is not called an unknown request."""
    said: list[str] = []
    async with listening(tmp_path, ANSWERERS):
        assert await ask(tmp_path, Request("break"), said.append) == Answer(1)
    assert said == ["a fault of this agent (KeyError: 'producers'); see its log"]
    (record,) = caplog.records
    assert record.exc_info
    assert isinstance(record.exc_info[1], KeyError)


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b"[]\n", b'{"ask": "none"}\n', b'{"ask": "count", "run": "sh"}\n', b"{}\n", b"\n"]
)
async def test_what_is_no_request(tmp_path: Path, line: bytes) -> None:
    """One line, and status 1; nothing is done."""
    async with listening(tmp_path, ANSWERERS):
        reader, writer = await sockets.connect(tmp_path, 1 << 20)
        writer.write(line)
        told = [json.loads(answer) async for answer in reader]
        writer.close()
    assert told == [{"say": "not a request that this agent knows"}, {"status": 1, "hash": "", "key": ""}]


async def test_an_agent_that_ends_meanwhile(tmp_path: Path) -> None:
    """The command gets an error, not half an answer."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"say": "looking"}\n')
        writer.close()

    said: list[str] = []
    async with sockets.listening(tmp_path, hang_up, 1 << 20):
        with pytest.raises(ControlError, match="ended before it answered"):
            await ask(tmp_path, Request("count"), said.append)
    assert said == ["looking"]


async def test_only_its_user_may_speak_to_it(tmp_path: Path) -> None:
    """The socket is 0600, even in a folder whose path is too long for a socket's address."""
    deep = tmp_path.joinpath(*["deep" * 10] * 5)
    deep.mkdir(parents=True)
    async with listening(deep, ANSWERERS):
        mode = (deep / "control.sock").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert (await ask(deep, Request("count"), print)).status == 0
    assert not (deep / "control.sock").exists()


async def test_without_an_agent(tmp_path: Path) -> None:
    """One line says what to run."""
    with pytest.raises(ControlError, match="no agent of a party runs") as raised:
        await ask(tmp_path, Request("count"), print)
    assert raised.value.hint == f"start it: agent serve --data {tmp_path}"
    with pytest.raises(ControlError, match="no such folder"):
        await ask(tmp_path / "none", Request("count"), print)
