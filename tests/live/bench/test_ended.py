"""A benchmark that is ended leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import until

ROOT = Path(__file__).parents[3]


def _left(place: Path) -> list[str]:
    """Command lines of processes that work in that folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue
        if str(place) in command:
            found.append(command)
    return found


@pytest.mark.parametrize("when", ["booting", "measuring"])
def test_sigterm_stops_the_network_that_it_started(tmp_path: Path, when: str) -> None:
    """Ended during `coord boot` or while nodes are watched, it leaves no process and no folder; status 128 + 15."""
    place, log = tmp_path / "place", tmp_path / "log"
    place.mkdir()
    command = [sys.executable, "-m", "bench", "idle", "--quick", "--out", str(tmp_path / "out")]
    with log.open("wb") as out:
        bench = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=os.environ | {"TMPDIR": str(place)})
    sign = "nodeos" if when == "booting" else "one node, for"
    until(lambda: sign in (log.read_text() if when == "measuring" else " ".join(_left(place))), "it has begun", 60)
    bench.send_signal(signal.SIGTERM)
    assert bench.wait(60) == 128 + signal.SIGTERM
    assert "SIGTERM: stopping what runs" in log.read_text()
    assert _left(place) == []
    assert list(place.glob("bench-*")) == []
