"""Watches the keosd that holds a party's keys. With a locked wallet the producer misses its turns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from agent.errors import KeosdError
from agent.keys.keosd import Keosd
from antelope.keys import PublicKey

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""Between two checks. keosd locks idle wallets, after 15 minutes by default; these checks keep them open."""


async def watch_keosd(keosd: Keosd | None, keys: Collection[PublicKey]) -> None:
    """Checks until it is cancelled. Logs when keys become unusable, and when they are usable again."""
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
    """Why keosd cannot sign with one of the keys now; empty if it can with all. Blocks."""
    try:
        held = keosd.public_keys()
    except KeosdError as error:
        return str(error)
    return next((keosd.key(key).missing for key in keys if key not in held), "")
