"""`coord logs`."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing

import click

from coordinator.cli import completion
from coordinator.cli.options import Proof, Settings, proved_inventory_argument
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import deployment
from coordinator.hosts.log_sources import LogReading, LogSource, Piece, log_sources
from coordinator.report.log_lines import Folded, InOrder, Level, LineReader, LogLine, fold, last
from coordinator.state.folder import StateFolder
from inventory.network import Network
from support.nodewords import redact

HOLD_SECONDS = 1.0
"""Seconds that a line of a growing log is held back, because another log may bring an earlier one."""
FIRST_SECONDS = 10.0
"""Seconds that the first lines wait for logs that are still empty: an SSH login takes a while."""
LOOK_SECONDS = 0.2
DEPTH = 50
"""Lines read for each line to show, where a filter drops some."""
MOST = 100_000
"""Lines read of a log, at most."""


@click.command("logs")
@proved_inventory_argument(Proof.NONE)
@click.argument("names", metavar="[NODE]...", nargs=-1, shell_complete=completion.logs)
@click.option("-f", "--follow", is_flag=True, help="Keep printing as the logs grow, until Ctrl-C.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=40, show_default=True,
    help="How many lines to show from the end, of all logs together.",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice([level.name.lower() for level in Level]), default="debug", show_default=True,
    help="Only lines of this level, or more serious ones.",
)  # fmt: skip
@click.option("--chatter", is_flag=True, help="Also show each line about connections to peers, which are folded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line: source, time, level, text.")
@click.pass_obj
def command(
    settings: Settings,
    network: Network,
    names: tuple[str, ...],
    follow: bool,
    lines: int,
    level: str,
    chatter: bool,
    as_json: bool,
) -> int:
    """Shows logs of nodes and agents, merged in the order of their times (UTC).

    NODE is a node, or agent@HOST for a host's agent. Without any, all of the operator's are shown. Nodes of a mesh
    open and close connections all the time: these lines are folded into one.

    \b
    coord logs inventory/devnet.toml                         all, merged
    coord logs inventory/devnet.toml defproducera -f         one node, followed
    coord logs inventory/devnet.toml --level warn -n 200     what went wrong lately, anywhere
    coord logs inventory/devnet.toml agent@local             a host's agent
    """
    hosts = settings.state.absolute() / network.name / "hosts"
    sources = log_sources(network, names)
    if not names and not follow:
        sources = tuple(source for source in sources if not source.host.local or source.file(hosts).exists())
        if not sources:
            raise OperationFailed(f"no node or agent of {network.name} has written a log yet ({hosts})")
    printer = _Printer(Level[level.upper()], fold=not chatter, names=[source.name for source in sources], json=as_json)
    depth = min(lines * DEPTH, MOST) if not chatter or level != "debug" else lines
    with ExitStack() as stack:
        far = None
        if any(not source.host.local for source in sources):
            state = stack.enter_context(closing(StateFolder(settings.state, network.name)))
            far = deployment(state, network, lambda name, text: click.echo(f"{name}: {text}", err=True))
        reading = LogReading(hosts, far, depth, follow)
        pieces = stack.enter_context(reading.open(sources))
        failed = (_follow if follow else _show)(sources, pieces, printer, lines)
    for reason in failed:
        click.echo(f"coord: {reason}", err=True)
    return 1 if failed else 0


class _Printer:
    """Prints what a user wants to see of the lines."""

    def __init__(self, level: Level, *, fold: bool, names: Sequence[str], json: bool) -> None:
        self._level, self._fold, self._json = level, fold, json
        self._width = max(map(len, names)) if len(names) > 1 else 0

    def chosen(self, lines: Iterable[LogLine]) -> list[LogLine | Folded]:
        """The lines that are shown."""
        serious = [line for line in lines if line.level >= self._level]
        return list(fold(serious)) if self._fold else [*serious]

    def print(self, items: Iterable[LogLine | Folded]) -> None:
        """Prints each on one line, with the log's name if there are several logs."""
        for item in items:
            if self._json:
                click.echo(json.dumps(_document(item)))
            elif isinstance(item, Folded):
                click.echo(f"{'':{self._width}}   {item.text}" if self._width else item.text)
            else:
                click.echo(f"{item.source:{self._width}} | {redact(item.text)}" if self._width else redact(item.text))


def _document(item: LogLine | Folded) -> dict[str, object]:
    if isinstance(item, Folded):
        return {"folded": dict(item.counts)}
    return {"source": item.source, "time": item.time, "level": item.level.name.lower(), "text": redact(item.text)}


def _show(sources: Sequence[LogSource], pieces: queue.Queue[Piece], printer: _Printer, lines: int) -> list[str]:
    """Prints what the logs contain now. Returns why some could not be read."""
    readers = {source.name: LineReader(source.name) for source in sources}
    found: list[LogLine] = []
    failed: list[str] = []
    open_ = set(readers)
    while open_:
        piece = pieces.get()
        found += _taken(piece, readers, failed, open_)
    printer.print(last(printer.chosen(sorted(found)), lines))
    return failed


def _follow(sources: Sequence[LogSource], pieces: queue.Queue[Piece], printer: _Printer, lines: int) -> list[str]:
    """Prints the same, and then new lines, until all logs have ended."""
    readers = {source.name: LineReader(source.name) for source in sources}
    hold = HOLD_SECONDS if len(readers) > 1 else 0.0
    ordered = InOrder(readers, hold)
    failed: list[str] = []
    open_ = set(readers)
    began, heard, first = time.monotonic(), 0.0, True
    while open_:
        for piece in _arrived(pieces):
            ordered.add(_taken(piece, readers, failed, open_), time.monotonic())
            if not piece.data:
                ordered.ended(piece.source)
        if first and ordered.waiting and time.monotonic() - began < FIRST_SECONDS:
            continue
        now = time.monotonic()
        heard = heard or now
        if first and now - heard < hold:  # the last log to be heard has older lines, too
            continue
        if ready := printer.chosen(ordered.drain() if first else ordered.release(now)):
            printer.print(last(ready, lines) if first else ready)
            first = False
    rest = printer.chosen(ordered.drain())
    printer.print(last(rest, lines) if first else rest)
    return failed


def _arrived(pieces: queue.Queue[Piece]) -> Iterator[Piece]:
    """The lines that are there now; waits a moment for the first."""
    try:
        yield pieces.get(timeout=LOOK_SECONDS)
        while True:
            yield pieces.get_nowait()
    except queue.Empty:
        return


def _taken(piece: Piece, readers: dict[str, LineReader], failed: list[str], open_: set[str]) -> list[LogLine]:
    reader = readers[piece.source]
    if piece.data:
        return reader.feed(piece.data)
    open_.discard(piece.source)
    if piece.reason:
        failed.append(piece.reason)
    return reader.end()
