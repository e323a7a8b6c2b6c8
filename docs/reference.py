"""The reference pages of commands and of the Python package, made from the code that they are about."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator

import click

import bootcoord
from agent.cli import parser as agent_parser
from coordinator.cli.main import COMMANDS, coord

MADE = "<!-- Made from the code by make docs. -->"


def coord_page() -> str:
    """`coord`, command by command."""
    return _page("The command line of coord", _coord())


def agent_page() -> str:
    """`agent`, command by command."""
    return _page("The command line of agent", _agent())


def python_page() -> str:
    """What `bootcoord` exports."""
    return _page("The Python package bootcoord", _python())


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join((f"# {title}", "", MADE, *lines, ""))


def _coord() -> Iterator[str]:
    yield from ("", "`coord [--state DIR] COMMAND …`: options for all commands stand before the command.", "")
    yield from _options(coord)
    with click.Context(coord, info_name="coord") as ctx:
        for name in COMMANDS:
            command = coord.get_command(ctx, name)
            if command is None:
                continue
            yield from ("", f"## coord {name}", "")
            arguments = [param for param in command.params if isinstance(param, click.Argument)]
            words = " ".join(argument.make_metavar(ctx) for argument in arguments)
            yield from (f"    coord {name} [OPTIONS] {words}".rstrip(), "", *_help(command.help or ""), "")
            yield from _options(command)


def _help(text: str) -> Iterator[str]:
    """Click's help: what follows a \\b keeps its lines."""
    for block in inspect.cleandoc(text).split("\n\n"):
        if block.lstrip().startswith("\b"):
            yield from (f"    {line.strip()}" for line in block.strip().splitlines()[1:])
        else:
            yield _shown(" ".join(block.split()))
        yield ""


def _options(command: click.Command) -> Iterator[str]:
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if not options:
        return
    yield from ("| option | |", "|---|---|")
    for option in options:
        value = "" if option.is_flag else f" {option.metavar or (option.type.name or '').upper()}"
        default = f" Default: `{option.default}`." if option.show_default and option.default not in (None, ()) else ""
        yield f"| `{', '.join(option.opts)}{value}` | {_shown(option.help or '')}{default} |"


def _agent() -> Iterator[str]:
    for name, command in _subcommands(agent_parser()):
        yield from ("", f"## agent {name}", "", _shown(command.description or ""), "")
        yield from (f"    {command.epilog}", "")
        actions = [action for action in command._actions if not isinstance(action, argparse._HelpAction)]
        if actions:
            yield from ("| option | |", "|---|---|")
        for action in actions:
            value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
            shown = "|".join(value) if isinstance(value, tuple) else value
            words = f"{', '.join(action.option_strings)} {shown}".strip()
            text = (action.help or "") % {"default": action.default, "prog": f"agent {name}"}
            yield f"| `{words}` | {_shown(text)} |"


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _python() -> Iterator[str]:
    yield from ("", *(line for line in inspect.getdoc(bootcoord).splitlines()))  # type: ignore[union-attr]
    for name in sorted(bootcoord.__all__):
        thing = getattr(bootcoord, name)
        if not inspect.isclass(thing) or not thing.__module__.startswith("bootcoord"):
            continue
        yield from ("", f"## {name}", "", f"`from bootcoord import {name}`", "", *_doc(thing))
        for member, value in vars(thing).items():
            method = inspect.isfunction(value) or isinstance(value, property | staticmethod | classmethod)
            if method and not member.startswith("_"):
                yield from _member(member, value)


def _member(name: str, value: object) -> Iterator[str]:
    if isinstance(value, property):
        yield from ("", f"### {name}", "", *_doc(value.fget))
        return
    function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    written = str(inspect.signature(function))  # type: ignore[arg-type]
    signature = re.sub(r"<function .*? at 0x[0-9a-f]+>", "...", re.sub(r"^\((self|cls)(, )?", "(", written))
    signature = re.sub(r"(: |-> )'([^']+)'", r"\1\2", signature)  # annotations are strings
    kind = "async " if inspect.iscoroutinefunction(function) else ""
    yield from ("", f"### {name}", "", f"    {kind}{name}{signature}", "", *_doc(function))


def _doc(thing: object) -> list[str]:
    return (inspect.getdoc(thing) or "").splitlines()


def _shown(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
