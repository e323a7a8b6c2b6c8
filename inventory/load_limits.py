"""The limits of blocks while the accounts are created: raised to what nodeos can do in half a second."""

from __future__ import annotations

from collections.abc import Mapping

from antelope.abi import Abi
from antelope.errors import AbiError
from antelope.layouts import SYSTEM, pack_data
from inventory.errors import Problems
from inventory.network import Network
from inventory.sealed import SealedLimits

BLOCK_NET, BLOCK_CPU = 4 << 20, 2_000_000
"""Bytes of a block, and the microseconds that its transactions may be billed. The most that was seen is 11,000 accounts
a second, of which half a second's take 1.9 MB. A producer ends a block in time by itself.
"""
WORTH_IT = 5_000
"""The fewest accounts for which limits are raised, unless the inventory says otherwise. Restoring the limits takes
another block, half a second, and fewer accounts do not save that.
"""
_KEY = "genesis.raise_limits"


def load_limits(network: Network, accounts: int, system: Abi, problems: Problems) -> SealedLimits | None:
    """The raised limits; None if they stay unchanged. system: the system contract's ABI."""
    wanted, genesis = network.genesis.raise_limits, network.genesis.configuration
    if wanted is False or (wanted is None and accounts < WORTH_IT):
        return None
    limits = SealedLimits(
        max(BLOCK_NET, genesis["max_block_net_usage"]), max(BLOCK_CPU, genesis["max_block_cpu_usage"])
    )
    if limits == SealedLimits(genesis["max_block_net_usage"], genesis["max_block_cpu_usage"]):
        return None
    if not _sets(system, genesis):
        if wanted:
            problems.add(_KEY, "the system contract has no setparams for the genesis' parameters", "leave it out")
        return None
    return limits


def _sets(system: Abi, configuration: Mapping[str, int]) -> bool:
    """Whether the contract's ABI packs these parameters as the boot packs them."""
    try:
        packed = system.pack_action("setparams", {"params": dict(configuration)})
    except AbiError:
        return False
    return packed == pack_data(SYSTEM, "setparams", configuration)
