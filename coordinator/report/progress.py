"""What a user sees while a boot runs: live lines and bars on a terminal, one line per step elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import IO, Any, ClassVar

from rich.console import Console
from rich.live import Live
from rich.text import Text

from coordinator.report.pulse import Pulse, standing_lines, working_lines
from coordinator.report.tracking import AtWork
from coordinator.reporter import Reporter, StepResult
from support.json_log import subject

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


class LiveReporter:
    """Prints finished steps as lines. Below them it redraws the steps at work and the progress of the boot and its
    chain.
    """

    COLOURS: ClassVar = {
        StepResult.DONE: "green",
        StepResult.ALREADY: "dim",
        StepResult.FAILED: "bold red",
        StepResult.WAITS: "yellow",
    }
    NARROW, INDENT, NARROWEST = 60, 9, 10
    """Columns below which a step's text begins on a line of its own, indented that much; and the least for the text."""
    A_SECOND = 4
    """How often it is drawn, per second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._at_work = AtWork()
        self._pulse: Pulse | None = None
        self._already = _Already()
        self._live = Live(
            console=console, get_renderable=self._drawn, refresh_per_second=self.A_SECOND, transient=True,
            vertical_overflow="crop",
        )  # fmt: skip
        self._live.start()

    def beat(self, pulse: Pulse) -> None:
        """Shows the latest progress of the boot and its chain."""
        self._pulse = pulse

    def _drawn(self) -> Text:
        producers = self._pulse.producers if self._pulse else 1
        working = self._at_work.working(producers)
        width = self._console.width
        lines = [*working_lines(working, width), *(standing_lines(self._pulse, width) if self._pulse else ())]
        return Text("\n".join(lines), no_wrap=True)

    def note(self, text: str) -> None:
        self._flush()
        for line in Text(text).wrap(self._console, self._console.width):
            self._console.print(line, highlight=False)

    def began(self, step: str, title: str) -> None:
        self._at_work.began(step, title)

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        self._at_work.moved(step, done, total, detail)

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        self._at_work.ended(step)
        if result is StepResult.ALREADY:
            self._already.keep(step, title, detail)
        else:
            self._flush()
            self._line(result, step, title, detail)

    @contextmanager
    def asking(self) -> Iterator[None]:
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def close(self) -> None:
        self._flush()
        self._live.stop()

    def _flush(self) -> None:
        for step, title, detail in self._already.take():
            self._line(StepResult.ALREADY, step, title, detail)

    def _line(self, result: StepResult, step: str, title: str, detail: str) -> None:
        """What does not fit goes on below its beginning, broken between words."""
        head = Text.assemble((f"{MARKS[result]:>7}", self.COLOURS[result]), f"  {step:16} ")
        body = Text.assemble(title, (f": {detail}" if detail else "", "dim"))
        indent = head.cell_len if self._console.width >= self.NARROW else self.INDENT
        first, *others = body.wrap(self._console, max(self.NARROWEST, self._console.width - indent))
        lines = [head + first, *(Text(" " * indent) + line for line in others)]
        if indent == self.INDENT:
            lines = [head, *(Text(" " * indent) + line for line in (first, *others))]
        for line in lines:
            line.rstrip()
            self._console.print(line, highlight=False)


class EventReporter:
    """For programs: one JSON object per line, as things happen."""

    def __init__(self, stream: IO[str], network: str) -> None:
        self._stream = stream
        self._network = network

    def event(self, event: str, **more: Any) -> None:
        """Writes one: its time (UTC), what it is, and the host or party that it is about."""
        now = datetime.now(UTC)
        time_ = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"
        line = {"time": time_, "event": event, "network": self._network, **subject(), **more}
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()

    def note(self, text: str) -> None:
        self.event("note", text=text)

    def began(self, step: str, title: str) -> None:
        self.event("step-began", step=step, title=title)

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        self.event("step-moved", step=step, done=done, total=total, detail=detail)

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        self.event("step-ended", step=step, title=title, result=str(result), detail=detail)

    def asking(self) -> AbstractContextManager[object]:
        return nullcontext()

    def close(self) -> None:
        """Does nothing: no event is buffered."""


class QuietReporter(PlainReporter):
    """Prints only failures, and steps that wait for people."""

    def note(self, text: str) -> None:
        """Says nothing."""

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        """Says nothing."""

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        if result in (StepResult.FAILED, StepResult.WAITS):
            super().ended(step, title, result, detail)


def reporter(console: Console) -> Reporter:
    """The reporter for the console: live on a terminal, plain elsewhere."""
    return LiveReporter(console) if console.is_terminal else PlainReporter(console.file)
