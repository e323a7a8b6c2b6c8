"""`coord` itself: its commands, and how their results become exit statuses.

Exit status: 0 done; 1 the operation failed or found a difference; 2 the input or usage is wrong.
"""

from __future__ import annotations

import support.quiet  # noqa: F401 (before what imports grpc)
from coordinator.advising import began, ended

# isort: split
import contextlib
import gc
import importlib
import io
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from coordinator.cli import faults
from coordinator.cli.options import DEFAULT_STATE, Settings
from inventory.errors import InventoryError
from support.errors import exit_status, explanation

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": ("coordinator.cli.init", "write a commented inventory to begin with"),
    "plan": ("coordinator.cli.plan", "show what a boot would do, step by step"),
    "devnet": ("coordinator.cli.devnet", "run a chain on this machine, in seconds, for developing contracts"),
    "preflight": ("coordinator.cli.preflight", "check every host, changing nothing"),
    "install": ("coordinator.cli.install", "install agents on the hosts over SSH"),
    "boot": ("coordinator.cli.boot", "boot the network, or continue where it stopped"),
    "status": ("coordinator.cli.status", "show nodes, head and LIB, schedule, steps"),
    "wait": ("coordinator.cli.wait", "wait until the network is live, or has a block"),
    "env": ("coordinator.cli.env", "print URLs, chain id and key files for programs and shells"),
    "keys": ("coordinator.cli.keys", "show the keys of accounts on this machine"),
    "cleos": ("coordinator.cli.cleos", "run cleos with a node and the wallet of the network"),
    "invite": ("coordinator.cli.invite", "invite a party: print a token and the command that it runs"),
    "serve": ("coordinator.cli.serve", "let invited parties join, until Ctrl-C"),
    "parties": ("coordinator.cli.parties", "show who was invited, who joined, and what each attests"),
    "revoke": ("coordinator.cli.revoke", "end a party's access"),
    "upgrade": ("coordinator.cli.upgrade", "replace a contract, with the producers' approval"),
    "verify": ("coordinator.cli.verify", "audit the whole chain against the inventory"),
    "report": ("coordinator.cli.report", "write the report of the launch: one HTML file, and JSON"),
    "audit": ("coordinator.cli.audit", "run a report's audit again, on any node"),
    "node": ("coordinator.cli.node", "restart, start, stop, pause or resume a node"),
    "producer": ("coordinator.cli.producer", "add or retire a producer of your own"),
    "host": ("coordinator.cli.host", "drain, replace or remove a host"),
    "snapshot": ("coordinator.cli.snapshot", "take, list and fetch snapshots; restart a node with one"),
    "metrics": ("coordinator.cli.metrics", "write what Prometheus and Grafana need: scrape file, alerts, dashboard"),
    "backup": ("coordinator.cli.backup", "back up the coordinator's state and hosts' keys, encrypted"),
    "restore": ("coordinator.cli.restore", "restore the coordinator's state, on another machine perhaps"),
    "claim": ("coordinator.cli.claim", "claim the producers' rewards"),
    "transfers": ("coordinator.cli.transfers", "make random transfers between users, and time them"),
    "logs": ("coordinator.cli.logs", "show the logs of nodes and agents, merged"),
    "adopt": ("coordinator.cli.adopt", "rebuild a lost state folder from the hosts of a running network"),
    "down": ("coordinator.cli.down", "stop nodes and agents, keeping their data"),
}
"""Name → module and one line for --help. Modules are imported when used, so that --help is quick."""

NO_INVENTORY = {"init", "devnet", "audit", "restore"}
"""The commands whose first argument is not an inventory."""


class Coord(click.Group):
    """Loads commands on demand, from COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are needed during a network's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        with _uncollected():
            command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed. Raises UsageError, with the one that was probably meant."""
        name = args[0]
        if ctx.resilient_parsing and args == [name] and name in COMMANDS.keys() - NO_INVENTORY:
            from coordinator.cli.completion import before_inventory

            if quick := before_inventory(name):
                return name, quick, []
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        close = get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]}?" if close else "coord --help lists the commands"
        raise click.UsageError(f"there is no command {name!r}; {hint}", ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, without importing any of them, and coord's own options."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Imports make objects that stay. The garbage collector would look at all of them several times, which takes a
    fifth of a small command's CPU; it looks at none of them, now or later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.group(cls=Coord, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_STATE, show_default=True,
    help="Folder for the coordinator's state: CA, journal, artifacts. Each network has a subfolder.",
)  # fmt: skip
@click.version_option(package_name="bootcoord", prog_name="coord")
@click.pass_context
def coord(ctx: click.Context, state: Path) -> None:
    """Boots Antelope (EOSIO) networks: from bare hosts to elected producers, with eosio resigned.

    \b
    A first network, on this machine (coord init writes such a file):
        coord plan   inventory/devnet.toml     shows what a boot would do
        coord boot   inventory/devnet.toml     does it; run it again to continue
        coord status inventory/devnet.toml     shows the state of the network
        coord verify inventory/devnet.toml     audits the chain against the inventory
        coord down   inventory/devnet.toml     stops it; `coord boot` starts it again

    An INVENTORY is a TOML file that describes the network; docs/inventory.md lists every key.

    Exit status: 0 done; 1 failed, or a difference was found; 2 the input or usage is wrong; 130 stopped by Ctrl-C
    or SIGTERM.
    """
    ctx.obj = Settings(state)
    began(ctx.obj.words)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point. Never returns: ends the process with its status."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # show a substitute for characters that the terminal lacks
    logging.basicConfig(handlers=[faults.Lines()])
    signal.signal(signal.SIGTERM, _end)
    if "_COORD_COMPLETE" in os.environ:
        importlib.import_module("coordinator.cli.completion")  # it has a script of its own for fish
    sys.exit(run(args))


def _end(number: int, frame: FrameType | None) -> None:
    """At SIGTERM: ends as after Ctrl-C, also where that is ignored, as in a shell's background."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)
        return
    raise KeyboardInterrupt


def run(args: list[str]) -> int:
    """Runs a command line and prints one clear line if something goes wrong. Returns the exit status."""
    try:
        result = coord.main(args, prog_name="coord", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("\ncoord: stopped; finished work is kept. Run the same command again to continue.", err=True)
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        return _explain(error)
    finally:
        ended()
    return result if isinstance(result, int) else 0


def _explain(error: Exception) -> int:
    status = exit_status(error)
    if status is None:
        click.echo(f"coord: {faults.worded(error)}", err=True)
        return 1
    # Each error in an inventory is its own line, which begins with the file's name.
    prefix = "" if isinstance(error, InventoryError) else "coord: "
    click.echo(f"{prefix}{explanation(error)}", err=True)
    return status
