"""What a user sees while a boot runs: live lines and bars on a terminal, one line per step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import IO, ClassVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from coordinator.reporter import Reporter, StepResult

MARKS = {
    StepResult.DONE: "ok",
    StepResult.ALREADY: "--",
    StepResult.FAILED: "FAILED",
    StepResult.WAITS: "waits",
}


class _Already:
    """Collects steps that were done before this run, so that they are reported in one line."""

    FEW = 3

    def __init__(self) -> None:
        self._kept: list[tuple[str, str, str]] = []

    def keep(self, step: str, title: str, detail: str) -> None:
        self._kept.append((step, title, detail))

    def take(self) -> list[tuple[str, str, str]]:
        """(step, title, detail) of each if there are few, otherwise one line for all of them."""
        kept, self._kept = self._kept, []
        if len(kept) <= self.FEW:
            return kept
        return [(f"{len(kept)} done already", f"from {kept[0][0]} to {kept[-1][0]}", "")]


class PlainReporter:
    """For logs and pipes: one line per step, and one every ten seconds during a long wait."""

    QUIET = 10.0
    """Seconds between two lines about the same step."""

    def __init__(self, stream: IO[str] | None) -> None:
        """stream: None if it was closed before the start (`2>&-`); nothing is printed then."""
        self._stream = stream
        self._said: dict[str, float] = {}
        self._already = _Already()

    def _say(self, text: str) -> None:
        for step, title, detail in self._already.take():
            self._line(StepResult.ALREADY, step, title, detail)
        if self._stream is not None:
            self._stream.write(text + "\n")  # one write, because several threads report on hosts
            self._stream.flush()

    def _line(self, result: StepResult, step: str, title: str, detail: str) -> None:
        self._say(f"{MARKS[result]:>7}  {step:16} {title}{': ' + detail if detail else ''}")

    def note(self, text: str) -> None:
        self._say(text)

    def began(self, step: str, title: str) -> None:
        self._said[step] = time.monotonic()

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        now = time.monotonic()
        if detail and now - self._said.get(step, now) > self.QUIET:
            self._said[step] = now
            self._say(f"{'...':>7}  {step:16} {detail}")

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        self._said.pop(step, None)
        if result is StepResult.ALREADY:
            self._already.keep(step, title, detail)
        else:
            self._line(result, step, title, detail)

    def asking(self) -> AbstractContextManager[object]:
        return nullcontext()

    def close(self) -> None:
        for step, title, detail in self._already.take():
            self._line(StepResult.ALREADY, step, title, detail)


@dataclass
class _Line:
    task: TaskID
    title: str


class LiveReporter:
    """Running steps with a spinner and a bar; finished ones as lines above them."""

    COLOURS: ClassVar = {
        StepResult.DONE: "green",
        StepResult.ALREADY: "dim",
        StepResult.FAILED: "bold red",
        StepResult.WAITS: "yellow",
    }

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: dict[str, _Line] = {}
        self._already = _Already()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[step]:16}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._progress.start()

    def note(self, text: str) -> None:
        self._flush()
        self._console.print(escape(text), highlight=False)

    def began(self, step: str, title: str) -> None:
        if step not in self._lines:
            task = self._progress.add_task(title, total=None, step=step, detail=escape(title))
            self._lines[step] = _Line(task, title)

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        if line := self._lines.get(step):
            self._progress.update(line.task, completed=done, total=total or None, detail=escape(detail or line.title))

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        if line := self._lines.pop(step, None):
            self._progress.remove_task(line.task)
        if result is StepResult.ALREADY:
            self._already.keep(step, title, detail)
        else:
            self._flush()
            self._line(result, step, title, detail)

    @contextmanager
    def asking(self) -> Iterator[None]:
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def close(self) -> None:
        self._flush()
        self._progress.stop()

    def _flush(self) -> None:
        for step, title, detail in self._already.take():
            self._line(StepResult.ALREADY, step, title, detail)

    def _line(self, result: StepResult, step: str, title: str, detail: str) -> None:
        colour = self.COLOURS[result]
        text = f"[{colour}]{MARKS[result]:>7}[/]  {step:16} {escape(title)}"
        self._console.print(text + (f"[dim]: {escape(detail)}[/]" if detail else ""), highlight=False)


def reporter(console: Console) -> Reporter:
    """The reporter for the console: live on a terminal, plain elsewhere."""
    return LiveReporter(console) if console.is_terminal else PlainReporter(console.file)
