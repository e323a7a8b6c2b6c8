"""Watching the keosd that has a party's keys: with a locked wallet its producer misses its turns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from agent.errors import KeosdError
from agent.keys.keosd import Keosd
from antelope.keys import PublicKey

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""keosd locks its wallets when nobody asked for so long, 15 minutes by default: these questions keep them open."""


async def watch_keosd(keosd: Keosd | None, keys: Collection[PublicKey]) -> None:
    """Looks until it is cancelled, and tells the party's operator when keys cannot be used, and when they can."""
    told = None
    while keosd and keys:
        trouble = await asyncio.to_thread(trouble_with, keosd, keys)
        if trouble and trouble != told:
            log.warning("%s; until then nothing is signed with it", trouble)
        elif not trouble and told != "":
            log.info("keosd at %s signs with %s", keosd.address, ", ".join(map(str, keys)))
        told = trouble
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.Event().wait()


def trouble_with(keosd: Keosd, keys: Collection[PublicKey]) -> str:
    """Why keosd would not sign with each of the keys now; empty: it would. Blocks."""
    try:
        held = keosd.public_keys()
    except KeosdError as error:
        return str(error)
    return next((keosd.key(key).missing for key in keys if key not in held), "")
