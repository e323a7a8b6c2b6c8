"""What the chain itself imposes on a boot: how long its blocks take to become irreversible under a new schedule.

These are nodeos' rules before Savanna (block_header_state.cpp, producer_plugin.cpp of AntelopeIO/leap). A producer
confirms the blocks since its own last one, and none in its first turn. A block that 2/3 + 1 of the producers have
confirmed is proposed as irreversible. A block is irreversible when 2/3 + 1 have signed blocks that show it as proposed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from antelope.elections import BLOCKS_PER_TURN


@dataclass
class Chain:
    """A simulated chain without missed blocks, signed by one schedule from its first block on."""

    producers: int
    number: int
    """Of the latest block."""
    slot: int
    """Half seconds since 2000, of the latest block."""
    lib: int = field(init=False)
    _proposed: int = field(init=False)
    _open: list[int] = field(default_factory=list)
    """How many confirmations each of the latest blocks lacks."""
    _last: dict[int, int] = field(default_factory=dict)
    """The latest block of each producer that has signed."""
    _implied: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.lib = self._proposed = self.number
        self._implied = dict.fromkeys(range(self.producers), self.number)

    @property
    def signed(self) -> int:
        """How many producers have signed blocks."""
        return len(self._last)

    def block(self) -> None:
        """Adds the next block."""
        head, self.number, self.slot = self.number, self.number + 1, self.slot + 1
        producer = self.slot % (self.producers * BLOCKS_PER_TURN) // BLOCKS_PER_TURN
        self._implied[producer] = self._proposed
        confirms = min(head - self._last.get(producer, head), head - self.lib) + 1
        self.lib = sorted(self._implied.values())[(self.producers - 1) // 3]
        self._last[producer] = self.number
        self._open.append(self.producers * 2 // 3 + 1)
        for place in range(len(self._open) - 1, max(-1, len(self._open) - 1 - confirms), -1):
            self._open[place] -= 1
            if not self._open[place]:
                self._proposed = self.number - (len(self._open) - 1 - place)
                del self._open[: place + 1]
                break


@dataclass(frozen=True)
class Imposed:
    """Blocks after the last one that eosio signed alone."""

    canary: int
    """Until the canary is irreversible, if the first block of the elected producers holds it."""
    resigned: int
    """Until the resignation is irreversible: it needs an irreversible canary, and a block of every producer."""


def handover(producers: int, number: int, slot: int) -> Imposed:
    """number, slot: of the last block before the elected producers' first."""
    chain = Chain(producers, number, slot)
    canary = _until(chain, number + 1)
    while chain.signed < producers:
        chain.block()
    return Imposed(canary - number, _until(chain, chain.number + 1) - number)


def _until(chain: Chain, block: int) -> int:
    """The block that makes the given one irreversible."""
    for _ in _blocks(chain):
        if chain.lib >= block:
            break
    return chain.number


def _blocks(chain: Chain) -> Iterator[None]:
    while True:
        chain.block()
        yield
