"""Where nodes were placed. A producer's keys are on its host, so its node stays there even if the inventory changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path

from coordinator.state.folder import StateFolder
from inventory import syntax
from inventory.network import Network, Node
from inventory.placed import Placed
from support.journal import Journal, JournalError

_SCHEMA = (
    """CREATE TABLE placed (
        node TEXT PRIMARY KEY, host TEXT NOT NULL, account TEXT NOT NULL,
        p2p_port INTEGER NOT NULL, http_port INTEGER NOT NULL
    ) STRICT""",
    "ALTER TABLE placed ADD COLUMN retired INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE moved (node TEXT PRIMARY KEY, host TEXT NOT NULL) STRICT",
    "CREATE TABLE keeper (account TEXT PRIMARY KEY, host TEXT NOT NULL) STRICT",
)


class Placements:
    """The table in the coordinator's journal."""

    def __init__(self, journal: Journal) -> None:
        """Creates it if there is none. Raises JournalError."""
        self._journal = journal
        journal.part("placed", _SCHEMA)

    def all(self) -> dict[str, Placed]:
        """All placements, by the node's name."""
        rows = self._journal.rows("SELECT node, host, account, p2p_port, http_port, retired FROM placed")
        return {row[0]: Placed(row[1], row[2], row[3], row[4], bool(row[5])) for row in rows}

    def remember(self, network: Network) -> None:
        """Records the placement of the operator's nodes. A node that is no longer in the network stays recorded."""
        with self._journal.transaction():
            for node in self._changed(network.nodes):
                self._journal.write(
                    "INSERT OR REPLACE INTO placed (node, host, account, p2p_port, http_port) VALUES (?, ?, ?, ?, ?)",
                    node.name, node.host, node.account or "", node.p2p_port, node.http_port,
                )  # fmt: skip

    def retire(self, account: str, *, retired: bool = True) -> None:
        """Records that a producer is retired, so that it gets no node, or that it is back in service."""
        self._journal.write("UPDATE placed SET retired = ? WHERE account = ?", int(retired), account)

    def move(self, node: Node, before: str) -> None:
        """Records a node's new host and ports, and the host that it leaves, which may still sign until it is `left`."""
        with self._journal.transaction():
            self._journal.write("INSERT OR REPLACE INTO moved VALUES (?, ?)", node.name, before)
            self._journal.write("INSERT OR IGNORE INTO keeper VALUES (?, ?)", node.account or "", before)
            self._journal.write(
                "UPDATE placed SET host = ?, p2p_port = ?, http_port = ? WHERE node = ?",
                node.host, node.p2p_port, node.http_port, node.name,
            )  # fmt: skip

    def carried(self, account: str, host: str) -> None:
        """Records that a moved producer's account key was carried over to this host."""
        self._journal.write("UPDATE keeper SET host = ? WHERE account = ?", host, account)

    def keepers(self) -> dict[str, str]:
        """Of producers that were moved: the host that keeps the account's key, until it is carried over."""
        return dict(self._journal.rows("SELECT account, host FROM keeper ORDER BY account"))

    def leaving(self, node: str) -> str:
        """The host that a node is leaving; empty if it is not being moved."""
        row = self._journal.row("SELECT host FROM moved WHERE node = ?", node)
        return str(row[0]) if row else ""

    def left(self, node: str) -> None:
        """Records that the node no longer needs anything on its earlier host."""
        self._journal.write("DELETE FROM moved WHERE node = ?", node)

    def forget(self, node: str) -> None:
        """Removes the record of a node that was removed from its host."""
        self._journal.write("DELETE FROM placed WHERE node = ?", node)

    def _changed(self, nodes: Iterable[Node]) -> list[Node]:
        known = self.all()
        return [node for node in nodes if not node.party and known.get(node.name) != Placed.of(node)]


def placements_of(root: Path, network: str) -> Mapping[str, Placed]:
    """Where the nodes of a sealed network are, by name; empty if nothing is known here."""
    if not syntax.network_name(network) and StateFolder.exists(root, network):
        with closing(StateFolder(root, network)) as state, suppress(JournalError):
            return Placements(state.journal).all()
    return {}  # a command that needs the unreadable journal reports it
