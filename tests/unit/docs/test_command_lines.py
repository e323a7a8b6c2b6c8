"""Every command line in README, docs, inventories and help texts is one that today's `coord` and `agent` understand."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from agent.cli import EXAMPLES, parser
from coordinator.cli.main import COMMANDS, coord

ROOT = Path(__file__).parents[3]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "inventory/*.toml")
BEGINS = re.compile(r"(?<![\w/.@-])(?:[\w./~-]*/)?(coord|agent) (?=[a-z<-])")
"""Where a command line may begin: not inside a path or a longer word."""
ENDS = re.compile(r"[`)|;>&#…]|\s{2,}|\.{3}|$", re.MULTILINE)
"""Where it ends: a bracket, a pipe or a comment, or the blanks before what it is for."""
FIRST = re.compile(r"[a-z]+ +(?=inventory/)")
"""A command and the blanks that align what follows."""
CODE = re.compile(r" {4}\S")
"""A line of an indented block; what a command prints is indented more."""
OPTION = re.compile(r"(?<!\S)(-{1,2}[a-z][\w-]*)")


@dataclass(frozen=True)
class Line:
    """A command line somewhere in a text."""

    place: str
    program: str
    words: str
    code: bool
    """It stands in a block of code, to be typed as it is; otherwise in a sentence."""

    def __str__(self) -> str:
        return f"{self.place}: {self.program} {self.words}"


def agents() -> Mapping[str, argparse.ArgumentParser]:
    """The commands of `agent`."""
    sub = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return sub.choices


def texts() -> Iterator[tuple[str, str]]:
    """Each page and help text, with its name."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            if not path.name.startswith("reference-"):  # made from the parsers themselves
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    yield "agent --help", EXAMPLES
    yield "coord --help", coord.help or ""
    for name, one in agents().items():
        yield f"agent {name} --help", f"{one.description}\n\n    {one.epilog}"
    for name, (module, _) in COMMANDS.items():
        yield f"coord {name} --help", importlib.import_module(module).command.help


def lines() -> Iterator[Line]:
    """The commands of all texts. A line that ends with a backslash continues in the next one."""
    for place, text in texts():
        block = False
        for number, line in enumerate(re.sub(r"\\\n\s*", " ", text).splitlines(), 1):
            if line.startswith("```") or line == "\b":
                block = line == "\b" or not block
            elif not line and place.endswith("--help"):
                block = False
            for found in BEGINS.finditer(line):
                first = FIRST.match(line, found.end())
                end = ENDS.search(line, first.end() if first else found.end())
                words = line[found.end() : end.start() if end else None].strip()
                code = (block or CODE.match(line) is not None) and not line[: found.start()].strip()
                yield Line(f"{place}:{number}", found[1], words, code)


LINES = tuple(lines())


def commands() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Program → command → its options; those of the program itself are under the empty name."""
    both = {
        name: frozenset(_options(importlib.import_module(module).command)) for name, (module, _) in COMMANDS.items()
    }
    theirs = {name: frozenset(one._option_string_actions) for name, one in agents().items()}
    own = frozenset(parser()._option_string_actions)
    return {"coord": {**both, "": frozenset({*_options(coord), "--help", "-h"})}, "agent": {**theirs, "": own}}


def _options(command: click.Command) -> Iterator[str]:
    yield from ("--help", "-h")
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)


def command_of(line: Line, known: Mapping[str, frozenset[str]]) -> str | None:
    """The command, or empty where only options of the program follow; None: a sentence about the program."""
    words = [word for word in re.sub(r"--state \S+ ", "", line.words).split() if not word.startswith("-")]
    if not words or line.words.startswith("-"):
        return ""
    return words[0] if words[0] in known else None


def test_there_are_command_lines() -> None:
    """In every kind of text; most of the commands are among them."""
    code = [line for line in LINES if line.code]
    assert len(code) > 100
    assert {line.words.split()[0] for line in code if line.program == "coord"} >= COMMANDS.keys() - {"install"}
    assert any(line.place.startswith("coord boot --help") for line in code)


def test_commands_and_options_exist() -> None:
    """What is named in code and in sentences is there today."""
    known = commands()
    wrong = []
    for line in LINES:
        command = command_of(line, known[line.program])
        if command is None:
            wrong += [f"{line}: no such command"] if line.code else []
            continue
        allowed = known[line.program][command] | known[line.program][""]
        own, _, others = line.words.partition(" -- ")
        wrong += [f"{line}: no option {option}" for option in OPTION.findall(own) if option not in allowed]
        assert command == "cleos" or not others
    assert wrong == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_lines_to_type_have_the_arguments_that_the_command_takes(name: str) -> None:
    """None is missing and none too many; a word of a fixed list is in it."""
    command = importlib.import_module(COMMANDS[name][0]).command
    for line in LINES:
        words = shlex.split(line.words) if line.code and line.program == "coord" else []
        if not words or words[0] != name or "--help" in words or "COMMAND" in words:
            continue
        context = click.Context(command, info_name=name)
        found, rest, _ = command.make_parser(context).parse_args(words[1:])
        arguments = [one for one in command.params if isinstance(one, click.Argument)]
        assert not rest, f"{line}: too many words: {rest}"
        for argument in arguments:
            _check(line, argument, found.get(argument.name or ""))


def _check(line: Line, argument: click.Argument, value: object) -> None:
    given: Sequence[str] = [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
    assert given or not argument.required, f"{line}: {argument.name} is missing"
    if isinstance(argument.type, click.Choice):
        assert all(one in argument.type.choices or one.isupper() for one in given), f"{line}: {given}"


@pytest.mark.parametrize("name", sorted(agents()))
def test_each_command_of_the_agent_shows_an_example(name: str) -> None:
    """It is one that the agent takes; each option and argument says what it is for."""
    [example] = [line for line in LINES if line.place.startswith(f"agent {name} --help") and line.code]
    assert parser().parse_args(shlex.split(example.words.partition(" < ")[0])).command == name
    for action in agents()[name]._actions:
        assert action.help, f"agent {name}: {action.dest} has no help"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_of_coord_shows_an_example(name: str) -> None:
    """Each says what it does, how it is typed, and what each of its options is for."""
    assert [line for line in LINES if line.place.startswith(f"coord {name} --help") and line.code]
    for parameter in importlib.import_module(COMMANDS[name][0]).command.params:
        if isinstance(parameter, click.Option):
            text = parameter.help or ""
            assert text, f"coord {name}: {parameter.name} has no help"
            assert not text.startswith("["), f"coord {name}: {parameter.name} has only a default"
