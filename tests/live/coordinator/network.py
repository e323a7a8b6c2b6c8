"""A small network of real nodes as a user has it: an inventory, a state folder, and the `coord` command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import bundled
from support.processes import Process
from tests.ports import free_port

COORD = Path(sys.executable).with_name("coord")
TWO_HOSTS = '[[hosts]]\nname = "local"\nlocal = true\n\n[[hosts]]\nname = "other"\nlocal = true'
SECONDS = 150.0
"""What a command may take on a busy machine."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        """Its whole output."""
        return self.out + self.err


class Running:
    """A running command in its own process group, as a shell starts it."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str], umask: int) -> None:
        self._began = time.monotonic()
        self._said: list[str] = []
        self._over = False
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, umask=umask,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._news:
                self._said.append(line)
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    @property
    def text(self) -> str:
        """Its output so far."""
        return "".join(self._said)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def await_text(self, text: str, seconds: float = SECONDS) -> None:
        """Waits until it has printed that. Fails if it ends before, or after this many seconds."""
        self.await_match(re.escape(text), seconds)

    def await_match(self, pattern: str, seconds: float = SECONDS) -> None:
        """The same for a regular expression, in which ^ and $ match at lines."""
        wanted = re.compile(pattern, re.MULTILINE)
        with self._news:
            self._news.wait_for(lambda: wanted.search(self.text) or self._over, seconds)
        assert wanted.search(self.text), f"never said {pattern!r}:\n{self.text}"

    def interrupt(self) -> None:
        """Sends Ctrl-C: SIGINT to the whole foreground group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        """kill -9 of coord alone."""
        self._process.kill()

    def wait(self, seconds: float = SECONDS) -> Done:
        """Waits for its end."""
        status = self._process.wait(seconds)
        self._reader.join(seconds)
        return Done(status, self.text, "", time.monotonic() - self._began)


@dataclass
class Network:
    """One network of a test."""

    folder: Path
    name: str
    umask: int = 0o022
    ports: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Node → p2p port, HTTP port."""
    _started: list[Running] = field(default_factory=list)

    @property
    def inventory(self) -> Path:
        """Its TOML file."""
        return self.folder / f"{self.name}.toml"

    @property
    def state(self) -> Path:
        """The network's folder in coord's state folder."""
        return self.folder / ".coord" / self.name

    @property
    def data(self) -> Path:
        """The data folder of this machine's agent."""
        return self.state / "hosts" / "local"

    def write(self, text: str = "", *, users: str = "count = 20", producers: int = 2, elected: int = 1) -> None:
        """Writes an inventory: nodes on free ports, and what text adds to it. users: the lines of that table."""
        accounts = [None, *(f"defproducer{chr(97 + number)}" for number in range(producers))]
        lines = [f'[network]\nname = "{self.name}"', f"[users]\n{users}"]
        lines += [f"[producers]\ncount = {producers}\nelected = {elected}", text]
        for account in accounts:
            ports = self.ports.setdefault(account or "genesis", (free_port(), free_port()))
            who = f'account = "{account}"' if account else 'role = "genesis"'
            lines.append(f"[[nodes]]\n{who}\np2p_port = {ports[0]}\nhttp_port = {ports[1]}")
        self.inventory.write_text("\n\n".join(lines) + "\n")

    def replace(self, old: str, new: str) -> None:
        """Edits the inventory."""
        text = self.inventory.read_text()
        assert old in text
        self.inventory.write_text(text.replace(old, new))

    def coord(self, command: str, *options: str, seconds: float = SECONDS, stdin: str = "") -> Done:
        """Types `coord COMMAND INVENTORY OPTIONS`, in the inventory's folder."""
        return self.type(command, self.inventory.name, *options, seconds=seconds, stdin=stdin)

    def type(self, *words: str, seconds: float = SECONDS, stdin: str = "") -> Done:
        """Types `coord WORDS`, in the inventory's folder."""
        began = time.monotonic()
        done = subprocess.run(
            [str(COORD), *words], cwd=self.folder, env=self._environment(), capture_output=True, text=True,
            timeout=seconds, check=False, input=stdin, umask=self.umask,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        assert "internal error" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def typed(self, line: str, seconds: float = SECONDS) -> Done:
        """Types a line that coord printed, in the inventory's folder."""
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self._environment(), capture_output=True, text=True,
            timeout=seconds, check=False, umask=self.umask,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def start(self, command: str, *options: str) -> Running:
        """The same, without waiting for its end."""
        return self.start_typed(command, self.inventory.name, *options)

    def start_typed(self, *words: str) -> Running:
        """Types `coord WORDS`, without waiting for its end."""
        self._started.append(Running([str(COORD), *words], self.folder, self._environment(), self.umask))
        return self._started[-1]

    def document(self, command: str) -> Any:
        """`coord COMMAND --json`, whatever its status."""
        return json.loads(self.coord(command, "--json").out)

    def boot(self, *options: str) -> Done:
        """Runs a boot that must succeed."""
        done = self.coord("boot", *options)
        assert done.status == 0, done.text
        return done

    def accounts(self) -> dict[str, str]:
        """Private keys (WIF) of users and producers, from the file that the summary names."""
        document = json.loads((self.data / "keys" / "accounts.json").read_text())
        return {entry["name"]: entry["pvt"] for part in ("users", "producers") for entry in document[part]}

    def http(self, node: str) -> str:
        """A node's API."""
        return f"http://127.0.0.1:{self.ports[node][1]}"

    def cleos(self, *arguments: str, node: str = "genesis") -> Any:
        """The JSON that cleos prints, without any code of bootcoord. The bundled cleos may crash when it ends."""
        command = [*bundled.fetch().command("cleos"), "-u", self.http(node), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def processes(self) -> dict[str, Process]:
        """Agent and nodes on record: name → process, alive or not."""
        paths = [self.data / "agent.json", *self.data.glob("nodes/*/process.json")]
        found = {"agent" if path.name == "agent.json" else path.parent.name: Process.read(path) for path in paths}
        return {name: process for name, process in found.items() if process}

    def living(self) -> list[str]:
        """Command lines of all processes that have this network's folder in them."""
        return [line for line in _command_lines() if str(self.state) in line]

    def down(self) -> None:
        """Ends everything, whatever state it is in, and checks that nothing is left."""
        for running in self._started:
            running.kill()
            running.wait()
        if not self.state.exists():
            return
        done = self.coord("down", "--purge", "--yes")
        assert done.status == 0, done.text
        assert not self.living()

    def _environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "120"}


MakeNetwork = Callable[[str], Network]


@contextmanager
def networks_below(folder: Path) -> Iterator[MakeNetwork]:
    """Networks by name, in this folder; they end with the block."""
    made: list[Network] = []

    def make(name: str) -> Network:
        made.append(Network(folder, name))
        return made[-1]

    yield make
    for network in made:
        network.down()


def _command_lines() -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
