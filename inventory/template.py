"""Inventories to start with: those that come with bootcoord, and a commented one made from a few answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

SHIPPED = ("devnet", "tutorial", "testnet")
"""The inventories that work unchanged. They are beside this file."""
MOST_ELECTED = 21
"""Places in the system contract's schedule."""
VOTERS = 10


def shipped(name: str, path: str, network: str | None = None) -> str:
    """The text of one of SHIPPED, to be written to path. network: another name for the network."""
    text = files("inventory").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    text = text.replace(f"inventory/{name}.toml", path)
    return text.replace(f'name = "{name}"', f'name = "{network}"', 1) if network else text


@dataclass(frozen=True)
class Draft:
    """The input for a new inventory. The values are checked when the inventory is loaded."""

    name: str
    producers: int = 4
    symbol: str = "4,SYS"
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Name → address of hosts that are reached over SSH; none: all nodes run on this machine."""

    def text(self, path: str) -> str:
        """The whole inventory, to be written to path."""
        sections = (self._head(path), self._chain(), self._hosts(), self._parties())
        return "\n".join(line for section in sections for line in section)

    def _head(self, path: str) -> Iterator[str]:
        where = f"{len(self.hosts)} hosts that are reached over SSH" if self.hosts else "this machine"
        yield f"# A network on {where}: a genesis node and {self.producers} producers."
        yield "#"
        if self.hosts:
            yield f"#     coord preflight {path}     looks at the hosts and changes nothing"
        yield f"#     coord plan {path}          what a boot would do, and whether it can work"
        yield f"#     coord boot {path}          do it, or continue where it stopped"
        yield "#"
        yield "# Every key that is left out has a default. Lines behind a # show some; docs/inventory.md has them all."
        yield ""
        yield "[network]"
        yield f"name = {_quoted(self.name)}"
        yield ""

    def _chain(self) -> Iterator[str]:
        elected = min(self.producers, MOST_ELECTED)
        yield "[token]"
        yield f"symbol = {_quoted(self.symbol):<33}# decimals and name of the core token"
        yield ""
        yield "[users]"
        yield "count = 100                               # useraaaaaaaa, useraaaaaaab, …"
        yield "seed = 1                                  # the same seed draws the same balances"
        yield '# csv = "users.csv"                       # or accounts of your own: account, public key, balance'
        yield ""
        yield "[producers]"
        yield f"count = {self.producers:<34}# defproducera, defproducerb, …; each gets a node"
        yield f"elected = {elected:<32}# the first of them get the votes; fewer than a third of these may fail"
        yield ""
        yield "[votes]"
        yield f"voters = {VOTERS:<33}# the richest users vote for every producer to be elected"
        yield ""
        yield "[nodeos]"
        yield 'path = "bundled"                          # or your own, as in "/usr/bin/nodeos"'
        yield "# options.max-clients = 50                # options of every node; docs/inventory.md has the list"
        yield ""

    def _hosts(self) -> Iterator[str]:
        if not self.hosts:
            return
        yield "[ssh]                                     # how every host is reached; ssh-agent and ~/.ssh count"
        yield 'user = "root"'
        yield '# sudo = "passwordless"                   # for a user other than root'
        yield '# key = "~/.ssh/id_ed25519"'
        yield ""
        for name, address in self.hosts.items():
            yield "[[hosts]]"
            yield f"name = {_quoted(name)}"
            yield f"address = {_quoted(address)}"
            yield ""
        yield "# [coordinator]"
        yield '# listen = "0.0.0.0:7000"                 # where agents dial in; a free port otherwise'
        yield '# advertise = "operator.example.org"      # the name that they dial, if not this machine\'s own address'
        yield ""

    def _parties(self) -> Iterator[str]:
        yield "[parties]                                 # who joins later, with hosts of their own: coord invite"
        yield 'sponsor = "sponsor"                       # pays for their accounts; cannot be added after the boot'
        yield "limit = 21                                # how many accounts it pays for"
        yield ""


def _quoted(text: str) -> str:
    """As a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
