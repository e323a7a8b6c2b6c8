"""What a shell offers at Tab: inventories, and the hosts, nodes and steps of the one that was typed.

`eval "$(_COORD_COMPLETE=bash_source coord)"` turns it on (zsh_source, fish_source). Nothing here may fail or take long:
what cannot be found is not offered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, split_arg_string

from coordinator.cli.options import InventoryFile, Proof

if TYPE_CHECKING:
    from inventory.network import Network

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_INVENTORY = re.compile(rb"^\s*\[?\s*network\s*[].=]", re.MULTILINE)
_LOOKED = 64 << 10
"""Bytes of a file in which its [network] is looked for."""


def inventories(incomplete: str) -> list[CompletionItem]:
    """The inventories whose path begins so, here and one folder below; where there is none, the shell offers files."""
    before = incomplete[: incomplete.rfind("/") + 1]
    folder = Path(before or ".")
    found: list[str] = []
    with suppress(OSError):
        paths = [*folder.glob("*.toml"), *folder.glob("*/*.toml")]
        texts = {path: before + str(path.relative_to(folder)) for path in paths}
        found = sorted(text for path, text in texts.items() if text.startswith(incomplete) and _is_inventory(path))
    return [CompletionItem(text) for text in found] or [CompletionItem(incomplete, type="file")]


def _is_inventory(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(_INVENTORY.search(file.read(_LOOKED)))
    except OSError:
        return False


def before_inventory(name: str) -> click.Command | None:
    """Stands in for a command while its first argument is completed, as the command's own module takes 0.5 s to import;
    None: an option has been begun, which only the command knows.
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
    from boot.steps import OPTIONAL, STEPS  # only one who completes a step waits for them

    return [step.name for step in (*STEPS, *OPTIONAL)]


def _of(ctx: click.Context, names: Callable[[Network], Iterable[str]]) -> Iterable[str]:
    """Of the inventory that was typed before; nothing where that cannot be loaded."""
    network: Any = ctx.params.get("network") or _typed()
    return names(network) if network is not None else ()


def _typed() -> Network | None:
    """The inventory among the words of the line: click reads no argument where the last option has no value yet."""
    from inventory.errors import InventoryError
    from inventory.load import glance

    for word in split_arg_string(os.environ.get("COMP_WORDS", "")):
        if word.endswith(".toml") and _is_inventory(path := Path(word)):
            with suppress(InventoryError):
                return glance(path)
    return None


def _hosts(network: Network) -> Iterable[str]:
    return [host.name for host in network.hosts]


def _nodes(network: Network) -> Iterable[str]:
    return [node.name for node in network.nodes]


def _offer(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
