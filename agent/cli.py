"""The command line of `agent`: the daemon on every host, and the commands that set it up."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from agent.exits import FAILED
from agent.party import arguments as party

KEOSD = "~/eosio-wallet/keosd.sock"
"""Where keosd listens by default."""
EXAMPLES = """\
`coord boot` installs the agents of an inventory's hosts: there is nothing to type there. A party that was invited
into somebody else's network runs (docs/joining.md):

  agent serve --join @token --account alice1111111 --p2p p2p.alice.example:9876
  agent proposals --data DIR              what waits for its approval
  agent approve --data DIR PROPOSER/NAME  shows it, and asks
  agent claim --data DIR                  its rewards
  agent rotate --data DIR                 another block-signing key
  agent leave --data DIR                  ends it
  agent COMMAND --help                    all that a command takes

Exit status: 0 done; 1 failed; 2 the input or usage is wrong; 3 this agent's access was ended.
"""


_MISTYPED = re.compile(r"invalid choice: '([^']+)'|unrecognized arguments: (--\S+)")
"""What argparse says of a command or an option that it does not know."""


class _Parser(argparse.ArgumentParser):
    """Answers a mistyped command or option with the one that was probably meant."""

    _typed: frozenset[str] = frozenset()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Keeps the words, which say whose options may be meant."""
        self._typed = frozenset(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Ends with status 2."""
        from difflib import get_close_matches  # of no use to an agent that runs

        found = _MISTYPED.search(message)
        close = get_close_matches(found[1] or found[2], self._words(), n=1) if found else []
        super().error(f"{message}; did you mean {close[0]}?" if close else message)

    def _words(self) -> Iterator[str]:
        """All commands, and the options of the one that was typed."""
        for action in self._actions:
            yield from action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                yield from action.choices
                for name in self._typed & action.choices.keys():
                    yield from action.choices[name]._option_string_actions


def main() -> int:
    """Returns the exit status. An error is one line on stderr."""
    try:
        arguments = parser().parse_args()
        from agent.commands import run  # not at the top: it takes a second, and --help and Ctrl-C should be quick

        return run(arguments)
    except KeyboardInterrupt:
        return FAILED


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    whole = _Parser(
        prog="agent",
        description="The bootcoord agent: runs a host's nodes, keeps their keys, and signs what was sealed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"agent {version('bootcoord')}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", dest="command")

    def command(name: str, text: str, example: str, needs_data: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, epilog=f"agent {name} {example}")
        sub.add_argument("--data", type=Path, required=needs_data, metavar="DIR", help="the agent's own folder")
        return sub

    text = "Runs the agent. SIGTERM ends it; its nodes keep running."
    example = "--join @token --account alice1111111 --p2p p2p.alice.example:9876"
    serve = command("serve", text, example, needs_data=False)
    serve.add_argument(
        "--metrics", metavar="HOST:PORT", default="", help="export values for Prometheus there, at /metrics"
    )
    serve.add_argument("--log", choices=("text", "json"), default="text", help="the form of its log (%(default)s)")
    party.add_arguments(serve)
    example = "--data DIR --network mynet --name h1 --coordinator 10.0.0.1:7000"
    enrol = command("enrol", "Makes the agent's key, and prints a request for its certificate.", example)
    enrol.add_argument("--network", required=True, help="the network's name in the inventory")
    enrol.add_argument("--name", required=True, help="the host's name in the inventory")
    enrol.add_argument("--coordinator", required=True, metavar="HOST:PORT", help="where `coord` listens")
    enrol.add_argument("--remote", action="store_true", help="this is not the operator's own machine")
    text = "Reads the signed certificate and the CA's (PEM) from stdin, and keeps them."
    command("admit", text, "--data DIR < certificates.pem")
    command("down", "Stops the agent and its nodes. Their data is kept.", "--data DIR")
    text = "For `coord devnet`: boots a chain that eosio signs alone, and speaks in lines of JSON."
    solo = command("solo", text, "--data DIR --inventory dev.toml")
    solo.add_argument("--inventory", type=Path, required=True, metavar="FILE", help="of a network without producers")
    solo.add_argument("--coordinator", default="127.0.0.1:0", metavar="HOST:PORT", help="where `coord` listens")
    solo.add_argument("--resume", action="store_true", help="only starts the node again")
    solo.add_argument("--again", metavar="MANIFEST", help="boots this sealed network once more, from its first block")
    text = "Prints all keys of this host, encrypted with age to its operator's key."
    backup = command("keys-backup", text, "--data DIR --recipient age1… > keys.age")
    backup.add_argument(
        "--recipient", action="append", required=True, metavar="age1…", help="who can decrypt it; may be repeated"
    )
    text = "Reads a decrypted backup of this host's keys from stdin, and keeps them."
    command("keys-restore", text, "--data DIR < keys.json")
    text = "Unlocks this network's wallet in a keosd, and imports keys of this host into it."
    wallet = command("wallet", text, "--data DIR alice1111111")
    wallet.add_argument("account", nargs="*", help="accounts whose keys are imported; none: it is unlocked only")
    wallet.add_argument("--keosd", default=KEOSD, help="its socket, or http://127.0.0.1:PORT (%(default)s)")
    wallet.add_argument("--wallet", metavar="NAME", help="made where it is missing (bootcoord-NETWORK)")
    party.add_commands(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
