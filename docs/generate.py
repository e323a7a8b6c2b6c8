"""`python -m docs.generate` writes the pages that are made from the code; `--check` says which are stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from docs import reference, rooms
from docs.advice import ADVICE, INTRODUCTION
from docs.messages import Message, messages

PAGE = Path(__file__).with_name("troubleshooting.md")
GROUPS = (
    ("Mistakes in an inventory", "They come all at once, each with its place in the file; exit status 2.",
     ("inventory",)),
    ("The command line, `coord`, and the Python package", "",
     ("bootcoord", "coordinator", "coordinator/cli", "coordinator/workflows", "coordinator/workflows/opening",
      "coordinator/workflows/starting", "coordinator/workflows/changing", "coordinator/workflows/watching",
      "coordinator/workflows/using", "coordinator/workflows/recovering", "coordinator/workflows/serving",
      "coordinator/engine", "coordinator/report", "coordinator/report/launch", "coordinator/state", "coordinator/web",
      "boot", "boot/audit")),
    ("Hosts, SSH and installation", "A host's own words follow the message.",
     ("coordinator/hosts", "coordinator/hosts/deploy", "coordinator/hosts/deploy/onhost",
      "coordinator/hosts/preflight")),
    ("Nodes", "Reported by the host's agent; `coord logs INVENTORY NODE` has nodeos' own log.",
     ("agent/nodes", "agent/nodeos")),
    ("Keys, wallets and pushes", "", ("agent/keys", "agent/pushes")),
    ("Parties: what a party's agent says", "", ("agent/party", "agent")),
    ("Parties: what a coordinator answers", "", ("coordinator/parties", "coordinator/agents")),
    ("What an agent refuses to do", "Each is a task of a coordinator that does not follow from the sealed network.",
     ("agent/duties",)),
    ("Files, certificates and the bundled nodeos", "", ("support",)),
    ("The protocol: keys, names, assets, ABIs, transactions", "", ("antelope", "antelope/actions")),
)  # fmt: skip
"""Heading, a line about all of them, and the folders whose messages are below it."""


def page(found: Iterable[Message]) -> str:
    """The whole page."""
    return "\n".join(_lines(tuple(found))) + "\n"


def _lines(found: tuple[Message, ...]) -> Iterator[str]:
    yield INTRODUCTION.rstrip()
    placed = {module for _, _, modules in GROUPS for module in modules}
    if missing := sorted({message.module for message in found} - placed):
        raise ValueError(f"docs/generate.py: no group has the messages of {', '.join(missing)}")
    for heading, about, modules in GROUPS:
        yield f"\n## {heading}\n"
        if about:
            yield f"{about}\n"
        for message in dict.fromkeys((one.text, one.hint) for one in found if one.module in modules):
            yield from _entry(*message)


def _entry(text: str, hint: str) -> Iterator[str]:
    yield f"- `{_quoted(text)}`{f': {hint}' if hint.strip('…') else ''}"
    if text in ADVICE:
        yield f"  {ADVICE[text]}"


def _quoted(text: str) -> str:
    return text.replace("`", "'")


def pages() -> Mapping[str, Callable[[], str]]:
    """The functions that make the pages which are generated from the code, by page name."""
    return {
        PAGE.name: lambda: page(messages()),
        "reference-coord.md": reference.coord_page,
        "reference-agent.md": reference.agent_page,
        "reference-python.md": reference.python_page,
        "rooms.svg": rooms.picture,
    }


def main() -> int:
    """Returns the exit status."""
    stale = 0
    for name, make in pages().items():
        path, wanted = PAGE.with_name(name), make()
        if "--check" not in sys.argv[1:]:
            path.write_text(wanted, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != wanted:
            sys.stderr.write(f"docs/{name} is not what the code says: run make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
