"""Builders of the actions of system, token and msig contracts; by default authorised by the actor's active
permission."""

from antelope.actions.msig import approve, cancel, exec, propose, unapprove  # noqa: A004 - the chain's name
from antelope.actions.native import newaccount, setabi, setcode, updateauth
from antelope.actions.system import (
    activate,
    buyram,
    buyrambytes,
    claimrewards,
    delegatebw,
    init,
    regproducer,
    regproxy,
    setparams,
    setpriv,
    undelegatebw,
    unregprod,
    voteproducer,
)
from antelope.actions.token import create, issue, open, transfer  # noqa: A004 - the chain's name

__all__ = [
    "activate",
    "approve",
    "buyram",
    "buyrambytes",
    "cancel",
    "claimrewards",
    "create",
    "delegatebw",
    "exec",
    "init",
    "issue",
    "newaccount",
    "open",
    "propose",
    "regproducer",
    "regproxy",
    "setabi",
    "setcode",
    "setparams",
    "setpriv",
    "transfer",
    "unapprove",
    "undelegatebw",
    "unregprod",
    "updateauth",
    "voteproducer",
]
