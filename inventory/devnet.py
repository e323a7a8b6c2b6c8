"""The inventory of `coord devnet`: one node, which signs as eosio, and a few accounts with keys at hand."""

from __future__ import annotations

from dataclasses import dataclass

FILE = "devnet.toml"
"""Its file in the network's state folder."""
NAME = "dev"
HTTP_PORT = 8888
"""The port that cleos, eosjs and others use by default."""
P2P_PORT = 9876
SYMBOL = "4,SYS"
ACCOUNTS = 3

_TEXT = """\
# A chain on this machine whose only producer is eosio. `coord devnet` wrote this file and reads it again; changes to it
# take effect with the next `coord devnet --forget`. Commands accept the devnet's name instead of this file:
#
#     coord env {name}        URL, chain id and key files, for programs
#     coord keys {name} --private
#     coord cleos {name} -- get info
#     coord down {name}

[network]
name = "{name}"

[token]
symbol = "{symbol}"

[users]
count = {accounts}                                 # useraaaaaaaa, useraaaaaaab, ...: yours to use, beside eosio

[stake]                                   # enough for contracts, about ten times the size of their code
ram = "1000{zeros} {code}"
liquid = "100000{zeros} {code}"

[producers]                               # eosio stays the only one, and never resigns
count = 0
elected = 0

[nodeos.options]
access-control-allow-origin = "*"         # pages of any origin may ask this node
access-control-allow-headers = "*"
contracts-console = true                  # what contracts print is in the traces of their transactions
verbose-http-errors = true

[[nodes]]
role = "genesis"
p2p_port = {p2p_port}
http_port = {http_port}
"""


@dataclass(frozen=True)
class Devnet:
    """The settings of a devnet. None: the default, or the value that the devnet has already."""

    name: str = NAME
    http_port: int | None = None
    p2p_port: int | None = None
    symbol: str | None = None
    """Decimals and name of the core token, as in "4,SYS"."""
    accounts: int | None = None
    """How many users there are beside eosio."""

    @property
    def says_nothing(self) -> bool:
        """Whether nothing but the name is set."""
        return (self.http_port, self.p2p_port, self.symbol, self.accounts) == (None, None, None, None)

    def text(self) -> str:
        """The whole inventory."""
        symbol = self.symbol or SYMBOL
        decimals, _, code = symbol.partition(",")
        zeros = "0" * min(int(decimals), 18) if decimals.isdecimal() else ""
        point = "." if zeros else ""
        return _TEXT.format(
            name=self.name, symbol=symbol, zeros=point + zeros, code=code,
            accounts=ACCOUNTS if self.accounts is None else self.accounts,
            p2p_port=self.p2p_port or P2P_PORT, http_port=self.http_port or HTTP_PORT,
        )  # fmt: skip
