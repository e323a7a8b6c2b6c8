"""What a step is: a small pure description. Dry run, boot, resuming and cleos commands are made from it.

A step derives its work from the blueprint, and reads its own evidence from the chain. Evidence is a generator that
yields queries, receives nodeos' answers, and returns a verdict, so it needs neither network nor clock. The callers of
`run_reads` do the I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, overload

from antelope.errors import NodeError
from antelope.transaction import Action, pack_actions
from boot.blueprint import Blueprint


@dataclass(frozen=True)
class Query:
    """One call of nodeos' HTTP API that only reads."""

    path: str
    """Such as `/v1/chain/get_account`."""
    body: Any = None
    node: str | None = None
    """The node to ask; None for the one that follows the boot (the genesis node, or any that runs)."""


@dataclass(frozen=True)
class Verdict:
    """The result of reading evidence."""

    missing: tuple[str, ...]
    """Keys of the work (or of what the step waits for) that the chain does not show yet; empty if the step is done."""
    detail: str = ""
    """One line for the user: what was found, or what is missing."""
    elsewhere: bool = False
    """Whether others must supply what is missing, such as the votes of stake whose keys are not here."""
    impossible: bool = False
    """Whether what is missing can never happen: the account that could have done it has given up its key."""

    @property
    def done(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


Answer = Any
"""nodeos' JSON, or the NodeError that it answered with: a refusal, such as an unknown account, is evidence too."""

Reads = Generator[Query, Any | NodeError, Verdict]


class Turn(Enum):
    """When a piece of a parallel step's work is done."""

    FIRST = "before the others"
    ANY = "beside the others"
    LAST = "after the others, even if one of them failed"


@dataclass(frozen=True)
class Bulk:
    """The many actions of one transaction, packed together without an object for each."""

    actors: tuple[str, ...]
    """The accounts whose active permissions authorize the actions."""
    actions: Callable[[], tuple[Action, ...]]
    packed: Callable[[], bytes]
    """The actions as `pack_actions` packs them."""


@dataclass(frozen=True)
class Push:
    """One transaction."""

    key: str
    """Unique within the step, and the same for everybody who derives it."""
    content: tuple[Action, ...] | Bulk
    holder: str
    """The account whose agent signs it (`Network.holder`)."""
    spare: bool = False
    """Whether it is pushed only if the evidence asks for its key, which it does after a part was done by hand."""
    turn: Turn = Turn.ANY

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its actions."""
        return self.content.actions() if isinstance(self.content, Bulk) else self.content

    @property
    def packed(self) -> bytes:
        """Its actions as packed in a transaction: their number first."""
        return self.content.packed() if isinstance(self.content, Bulk) else pack_actions(self.content)

    @property
    def actors(self) -> tuple[str, ...]:
        """The accounts whose keys sign it."""
        if isinstance(self.content, Bulk):
            return self.content.actors
        return tuple(dict.fromkeys(level.actor for action in self.content for level in action.authorization))


@dataclass(frozen=True)
class Preactivate:
    """Schedules protocol features through the producer API of the genesis node, until the chain shows them."""

    key: str
    digests: tuple[str, ...]
    holder: str = "eosio"
    turn: Turn = Turn.ANY


Work = Push | Preactivate


class Derived(Sequence[Push]):
    """The pushes of a large step, each derived on access and not stored."""

    def __init__(self, keys: Sequence[str], holder: str, derive: Callable[[int], Push]) -> None:
        """keys: of the pushes, in order. holder: of all pushes. derive: makes the push of that number."""
        self.keys = keys
        self.holder = holder
        self._derive = derive

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> Push: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Push, ...]: ...
    def __getitem__(self, index: int | slice) -> Push | tuple[Push, ...]:
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(len(self))))
        return self._derive(range(len(self.keys))[index])


class KeyedWork(Mapping[str, Work]):
    """A step's work by key. `Derived` work is not stored here either: asking for one key derives one push."""

    def __init__(self, work: Sequence[Work]) -> None:
        self._work = work
        keys = work.keys if isinstance(work, Derived) else [one.key for one in work]
        self._places = {key: place for place, key in enumerate(keys)}

    def __getitem__(self, key: str) -> Work:
        return self._work[self._places[key]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def part(self, keys: Iterable[str]) -> Sequence[Work]:
        """The work of these keys, each once. Raises KeyError."""
        wanted = tuple(dict.fromkeys(keys))
        if not isinstance(self._work, Derived):
            return [self[key] for key in wanted]
        whole, places = self._work, [self._places[key] for key in wanted]
        return Derived(wanted, whole.holder, lambda place: whole[places[place]])

    def holder(self, key: str) -> str:
        """The account whose agent signs it. Raises KeyError."""
        place = self._places[key]
        return self._work.holder if isinstance(self._work, Derived) else self._work[place].holder

    @property
    def holders(self) -> frozenset[str]:
        """All accounts that sign a part of it."""
        return frozenset(self.holder(key) for key in self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places  # Mapping's own method would derive the push


class Finality(Enum):
    """When a step's transaction counts as done."""

    BLOCK = "in a block"
    IRREVERSIBLE = "irreversible"


class NodeMode(Enum):
    """The mode in which a node runs."""

    GENESIS = "genesis"
    """Signs as eosio, with stale production enabled (`-e`)."""
    NORMAL = "normal"
    """As its role says: a producer signs when it is scheduled."""
    STARTER = "starter"
    """NORMAL, with `-e` for this one start: brings a chain back after a total outage."""
    AUDIT = "audit"
    """Signs nothing, reads irreversible state: the genesis node after the handover."""


@dataclass(frozen=True)
class ChainStep:
    """A step that agents carry out with transactions, which they derive themselves."""

    name: str
    title: str
    after: tuple[str, ...]
    """Names of the steps that must be done before."""
    work: Callable[[Blueprint], Sequence[Work]]
    """All work of the step, whether it is done already or not."""
    evidence: Callable[[Blueprint], Reads]
    """Reads which keys of the work the chain lacks."""
    finality: Finality = Finality.BLOCK
    parallel: bool = False
    """Whether its transactions are independent of each other, so that several may be in flight."""
    glance: Callable[[Blueprint], Reads] | None = None
    """The evidence that is read after the step was seen done in irreversible blocks. Those blocks stay, so a few reads
    show whether it is still the same chain.
    """


@dataclass(frozen=True)
class WaitStep:
    """A step without work: it waits for something to become true, within a deadline."""

    name: str
    title: str
    after: tuple[str, ...]
    evidence: Callable[[Blueprint], Reads]
    """Reads what is still missing (producers, blocks), and names it."""
    deadline: Callable[[Blueprint], float]
    """Seconds, computed from rounds of the schedule."""


@dataclass(frozen=True)
class NodeStep:
    """A step in which agents start (or restart) their nodes in a mode."""

    name: str
    title: str
    after: tuple[str, ...]
    nodes: Callable[[Blueprint], tuple[str, ...]]
    """Names of the nodes."""
    mode: NodeMode
    condition: Callable[[Blueprint], Reads] | None = None
    """Evidence that must be complete right before the work; None if there is no such condition."""


Step = ChainStep | WaitStep | NodeStep
