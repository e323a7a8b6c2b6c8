"""The wheel: what it has in it, and that `coord` works from it where no source is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from inventory.template import SHIPPED

ROOT = Path(__file__).parents[3]
PACKAGES = ("agent", "antelope", "boot", "bootcoord", "coordinator", "inventory", "protos", "support")
SOURCES = (*PACKAGES, "tests", "docs", "bench")
FILES = ("pyproject.toml", "README.md", "constraints.txt")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by pip from a copy of the sources: an older build beside them must not count."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    _run("wheel", sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(source))
    (built,) = folder.glob("*.whl")
    return built


def test_what_is_in_it(wheel: Path) -> None:
    """Every package, the three inventories, the status page, typing markers and the two commands; no tests, docs or
    benchmarks."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (commands,) = [archive.read(name).decode() for name in names if name.endswith("entry_points.txt")]
    folders = {name.partition("/")[0] for name in names}
    assert {one for one in folders if not one.endswith(".dist-info")} == set(PACKAGES)
    assert {f"inventory/{name}.toml" for name in SHIPPED} <= set(names)
    page = {str(path.relative_to(ROOT)) for path in (ROOT / "coordinator/web/static").rglob("*.*")}
    assert len(page) > 10
    assert page <= set(names)
    assert not [name for name in names if {"test", "tests", "conftest.py"} & set(name.split("/"))]
    assert "coord = coordinator.cli:main" in commands
    assert "agent = agent.cli:main" in commands
    assert "bootcoord = bootcoord.pytest_plugin" in commands
    assert "bootcoord/py.typed" in names
    assert wheel.stat().st_size < 2 << 20


def test_it_works_installed(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment with the libraries of this one: `coord init --from devnet`, then `coord plan`."""
    python = _environment(tmp_path)
    _run("install", python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel))
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True
    )
    # Folders named in a .pth file come last, and this one's own .pth files, which name the sources, are not read.
    Path(site.stdout.strip(), "libraries.pth").write_text(sysconfig.get_path("purelib"))
    _check(tmp_path)


@pytest.mark.campaign
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_it_works_with_what_it_asks_for(wheel: Path, tmp_path: Path, version: str) -> None:
    """The same where pip installs everything that the wheel's metadata name, at the pinned versions, on each Python."""
    python = _environment(tmp_path, _python(version))
    constraints = str(ROOT / "constraints.txt")
    _run("install", python, "-m", "pip", "install", "--quiet", "-c", constraints, str(wheel))
    _check(tmp_path)


def _python(version: str) -> str:
    """One of this version: on the PATH, or of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [shutil.which(f"python{version}"), *map(str, root.glob(f"versions/{version}.*/bin/python"))]
    for python in filter(None, found):
        done = subprocess.run(
            [python, "--version"], capture_output=True, text=True, check=False
        )  # pyenv's shims may fail
        if done.returncode == 0 and f" {version}." in done.stdout:
            return python
    pytest.skip(f"there is no Python {version} on this machine")


def _environment(folder: Path, python: str = sys.executable) -> str:
    _run("venv", python, "-m", "venv", str(folder / "env"))
    return str(folder / "env" / "bin" / "python")


def _check(folder: Path) -> None:
    """Types what a newcomer types, in a folder of the user's own."""
    programs, home = folder / "env" / "bin", folder / "home"
    home.mkdir()
    assert "coord, version" in _run("version", str(programs / "coord"), "--version", folder=home)
    assert "agent serve --join" in _run("help", str(programs / "agent"), "--help", folder=home)
    for name in SHIPPED:
        _run("init", str(programs / "coord"), "init", "--from", name, folder=home)
    said = _run("plan", str(programs / "coord"), "plan", "devnet.toml", folder=home)
    assert "network devnet: 1 host(s), 5 nodes, 4 of 4 producers to elect, 100 users" in said
    api = "from bootcoord import Devnet, Network; print(Network.load('devnet.toml').plan()[0].name)"
    assert _run("api", str(programs / "python"), "-c", api, folder=home) == "genesis\n"
    where = _run(
        "where", str(programs / "python"), "-c", "import coordinator; print(coordinator.__file__)", folder=home
    )
    assert where.startswith(str(folder / "env"))


def _run(what: str, *command: str, folder: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{what}: {done.stdout}{done.stderr}"
    return done.stdout
