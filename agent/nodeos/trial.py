"""Tests on a throwaway chain whether a nodeos can have its blocks signed by keosd. Not every build can."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.errors import NodeosError
from agent.keys.keosd import KeosdKey
from agent.nodeos.config import STALE_PRODUCTION, signature_provider
from agent.nodeos.probe import Capabilities
from agent.nodeos.throwaway import throwaway
from antelope.errors import NodeError
from antelope.keys import PrivateKey
from support.retry import DeadlineError, poll

BLOCKS = 3
SECONDS = 20.0


async def check_signing(command: Sequence[str], found: Capabilities, folder: Path, key: PrivateKey | KeosdKey) -> None:
    """Returns once it has made a few blocks signed by that key. Raises NodeosError if it does not, OSError."""
    settings = [("producer-name", "eosio"), *signature_provider(key)]
    async with throwaway((*command, STALE_PRODUCTION), found.options, folder, key.public, settings) as node:

        async def produced() -> bool:
            if not node.process.alive:
                raise NodeosError(
                    f"{node.binary} crashes when keosd is to sign its blocks, as the bundled nodeos does: name another "
                    "with --nodeos, or let the block-signing key be made here, or be in a file (--producer-key)"
                )
            try:
                return (await node.client.get_info()).head_block_num > BLOCKS
            except NodeError:
                return False

        try:
            await poll(produced, what="blocks", deadline=SECONDS, every=0.1)
        except DeadlineError as error:
            raise NodeosError(f"{node.binary} makes no blocks that keosd signs: {node.said}") from error
