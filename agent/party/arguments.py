"""The command line of `agent` for parties."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_arguments(serve: argparse.ArgumentParser) -> None:
    """The options of `agent serve` for parties."""
    group = serve.add_argument_group(
        "for a party",
        "A party runs a host of its own in somebody else's network; docs/joining.md has more.",
    )
    group.add_argument(
        "--join",
        metavar="TOKEN",
        help="the invitation's token, good once: its text, @FILE, or - for stdin",
    )
    group.add_argument(
        "--config", type=Path, metavar="FILE", help="a TOML file with any of these options, [policy] and [options]"
    )
    group.add_argument("--account", help="the producer account, as in the invitation")
    group.add_argument("--p2p", metavar="HOST:PORT", help="the p2p endpoint at which other nodes reach this one")
    group.add_argument(
        "--p2p-listen", metavar="HOST:PORT", help="where nodeos listens; by default the port of --p2p on all addresses"
    )
    group.add_argument(
        "--peers",
        choices=("public", "private", "loopback"),
        help="which addresses the node may dial: public ones (by default), those of private networks, this machine's",
    )
    group.add_argument(
        "--http-port", type=int, metavar="N", help="port of nodeos' HTTP API, on loopback only; by default a free one"
    )
    group.add_argument(
        "--nodeos", metavar="PATH", help="your own nodeos; by default the one that this release pins, from PyPI"
    )
    group.add_argument(
        "--snapshot",
        choices=("auto", "always", "never"),
        help="whether the node may begin with a snapshot that those of --snapshot-trust have signed; by default auto",
    )
    group.add_argument(
        "--snapshot-trust",
        action="append",
        metavar="ACCOUNT=EOS...",
        help="another party whose signature counts for that, with its key; once for each",
    )
    group.add_argument(
        "--snapshot-quorum", type=int, metavar="N", help="so many of them must have signed the same; by default 2"
    )
    group.add_argument("--manifest", metavar="HASH", help="accept only the network with this manifest")
    key = "file with the private key, or with --keosd a public key. By default the agent makes a key"
    group.add_argument("--producer-key", metavar="FILE|EOS...", help=f"the block-signing key: {key}")
    group.add_argument("--account-key", metavar="FILE|EOS...", help=f"the account's key: {key}")
    group.add_argument(
        "--keosd",
        metavar="ADDRESS",
        help="a keosd of this machine that has the keys: its socket or loopback URL",
    )
    group.add_argument("--url", help="your web page, registered with the producer")
    group.add_argument("--location", type=int, metavar="N", help="a number of your choice, registered as well")
    group.add_argument("--unit", action="store_true", help="print a systemd unit for the agent, and do nothing else")


def add_commands(commands: Any) -> None:
    """The commands for a running agent."""

    def command(name: str, text: str, example: str = "", *, asks: bool = False) -> argparse.ArgumentParser:
        typed = f"agent {name} --data DIR {example}".rstrip()
        sub: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, epilog=typed)
        sub.add_argument("--data", type=Path, required=True, metavar="DIR", help="the party's data folder")
        if not asks:
            sub.add_argument("--json", action="store_true", help="print one JSON document, and nothing else, on stdout")
        return sub

    def of_proposal(name: str, text: str, *, asks: bool = False) -> argparse.ArgumentParser:
        sub = command(name, text, "eosio/canary", asks=asks)
        sub.add_argument("proposal", metavar="PROPOSER/NAME", help="as `agent proposals` shows it")
        return sub

    leave = command("leave", "Unregisters the party's producer, then stops node and agent.")
    leave.add_argument("--force", action="store_true", help="leave even if the producer cannot be unregistered")
    rotate = command(
        "rotate",
        "Gives the party's producer another block-signing key: makes it, registers it, and removes the old one once "
        "the active schedule has the new one, irreversibly. The node is restarted twice, each time right after its own "
        "turn. If it was interrupted, run it again to continue.",
    )
    rotate.add_argument(
        "--producer-key", metavar="EOS...", help="with --keosd: the new key, which is in its open wallet already"
    )
    command("proposals", "Shows the eosio.msig proposals that wait for this party's approval.")
    approve = of_proposal("approve", "Shows an eosio.msig proposal and, after a yes, approves it.", asks=True)
    approve.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    of_proposal("unapprove", "Withdraws the party's approval of an eosio.msig proposal.")
    text = "Votes for these producers with the party's own stake, and for no others."
    vote = command("vote", text, "bob111111111 carol1111111")
    vote.add_argument("producers", nargs="+", metavar="PRODUCER", help="accounts of producers, at most 30")
    command("claim", "Claims the party's rewards as a producer.")


def wanted(arguments: argparse.Namespace) -> bool:
    """Whether `agent serve` was given a party's options."""
    return bool(arguments.join or arguments.config or arguments.account or arguments.unit)
