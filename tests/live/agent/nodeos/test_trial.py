"""Whether a nodeos makes blocks that a keosd signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import NodeosError
from agent.keys.keosd import Keosd
from agent.nodeos.probe import probe
from agent.nodeos.trial import check_signing
from antelope.keys import PrivateKey
from support.bundled import Runtime
from tests.live.keosd import running_keosd


async def test_the_bundled_nodeos_signs_by_itself_alone(runtime: Runtime, tmp_path: Path) -> None:
    """With its own key it makes blocks; with one in keosd it crashes, which one clear line says beforehand."""
    command, key = runtime.command("nodeos"), PrivateKey.generate()
    found = await probe(command, tmp_path / "probe")
    await check_signing(command, found, tmp_path / "probe", key)
    with running_keosd(runtime, tmp_path / "keosd") as keosd:
        keosd.make_wallet(key)
        with pytest.raises(NodeosError, match="crashes when keosd is to sign its blocks"):
            await check_signing(command, found, tmp_path / "probe", Keosd(keosd.url).key(key.public))
    assert [path.suffix for path in (tmp_path / "probe").iterdir()] == [".json"]
