"""The examples of docs/*.md that are marked *devnet*: run as they stand, in order, on a real devnet."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inventory.devnet import Devnet
from tests.live.docs.examples import DEVNET, NETWORK, PAGES, ROOT, Example, Folder, examples
from tests.ports import free_port

NPM = "npm"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """With free ports for the devnet."""
    own = tmp_path / ".coord" / "dev"
    own.mkdir(parents=True, mode=0o700)
    (own / "devnet.toml").write_text(Devnet(http_port=free_port(), p2p_port=free_port()).text())
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    return Folder(tmp_path)


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page, DEVNET)], ids=lambda page: page.name)
def test_examples(page: Path, folder: Folder, request: pytest.FixtureRequest) -> None:
    """Each ends well; what needs node is left out, with the reason, where that cannot be had."""
    request.addfinalizer(lambda: _end(folder))
    left_out: dict[str, str] = {}
    for example in examples(page, DEVNET):
        if example.mark == NPM and (why := _unusable(example, folder)):
            left_out[str(example)] = why
        elif example.mark and example.mark != NPM:
            (folder.path / example.mark).write_text(example.text, encoding="utf-8")
        else:
            folder.run(example)
    if left_out:
        pytest.skip(f"all but {', '.join(left_out)}: {next(iter(left_out.values()))}")


def _unusable(example: Example, folder: Folder) -> str:
    """Why nothing of npm can be used here, if so: what installs packages is tried, what uses them is not run."""
    if not folder.no_npm and not (shutil.which("node") and shutil.which("npm")):
        folder.no_npm = "node and npm are not installed"
    if not folder.no_npm and example.language == "bash":
        done = subprocess.run(
            ["bash", "-c", example.text], cwd=folder.path, env=folder.environment, capture_output=True, text=True
        )
        folder.no_npm = "" if done.returncode == 0 else f"npm: {done.stderr.strip().splitlines()[0]}"
    return folder.no_npm


def _end(folder: Folder) -> None:
    command = [Path(sys.executable).with_name("coord"), "down", "dev", "--purge", "--yes"]
    if (folder.path / ".coord" / "dev" / "devnet.toml").exists():
        subprocess.run([str(word) for word in command], cwd=folder.path, capture_output=True, check=True)


def test_there_are_examples() -> None:
    """The page for developers has Python, JavaScript, a shell, a contract and tests among them; operators' pages have
    some that are run on a booted network.
    """
    found = examples(ROOT / "docs" / "developers.md", DEVNET)
    assert {example.language for example in found} == {"bash", "python", "js"}
    assert any("tally.wasm" in example.text for example in found)
    assert any(example.mark.startswith("test_") for example in found)
    assert len([page for page in PAGES if examples(page, NETWORK)]) >= 10


@pytest.mark.skipif(shutil.which("wat2wasm") is None, reason="wabt is not installed")
def test_the_sample_contract_is_built_from_its_source(tmp_path: Path) -> None:
    """wat2wasm makes the very bytes that lie beside the source."""
    folder, made = ROOT / "docs" / "examples" / "tally", tmp_path / "tally.wasm"
    subprocess.run(["wat2wasm", str(folder / "tally.wat"), "-o", str(made)], check=True)
    assert made.read_bytes() == (folder / "tally.wasm").read_bytes()
