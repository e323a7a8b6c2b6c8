"""Decides what a boot does next: events in, instructions out. No clock, no network, no processes.

A step goes PENDING → CHECKING → (RUNNING → CHECKING)… → DONE, PARKED or FAILED. Its evidence is always read first, so a
boot that is run again finds everything done, and one that was interrupted continues with what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby

from boot.step import ChainStep, NodeStep, Step, Verdict, WaitStep

ROUNDS = 3
"""How often a chain step's missing work is handed out before the step fails."""

FEW = 5
"""Maximum number of missing keys that a message names."""
LOOKS = 40
"""How often evidence is read again after the work was reported done: the node that answers may lag a little."""


class StepState(Enum):
    """A step's state."""

    PENDING = "pending"
    CHECKING = "checking"
    RUNNING = "running"
    DONE = "done"
    PARKED = "waits"
    """Depends on other people: this boot cannot complete it. Named as `StepResult` names it."""
    FAILED = "failed"


@dataclass(frozen=True)
class Checked:
    """A step's evidence was read."""

    step: str
    verdict: Verdict
    id: int = 0


@dataclass(frozen=True)
class Ran:
    """A host carried out its share of a step, or failed to. For a step being checked: its evidence cannot be read."""

    step: str
    host: str
    error: str = ""
    retryable: bool = False
    id: int = 0


@dataclass(frozen=True)
class Overdue:
    """A step's deadline passed, or what it waits for can no longer happen."""

    step: str
    reason: str = ""
    """Why it can no longer happen; empty if the deadline passed."""
    id: int = 0


Event = Checked | Ran | Overdue
"""`id` is the event's number in this run, from 1. `Waiting.since` refers to it."""


@dataclass(frozen=True)
class Check:
    """Read this step's evidence. again: it was just read, so pause first."""

    step: Step
    again: bool


@dataclass(frozen=True)
class Run:
    """Have a host carry out these keys of a step: a chain step's work, or a node step's nodes."""

    step: ChainStep | NodeStep
    host: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Settled:
    """A step is done. acted: whether this run did something for it."""

    step: Step
    verdict: Verdict
    acted: bool


@dataclass(frozen=True)
class Failed:
    """A step failed; steps that do not depend on it continue."""

    step: Step
    reason: str


@dataclass(frozen=True)
class Parked:
    """A step depends on other people; a later boot continues."""

    step: Step
    verdict: Verdict


Instruction = Check | Run | Settled | Parked | Failed


@dataclass(frozen=True)
class Waiting:
    """What a step waits for, or how it ended."""

    state: StepState
    what: str
    since: int
    """The id of the event since which this holds; 0 if since the run's beginning."""
    on: tuple[str, ...] = ()
    """The names in it: of steps that must be done before, of hosts at work, or of what the evidence lacks."""


@dataclass
class _Track:
    """The executor's state of one step."""

    step: Step
    state: StepState = StepState.PENDING
    rounds: int = 0
    looks: int = 0
    verdict: Verdict = field(default_factory=lambda: Verdict(()))
    waiting: set[str] = field(default_factory=set)
    """Hosts whose share is running."""
    later: list[Run] = field(default_factory=list)
    """Shares to run after those, because the step's transactions depend on each other."""
    errors: list[str] = field(default_factory=list)
    before: str = ""
    """What the attempt before this one failed with."""
    fatal: bool = False
    reason: str = ""
    """Why it failed."""
    since: int = 0
    """The event that last changed its state or what its evidence lacks."""


