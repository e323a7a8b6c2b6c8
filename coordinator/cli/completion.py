"""What a shell offers at Tab: inventories, and the hosts, nodes and steps of the one that was typed.

`eval "$(_COORD_COMPLETE=bash_source coord)"` turns it on (zsh_source, fish_source). Completion must not fail or take
long, so what cannot be found is not offered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, FishComplete, add_completion_class, split_arg_string

from coordinator.cli.inventories import is_inventory
from coordinator.cli.options import InventoryFile, Proof

if TYPE_CHECKING:
    from inventory.network import Network

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@add_completion_class
class Fish(FishComplete):
    """click's script cuts each line at every comma, and so a help text at its first; this one cuts once."""

    name = "fish"
    source_template = FishComplete.source_template.replace('string split "," ', 'string split --max 1 "," ')


def before_inventory(name: str) -> click.Command | None:
    """A substitute for a command while its first argument is completed: the command's own module takes 0.5 s to import.
    None if an option is being typed, which only the command knows.
    """
    words = split_arg_string(os.environ.get("COMP_WORDS", ""))
    if any(word.startswith("-") for word in (*words[-1:], os.environ.get("COMP_CWORD", ""))):
        return None
    return click.Command(name, params=[click.Argument(["network"], type=InventoryFile(Proof.NONE))])


def steps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The steps of a boot."""
    return _offer(_steps(), incomplete)


def places(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Steps, hosts and nodes."""
    return _offer([*_steps(), *_of(ctx, _hosts), *_of(ctx, _nodes)], incomplete)


def hosts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The inventory's hosts."""
    return _offer(_of(ctx, _hosts), incomplete)


def nodes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The inventory's nodes."""
    return _offer(_of(ctx, _nodes), incomplete)


def logs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What has a log: nodes, and each host's agent."""
    return _offer([*_of(ctx, _nodes), *(f"agent@{host}" for host in _of(ctx, _hosts))], incomplete)


def _steps() -> Iterable[str]:
    from boot.steps import OPTIONAL, STEPS  # imported only when a step is completed

    return [step.name for step in (*STEPS, *OPTIONAL)]


def _of(ctx: click.Context, names: Callable[[Network], Iterable[str]]) -> Iterable[str]:
    """Names of the inventory that was typed before; none if it cannot be loaded."""
    network: Any = ctx.params.get("network") or _typed()
    return names(network) if network is not None else ()


def _typed() -> Network | None:
    """The inventory among the words of the line: click reads no argument where the last option has no value yet."""
    from inventory.errors import InventoryError
    from inventory.load import glance

    for word in split_arg_string(os.environ.get("COMP_WORDS", "")):
        if word.endswith(".toml") and is_inventory(path := Path(word)):
            with suppress(InventoryError):
                return glance(path)
    return None


def _hosts(network: Network) -> Iterable[str]:
    return [host.name for host in network.hosts]


def _nodes(network: Network) -> Iterable[str]:
    return [node.name for node in network.nodes]


def _offer(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
