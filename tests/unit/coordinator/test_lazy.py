"""What a command that only looks must not do: read large files that it does not need, import libraries that it does not
use.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.cli.main import run

LIGHT = {
    "coordinator.cli.main": {"grpc", "aiohttp", "fabric", "paramiko", "numpy", "boot", "inventory.network", "asyncio"},
    "coordinator.cli.status": {"fabric", "paramiko", "numpy", "boot.audit", "inventory.proof"},
    "coordinator.cli.invite": {"fabric", "paramiko", "numpy", "boot.audit", "inventory.proof"},
    "coordinator.cli.logs": {"fabric", "paramiko", "numpy", "boot.audit", "inventory.proof"},
    "coordinator.cli.boot": {
        "fabric",
        "paramiko",
        "numpy",
        "boot.audit",
        "inventory.proof",
        "tarfile",
        "coordinator.web",
        "coordinator.cli.serve",
        "coordinator.workflows.changing.operating",
        "coordinator.workflows.using",
    },
    "coordinator.hosts.preflight.run": {"fabric", "paramiko", "numpy", "tarfile"},
    "coordinator.cli.verify": {"fabric", "paramiko", "numpy", "boot.audit", "inventory.proof"},
}


@pytest.mark.parametrize("module", sorted(LIGHT))
def test_imports(module: str) -> None:
    """A command's module, and loading an inventory at a glance, import nothing that takes long and is not needed."""
    code = f"import sys, {module}; print(*sys.modules)"
    if module != "coordinator.cli.main":
        code = f"import inventory.load; {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not LIGHT[module] & set(done.stdout.split())


def test_a_commands_imports_are_not_searched_for_garbage() -> None:
    """That would take a fifth of the CPU of a command with nothing to do. Afterwards garbage is collected again."""
    code = """
import gc
from coordinator.cli.main import coord
ran = []
gc.callbacks.append(lambda phase, info: ran.append(phase))
coord.get_command(None, "boot")
print(len(ran), gc.isenabled(), gc.get_freeze_count() > 50_000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True", "True"]


@pytest.mark.parametrize(
    "command",
    [["status"], ["status", "--json"], ["invite", "alicealice11"], ["parties"], ["logs", "genesis"], ["down"]],
)
def test_a_users_csv_is_not_read(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A CSV with mistakes does not disturb commands that need none of its rows; `coord plan` reports them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "users.csv").write_text("not a row\n")
    (tmp_path / "n.toml").write_text('[network]\nname = "n"\n[users]\ncsv = "users.csv"\n')
    first, *others = command
    monkeypatch.setattr("inventory.users_file._texts", lambda _: pytest.fail("the CSV was read"))
    assert run(["--state", str(tmp_path / "state"), first, "n.toml", *others]) in (0, 1)
    assert "users.csv" not in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert run(["plan", "n.toml"]) == 2
    assert "users.csv line 1: " in capsys.readouterr().err


def test_a_csv_that_is_missing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By every command: the inventory names a file that does not exist."""
    (tmp_path / "n.toml").write_text('[network]\nname = "n"\n[users]\ncsv = "users.csv"\n')
    assert run(["--state", str(tmp_path / "state"), "status", str(tmp_path / "n.toml")]) == 2
    assert f"users.csv: {tmp_path / 'users.csv'} is not a file" in capsys.readouterr().err