class Executor:
    """Takes a plan's steps through their states as their dependencies allow."""

    def __init__(self, steps: Sequence[Step], host_of: Callable[[Step, str], str]) -> None:
        """steps: in an order that their dependencies allow; dependencies not among them count as done.
        host_of: the host that carries out a key of a step.
        """
        self._tracks = {step.name: _Track(step) for step in steps}
        self._host_of = host_of

    def start(self) -> list[Instruction]:
        """The first instructions."""
        return self._advance()

    @property
    def finished(self) -> bool:
        """Whether nothing is running and nothing more can be started."""
        return not any(track.state in (StepState.CHECKING, StepState.RUNNING) for track in self._tracks.values())

    @property
    def states(self) -> dict[str, StepState]:
        """Every step's state."""
        return {name: track.state for name, track in self._tracks.items()}

    def waiting(self) -> dict[str, Waiting]:
        """What every step waits for, by name."""
        return {
            name: Waiting(track.state, self._what(track), track.since, self._on(track))
            for name, track in self._tracks.items()
        }

    def handle(self, event: Event) -> list[Instruction]:
        """The instructions that follow from an event."""
        track = self._tracks[event.step]
        if track.state in (StepState.DONE, StepState.PARKED, StepState.FAILED):
            return []
        before = {name: (one.state, self._what(one)) for name, one in self._tracks.items()}
        instructions = self._handle(track, event)
        for name, one in self._tracks.items():
            if (one.state, self._what(one)) != before[name]:
                one.since = event.id
        return instructions

    def _on(self, track: _Track) -> tuple[str, ...]:
        match track.state:
            case StepState.PENDING:
                return tuple(one.step.name for one in self._left(track))
            case StepState.RUNNING:
                return tuple(sorted(track.waiting))
            case StepState.CHECKING:
                return track.verdict.missing
            case _:
                return ()

    def _left(self, track: _Track) -> list[_Track]:
        """The steps that a pending one still needs."""
        needed = (self._tracks[name] for name in track.step.after if name in self._tracks)
        return [one for one in needed if one.state is not StepState.DONE]

    def _what(self, track: _Track) -> str:
        match track.state:
            case StepState.PENDING:
                left = self._left(track)
                ended = {StepState.FAILED: ", which failed", StepState.PARKED: ", which depends on others"}
                return "waits for " + ", ".join(f"{one.step.name}{ended.get(one.state, '')}" for one in left)
            case StepState.CHECKING:
                if track.verdict.done:
                    return "its evidence is being read"
                return f"waits for its evidence, which shows: {shown(track.verdict)}"
            case StepState.RUNNING:
                tries = f" (attempt {track.rounds} of {ROUNDS})" if track.rounds > 1 else ""
                after = f"; before: {track.before}" if track.before else ""
                return f"waits for {', '.join(sorted(track.waiting))} to carry it out{tries}{after}"
            case StepState.FAILED:
                return track.reason
            case StepState.DONE | StepState.PARKED:
                return shown(track.verdict)

    def _handle(self, track: _Track, event: Event) -> list[Instruction]:
        match event:
            case Checked(verdict=verdict):
                return self._checked(track, verdict)
            case Ran():
                return self._ran(track, event)
            case Overdue():
                return self._fail(track, event.reason or f"deadline passed: {shown(track.verdict)}")

    def _checked(self, track: _Track, verdict: Verdict) -> list[Instruction]:
        if track.state is not StepState.CHECKING:
            return []
        track.verdict = verdict
        if verdict.done:
            track.state = StepState.DONE
            return [Settled(track.step, verdict, acted=track.rounds > 0), *self._advance()]
        if verdict.impossible:
            return self._fail(track, verdict.detail)
        if verdict.elsewhere:
            track.state = StepState.PARKED
            return [Parked(track.step, verdict)]
        if isinstance(track.step, WaitStep):
            return [Check(track.step, again=True)]
        if track.rounds and track.looks < LOOKS and not track.errors:
            track.looks += 1
            return [Check(track.step, again=True)]
        if track.fatal or track.rounds >= ROUNDS:
            return self._fail(track, "; ".join(dict.fromkeys(track.errors)) or verdict.detail)
        return self._hand_out(track, track.step, verdict.missing)

    def _hand_out(self, track: _Track, step: ChainStep | NodeStep, keys: Iterable[str]) -> list[Instruction]:
        track.before = "; ".join(dict.fromkeys(track.errors))
        track.state, track.errors, track.looks = StepState.RUNNING, [], 0
        track.rounds += 1
        if isinstance(step, ChainStep) and not step.parallel:
            rows = groupby(keys, lambda key: self._host_of(step, key))
            track.later = [Run(step, host, tuple(row)) for host, row in rows]
            return self._begin_next(track)
        shares: dict[str, list[str]] = {}
        for key in keys:
            shares.setdefault(self._host_of(step, key), []).append(key)
        track.waiting = set(shares)
        return [Run(step, host, tuple(share)) for host, share in shares.items()]

    def _begin_next(self, track: _Track) -> list[Instruction]:
        run = track.later.pop(0)
        track.waiting = {run.host}
        return [run]

    def _ran(self, track: _Track, event: Ran) -> list[Instruction]:
        track.waiting.discard(event.host)
        if event.error:
            track.errors.append(f"{event.host}: {event.error}")
            track.fatal = track.fatal or not event.retryable
        if track.state is StepState.CHECKING:  # its evidence cannot be read
            return self._fail(track, "; ".join(dict.fromkeys(track.errors)))
        if track.waiting:
            return []
        if track.later and not event.error:
            return self._begin_next(track)
        track.state = StepState.CHECKING
        return [Check(track.step, again=bool(track.errors))]

    def _fail(self, track: _Track, reason: str) -> list[Instruction]:
        track.state, track.reason = StepState.FAILED, reason
        return [Failed(track.step, reason), *self._advance()]

    def _advance(self) -> list[Instruction]:
        """Starts every step whose dependencies are done."""
        begun: list[Instruction] = []
        for track in self._tracks.values():
            if track.state is StepState.PENDING and all(
                self._tracks[name].state is StepState.DONE for name in track.step.after if name in self._tracks
            ):
                track.state = StepState.CHECKING
                begun.append(Check(track.step, again=False))
        return begun


def shown(verdict: Verdict) -> str:
    """What the evidence shows, in one line."""
    if verdict.detail or verdict.done:
        return verdict.detail or "nothing is missing"
    more = len(verdict.missing) - FEW
    return f"missing: {', '.join(verdict.missing[:FEW])}{f' and {more} more' if more > 0 else ''}"
