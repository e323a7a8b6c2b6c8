"""A boot at one moment, for a terminal: its progress, what it waits for, the chain. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BAR = 12
"""Characters of a bar."""
MOST = 5
"""At most this many steps at work are shown."""


@dataclass(frozen=True)
class Working:
    """A step that is at work, or waits."""

    step: str
    title: str
    detail: str
    """What it waits for, or did last; empty if it has not said yet."""
    done: int
    total: int
    """Pieces of its work; 0 if it does not count."""
    seconds: float
    usual: float | None
    """Seconds that the chain's rules make it wait."""


@dataclass(frozen=True)
class VoteCount:
    """Votes against the threshold, in the smallest unit."""

    activated: int
    threshold: int
    enforced: bool
    """Whether this system contract waits for the threshold."""


@dataclass(frozen=True)
class Pulse:
    """A boot at one moment."""

    ended: int
    steps: int
    seconds: float
    """Since the boot began."""
    left: float
    """Seconds that the chain's rules still take."""
    producers: int
    """How many producers the votes elect."""
    working: tuple[Working, ...]
    head: int
    lib: int
    nodes: tuple[int, int]
    """How many nodes run, and how many there are."""
    schedule: tuple[str, ...]
    next: tuple[str, ...]
    """A schedule that is proposed, and not active yet."""
    votes: VoteCount | None
    parties: tuple[tuple[str, int], ...]
    """States, and how many parties are in each."""


def pulse_lines(pulse: Pulse, width: int) -> Iterator[str]:
    """All lines, each at most `width` characters wide."""
    yield from working_lines(pulse.working, width)
    yield from standing_lines(pulse, width)


def working_lines(working: Sequence[Working], width: int) -> Iterator[str]:
    """A line for each step at work, or for the first few."""
    for one in working[:MOST]:
        yield fitted(_working(one), width)
    if len(working) > MOST:
        yield fitted(f"  and {len(working) - MOST} more steps at work", width)


def standing_lines(pulse: Pulse, width: int) -> Iterator[str]:
    """Lines about the progress of the boot, the chain, the election and the parties."""
    yield fitted(f"  {_course(pulse)}", width)
    if pulse.head:
        yield fitted(f"  {_chain(pulse)}", width)
    if election := _election(pulse):
        yield fitted(f"  {election}", width)
    if pulse.parties:
        told = ", ".join(f"{count} {state}" for state, count in pulse.parties)
        yield fitted(f"  parties: {told}", width)


def fitted(text: str, width: int) -> str:
    """The text, cut at a word where it is too wide."""
    if len(text) <= width:
        return text
    cut = text[: max(width - 3, 0)]
    whole = cut.rpartition(" ")[0].rstrip()
    return (whole if len(whole) > width // 2 else cut) + "..."


def clock(seconds: float) -> str:
    """A length of time, as in 1:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _working(one: Working) -> str:
    count = f" {one.done:,} of {one.total:,}" if one.total else ""
    usual = f" of about {clock(one.usual)}" if one.usual and one.usual >= 5 else ""
    bar = f" {_bar(one.done / one.total)}" if one.total else ""
    return f"> {one.step:15}{bar}{count} {clock(one.seconds)}{usual}  {one.detail or one.title}"


def _bar(part: float) -> str:
    full = min(int(part * BAR), BAR)
    return f"[{'=' * full}{' ' * (BAR - full)}]"


def _course(pulse: Pulse) -> str:
    number = min(pulse.ended + 1, pulse.steps)
    left = f"; at the chain's pace about {clock(pulse.left)} more" if pulse.left >= 5 else ""
    return f"step {number} of {pulse.steps}, {clock(pulse.seconds)} so far{left}"


def _chain(pulse: Pulse) -> str:
    running, all_ = pulse.nodes
    return f"head {pulse.head:,}, LIB {pulse.lib:,} ({pulse.head - pulse.lib} behind); {running} of {all_} nodes run"


def _election(pulse: Pulse) -> str:
    parts = []
    if pulse.votes and pulse.votes.activated:
        share = pulse.votes.activated / pulse.votes.threshold
        parts.append(f"votes {share:.0%} of the threshold{'' if pulse.votes.enforced else ' (not needed here)'}")
    if pulse.next:
        parts.append(f"schedule {_names(pulse.schedule)}, then {_names(pulse.next)}")
    elif pulse.schedule:
        parts.append(f"schedule {_names(pulse.schedule)}")
    return "; ".join(parts)


def _names(names: tuple[str, ...]) -> str:
    first = ", ".join(names[:4])
    return f"{first} and {len(names) - 4} more" if len(names) > 4 else first
