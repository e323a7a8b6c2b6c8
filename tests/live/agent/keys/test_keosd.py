"""Keys of the agent's store in a real keosd."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.keys import KeyStore
from agent.keys.keosd import KeosdError, import_keys
from support import processes
from support.bundled import Runtime
from support.retry import poll
from tests.ports import free_port

ACCOUNTS = ["useraaaaaaaa", "useraaaaaaab", "eosio"]


@pytest.fixture
async def keosd(runtime: Runtime, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """A running keosd: its URL and the path of its Unix socket."""
    folder, port = tmp_path / "keosd", free_port()
    folder.mkdir()
    places = [f"--{name}-dir={folder}" for name in ("config", "data", "wallet")]
    command = [*runtime.command("keosd"), f"--http-server-address=127.0.0.1:{port}", *places]
    process = processes.start(command, output=folder / "log", folder=folder)

    async def listens() -> bool:
        assert process.alive, (folder / "log").read_text()[-1000:]
        return f"127.0.0.1:{port} for API" in (folder / "log").read_text()

    await poll(listens, what="keosd", deadline=20)
    yield f"http://127.0.0.1:{port}", str(folder / "keosd.sock")
    await asyncio.to_thread(processes.stop, process)


@pytest.mark.parametrize("which", [0, 1], ids=["loopback", "socket"])
async def test_cleos_sees_the_imported_keys(
    keosd: tuple[str, str], runtime: Runtime, tmp_path: Path, which: int
) -> None:
    """Keys go into a new wallet over either address; cleos lists exactly them; a second import changes nothing."""
    store = KeyStore(tmp_path / "keys")
    expected = {str(store.account_key(name)) for name in ACCOUNTS}
    password = tmp_path / "wallet.password"
    for _ in range(2):
        keys = await import_keys(keosd[which], "boot", [store.private(name) for name in ACCOUNTS], password)
        assert {str(key) for key in keys} == expected
    assert password.stat().st_mode & 0o777 == 0o600
    listed = await asyncio.to_thread(
        subprocess.run,
        [*runtime.command("cleos"), "--wallet-url", keosd[0], "--no-auto-keosd", "wallet", "keys"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert {line.strip(' ",') for line in listed.stdout.splitlines() if "EOS" in line} == expected


async def test_an_unknown_wallets_password_is_asked_for(keosd: tuple[str, str], tmp_path: Path) -> None:
    """A wallet that is there, but whose password is not on file, is refused without touching it."""
    store = KeyStore(tmp_path / "keys")
    store.account_key("useraaaaaaaa")
    keys = [store.private("useraaaaaaaa")]
    await import_keys(keosd[0], "boot", keys, tmp_path / "wallet.password")
    with pytest.raises(KeosdError, match="has a wallet 'boot' already"):
        await import_keys(keosd[0], "boot", keys, tmp_path / "other.password")


async def test_no_keosd_is_one_clear_line(tmp_path: Path) -> None:
    """Where nobody listens, the error says which address, and holds no key."""
    store = KeyStore(tmp_path / "keys")
    store.account_key("useraaaaaaaa")
    key = store.private("useraaaaaaaa")
    with pytest.raises(KeosdError, match="does not answer") as caught:
        await import_keys(f"http://127.0.0.1:{free_port()}", "boot", [key], tmp_path / "password")
    assert key.wif not in str(caught.value)


async def test_the_agents_own_command_imports(keosd: tuple[str, str], tmp_path: Path) -> None:
    """`agent wallet` puts the named accounts' keys into a wallet, and refuses to send them off this machine."""
    store = KeyStore(tmp_path / "keys")
    expected = str(store.account_key("useraaaaaaaa"))

    def agent(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agent.cli", "wallet", "--data", str(tmp_path), *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=30)

    done = await asyncio.to_thread(agent, "--keosd", keosd[1], "useraaaaaaaa")
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert store.private("useraaaaaaaa").wif not in done.stdout + done.stderr
    missing = await asyncio.to_thread(agent, "--keosd", keosd[1], "nobody")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    away = await asyncio.to_thread(agent, "--keosd", "http://192.0.2.1:8900", "useraaaaaaaa")
    assert away.returncode == 1
    assert "this machine only" in away.stderr
