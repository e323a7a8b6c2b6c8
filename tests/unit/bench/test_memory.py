"""The memory of a small program is its own, however large the program is that measures it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.commands import cost
from bench.harness import BenchError

LARGE = 200 << 20
SMALL_MIB = 40


@pytest.fixture
def large() -> bytearray:
    """This process's memory, all of it touched."""
    return bytearray(b"\1") * LARGE


@pytest.mark.usefixtures("large")
def test_a_small_command_is_small(tmp_path: Path) -> None:
    """A process begins with its parent's peak; here it does not count. What the command itself takes does."""
    assert cost(["true"], tmp_path).peak_mib < SMALL_MIB
    assert cost([sys.executable, "-c", f"b'x' * {LARGE // 2}"], tmp_path).peak_mib > LARGE / 2 / (1 << 20)


@pytest.mark.usefixtures("large")
def test_a_small_part_is_small() -> None:
    """A process that reads its own peak finds nothing of its parent's."""
    code = "from bench.watching import peak_mib; print(peak_mib())"
    said = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, check=True)
    assert float(said.stdout) < SMALL_MIB


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    """With its output; a status that is expected is none."""
    with pytest.raises(BenchError, match="sh -c echo no reason; exit 3: no reason"):
        cost(["sh", "-c", "echo no reason; exit 3"], tmp_path)
    assert cost(["sh", "-c", "exit 3"], tmp_path, statuses=(0, 3)).seconds < 30
    with pytest.raises(BenchError, match="FileNotFoundError"):
        cost(["no-such-command"], tmp_path)
