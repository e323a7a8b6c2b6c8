"""A real keosd with one wallet, for tests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from antelope.keys import PrivateKey
from support import processes
from support.bundled import Runtime
from support.processes import Process
from tests.ports import free_port
from tests.waiting import until

SECONDS = 20


@dataclass
class RunningKeosd:
    """A keosd and its cleos."""

    runtime: Runtime
    folder: Path
    port: int
    process: Process | None = None
    password: str = ""
    """Of the wallet "default", once it was made."""

    @property
    def url(self) -> str:
        """Over loopback."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket(self) -> str:
        """Its Unix socket's path."""
        return str(self.folder / "keosd.sock")

    def start(self) -> None:
        """Its wallets are locked then."""
        places = [f"--{name}-dir={self.folder}" for name in ("config", "data", "wallet")]
        command = [*self.runtime.command("keosd"), f"--http-server-address=127.0.0.1:{self.port}", *places]
        (self.folder / "log").write_text("")  # what an earlier run said does not count
        process = self.process = processes.start(command, output=self.folder / "log", folder=self.folder)

        def listens() -> bool:
            assert process.alive, (self.folder / "log").read_text()[-1000:]
            return f"127.0.0.1:{self.port} for API" in (self.folder / "log").read_text()

        until(listens, "keosd", SECONDS)

    def stop(self) -> None:
        """Ends it."""
        if self.process:
            processes.stop(self.process)
        self.process = None

    def cleos(self, *arguments: str) -> str:
        """What `cleos wallet` prints."""
        command = [*self.runtime.command("cleos"), "--wallet-url", self.url, "--no-auto-keosd", "wallet", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make_wallet(self, *keys: PrivateKey) -> None:
        """By cleos: the wallet "default", unlocked, with these keys."""
        self.password = json.loads(self.cleos("create", "--to-console").splitlines()[-1])
        for key in keys:
            self.cleos("import", "--private-key", key.wif)

    def unlock(self) -> None:
        """Opens the wallet again."""
        self.cleos("open")
        self.cleos("unlock", "--password", self.password)


@contextmanager
def running_keosd(runtime: Runtime, folder: Path) -> Iterator[RunningKeosd]:
    """One that ends with the block."""
    folder.mkdir()
    keosd = RunningKeosd(runtime, folder, free_port())
    keosd.start()
    try:
        yield keosd
    finally:
        keosd.stop()
