"""Runs `coord` for tests on real hosts as an operator does: to its end, watched while it runs, or on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import bundled
from tests.ports import free_port
from tests.testbed.realhosts.client import Testbed
from tests.waiting import until

ROOT = Path(__file__).parents[2]
COORD = (sys.executable, "-P", "-c", "from coordinator.cli.main import main; main()")
COMMAND_SECONDS = 240.0

HEAD = """
import json, urllib.request
info = json.load(urllib.request.urlopen("http://127.0.0.1:8888/v1/chain/get_info", timeout=3))
print(info["head_block_num"])
"""


@dataclass
class Operator:
    """An operator: an inventory, a state folder, and the code that `coord` runs from."""

    inventory: Path
    state: Path
    code: Path = ROOT
    home: Path | None = None
    """$HOME, where it matters."""
    lines: list[str] = field(default_factory=list)
    """Of the latest command that was watched."""
    moments: list[float] = field(default_factory=list)
    """When each of these lines came, in Unix seconds."""

    def command(self, verb: str, *options: str) -> list[str]:
        """The command line."""
        return [*COORD, "--state", str(self.state), verb, str(self.inventory), *options]

    @property
    def environment(self) -> dict[str, str]:
        """The environment without this terminal's ssh-agent. Caches stay, so that nothing is fetched or built again."""
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        own = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        home = {"HOME": str(self.home)} if self.home else {}
        return own | home | {"XDG_CACHE_HOME": cache, "PYTHONPATH": str(self.code), "COLUMNS": "200"}

    def run(self, verb: str, *options: str, status: int = 0, seconds: float = COMMAND_SECONDS) -> str:
        """Runs a command to its end, and checks its exit status. Returns what it printed, including stderr."""
        done = subprocess.run(
            self.command(verb, *options), env=self.environment, cwd=self.code, text=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
        return done.stdout

    def json(self, verb: str, *options: str) -> Any:
        """The document that --json prints."""
        done = subprocess.run(
            self.command(verb, *options, "--json"), env=self.environment, cwd=self.code, text=True, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def boot(self, disturbances: Sequence[tuple[str, Callable[[], None]]] = (), status: int = 0) -> str:
        """Runs `coord boot`, with each disturbance as soon as a line contains its word. Returns what was printed."""
        left = list(disturbances)
        self.lines, self.moments = [], []
        with subprocess.Popen(
            self.command("boot"), env=self.environment, cwd=self.code, text=True, bufsize=1,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as running:  # fmt: skip
            assert running.stdout is not None
            try:
                for line in running.stdout:
                    self.lines.append(line)
                    self.moments.append(time.time())
                    if left and left[0][0] in line:
                        left.pop(0)[1]()
            except BaseException:
                running.send_signal(signal.SIGINT)
                raise
        assert running.returncode == status, "".join(self.lines)
        assert not left, f"{left} never came: {''.join(self.lines)}"
        return "".join(self.lines)

    def on_terminal(self, verb: str, answers: dict[str, str], *options: str) -> tuple[int, str]:
        """Runs a command on its own terminal, and answers each prompt once. Returns exit status and output."""
        with _terminal(self.command(verb, *options), self.environment, self.code) as (process, master):
            shown, deadline = "", time.monotonic() + COMMAND_SECONDS
            waiting = dict(answers)
            while time.monotonic() < deadline:
                if not select.select([master], [], [], 1.0)[0]:
                    continue
                try:
                    shown += os.read(master, 65536).decode(errors="replace")
                except OSError:  # EIO: everybody closed the terminal
                    break
                for prompt in [prompt for prompt in waiting if prompt in shown]:
                    os.write(master, f"{waiting.pop(prompt)}\n".encode())
            return process.wait(10), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


@contextmanager
def _terminal(
    command: Sequence[str], environment: dict[str, str], folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    master, slave = pty.openpty()
    try:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # becomes the controlling terminal
        )  # fmt: skip
        os.close(slave)
        try:
            yield process, master
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    finally:
        os.close(master)


def head(testbed: Testbed, host: str) -> int:
    """The head of the node with HTTP port 8888 on a host; 0 while it does not answer."""
    done = testbed.ssh(host, "python3", "-", stdin=HEAD, check=False)
    return int(done.stdout) if done.returncode == 0 else 0


def grows(testbed: Testbed, hosts: Sequence[str], seconds: float, by: int = 4) -> None:
    """Waits until the nodes of all these hosts have this many more blocks."""
    first: dict[str, int] = {}

    def grown() -> bool:
        for host in hosts:
            now = head(testbed, host)
            if now:
                first.setdefault(host, now)
            if now < first.get(host, now + 1) + by:
                return False
        return True

    until(grown, f"{by} blocks more on {', '.join(hosts)}", seconds, every=0.5)


def chain_behind(said: str) -> str:
    """The chain id that cleos has through the tunnel which a message says how to open.

    With another local port, where the node's own may be taken.
    """
    found = re.search(r"run (ssh -N -L )\d+(:.*), then cleos -u http://127\.0\.0\.1:\d+", said)
    assert found, said
    port = free_port()
    cleos = [*bundled.fetch().command("cleos"), "-u", f"http://127.0.0.1:{port}", "get", "info"]

    def answers() -> str:
        return subprocess.run(cleos, capture_output=True, text=True, timeout=30, check=False).stdout

    with subprocess.Popen(["bash", "-c", f"exec {found[1]}{port}{found[2]}"], stdin=subprocess.DEVNULL) as tunnel:
        try:
            until(answers, "the node's answer through the tunnel", 30)
            return str(json.loads(answers())["chain_id"])
        finally:
            tunnel.terminate()
