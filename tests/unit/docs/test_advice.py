"""What messages advise is tried: each command and each thing to do with a file that a message names has a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from docs.messages import advice

ROOT = Path(__file__).parents[3]
UNTRIED: Mapping[str, str] = {
    "agent/nodeos: … is not the bundled nodeos that this release pins: remove it, it is fetched again": "a download",
    "support: … has sha256 …, this release pins …: remove it and try again": "a download",
    "agent/nodes: node … does not answer … s after its start: see its log": "the log is all there is to see",
    "agent/party: account … exists with other keys than this agent's: give it this key (cleos set account permission "
    "… active …), if it is yours": "cleos' own command, with the account's old key",
    "agent/party/control.py: agent serve": "every test of parties starts it so",
    "agent/serve.py: agent serve": "every test of parties starts it so, a new journal too",
    "coordinator/engine/chain_work.py: coord plan --cleos": "a comment in boot.log; the runbook's test types it",
    "coordinator/hosts/deploy: … refuses another session (…): raise MaxSessions of its sshd to at least 1": (
        "sshd's own setting"
    ),
    "coordinator/hosts/preflight/checks.py: coord boot": "after a reboot, on a host without systemd",
    "coordinator/workflows: the HTTP API of … can be reached on host … only: run ssh -N -L …:127.0.0.1:… …, then "
    "cleos -u …": "ssh's own command",
    "coordinator/workflows/producers.py: coord boot": "needs a chain from which eosio has not resigned yet",
    "coordinator/workflows/producers.py: coord producer add ACCOUNT --standby": "needs a chain that elects producers",
    "coordinator/workflows/producers.py: coord producer add …": "needs a chain that elects its producers",
    "coordinator/workflows/producers.py: coord status": "needs more producers than the 21 that sign",
    "coordinator/workflows/unchanged.py: coord producer add ACCOUNT": "needs a chain that elects its producers",
    "coordinator/workflows/rekeying.py: coord node start …": "needs a chain that elects its producers",
    "coordinator/workflows/snapshots.py: coord snapshot take": "needs a node that writes snapshots",
    "coordinator/workflows/foresee.py: coord preflight": "what preflight checks has its own tests",
    "coordinator/agents/records.py: coord adopt": "the same words come from the state folder first",
    "coordinator/cli/devnet.py: coord cleos -- get info": "an example",
    "coordinator/cli/devnet.py: coord down …": "an example",
    "coordinator/cli/devnet.py: coord env": "an example",
    "coordinator/cli/devnet.py: coord keys --private": "an example",
    "coordinator/cli/host.py: coord boot": "what comes after a replaced host",
    "coordinator/cli/passphrase.py: coord …": "the command that was typed, with another option",
    "coordinator/cli/restore.py: coord boot": "needs a backup of a network that lives",
    "coordinator/cli/restore.py: coord host replace HOST": "needs a backup of a network that lives",
    "coordinator/cli/restore.py: coord parties": "needs a backup of a network that lives",
    "coordinator/workflows: … holds a state of …, and is not overwritten: restore into another folder (--state DIR), "
    "or move it away": "needs a backup of a network that lives",
    "coordinator/workflows/backup.py: coord boot": "needs a backup of a network that lives",
    "coordinator/workflows/changes.py: coord node move … --to …": "needs a chain that elects its producers",
    "coordinator/workflows/replacing.py: coord boot": "needs a host to replace",
    "coordinator/workflows/replacing.py: coord down --only …": "needs a host to replace",
    "coordinator/workflows/replacing.py: coord status": "needs a host to replace",
}
"""Advice that no test follows, and why not."""


def _marked(path: Path) -> Iterator[str]:
    """What a file's tests say that they try: `@pytest.mark.advice("FILE: WORDS", …)`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.advice":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))  # type: ignore[misc]


def test_all_advice_is_tried() -> None:
    """A new message that names a command needs a test that provokes it, does what it says, and sees that it helped."""
    given = {str(one) for one in advice()}
    tried = {site for path in (ROOT / "tests").rglob("test_*.py") for site in _marked(path)}
    assert sorted(given - tried - set(UNTRIED)) == []
    assert sorted((tried | set(UNTRIED)) - given) == []
    assert sorted(tried & set(UNTRIED)) == []
