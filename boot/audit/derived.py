"""Derives every action of the boot from the sealed network, independently of the boot's steps.

The allocation's rows are handled separately (`boot.audit.rows`): there may be a million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from antelope import actions
from antelope.abi import Abi
from antelope.asset import Asset
from antelope.authority import Authority
from antelope.keys import PublicKey
from antelope.names import pack_name
from antelope.transaction import Action, PermissionLevel, Transaction
from boot.audit.genesis import packed_limits
from boot.blueprint import Blueprint
from inventory.sealed import SealedContract

RAISED, RESTORED = "raise of blocks' limits", "restoring of blocks' limits"
TEN_YEARS = 3650 * 86_400
"""Seconds after the genesis until which the canary's proposal is valid."""


class Stage(IntEnum):
    """The stages of a boot. Up to the accounts, each is complete before the next begins, except that the system
    contract is deployed while the token is created and issued.
    """

    BOOT_CONTRACT = 0
    FEATURES = 1
    SYSTEM_ACCOUNTS = 2
    CONTRACTS = 3
    TOKEN = 4
    ISSUE = 5
    SYSTEM_CONTRACT = 6
    INIT = 7
    ACCOUNTS = 8
    PRIVILEGES = 9
    ELECTION = 10
    CANARY = 11
    RESIGNATION = 12


@dataclass(frozen=True)
class Planned:
    """An action of the boot."""

    label: str
    """For a person."""
    stage: Stage
    needed: bool = True
    """Whether it must have happened."""
    once: bool = False
    """Whether a repetition would change something."""
    ordered: bool = True
    """Whether its place in the order matters. It does not for an ABI, which two contracts may share and which changes
    nothing on the chain.
    """


Key = bytes
"""Contract, name and data of an action."""


def key_of(action: Action) -> Key:
    """The key of an action: everything but its authorisation, which the contract checks."""
    return pack_name(action.account) + pack_name(action.name) + action.data


def registration_key(account: str, signing: PublicKey) -> Key:
    """The part of a registration that is compared. A producer may choose and change its url and location."""
    return pack_name("eosio") + pack_name("regproducer") + pack_name(account) + signing.pack()


def derive(blueprint: Blueprint) -> dict[Key, Planned]:
    """Every action of the boot except the allocation's and the registrations."""
    made = {}
    for stage, action, label, more in _actions(blueprint):
        made[key_of(action)] = Planned(label, stage, **more)
    return made


def registrations(blueprint: Blueprint) -> dict[Key, Planned]:
    """How each producer's registration begins."""
    return {
        registration_key(one.account, PublicKey.parse(one.signing_key)): Planned(
            f"registration of {one.account} with its sealed key", Stage.ELECTION
        )
        for one in blueprint.sealed.producers
    }


_Derived = tuple[Stage, Action, str, dict[str, bool]]


def _actions(blueprint: Blueprint) -> Iterator[_Derived]:
    sealed, symbol = blueprint.sealed, blueprint.symbol
    once = {"once": True}
    yield from _deployed(blueprint, sealed.boot_contract, Stage.BOOT_CONTRACT, "the boot contract")
    for feature in sealed.features[1:]:
        yield Stage.FEATURES, actions.activate(feature.digest), f"activation of {feature.name}", {}
    own = Authority.key(PublicKey.parse(sealed.eosio_key))
    for name in governed(blueprint):
        made = actions.newaccount("eosio", name, own, own)
        yield Stage.SYSTEM_ACCOUNTS, made, f"creation of {name}", once
    for contract in sealed.contracts:
        stage = Stage.SYSTEM_CONTRACT if contract.account == "eosio" else Stage.CONTRACTS
        yield from _deployed(blueprint, contract, stage, f"the contract of {contract.account}")
    yield Stage.TOKEN, actions.create("eosio", Asset(sealed.max_supply, symbol)), "creation of the token", once
    issued = actions.issue("eosio", Asset(sealed.issue, symbol), "initial supply")
    yield Stage.ISSUE, issued, f"issue of {Asset(sealed.issue, symbol)}", once
    yield Stage.INIT, actions.init(0, symbol), "init of the system contract", once
    yield from _limits(blueprint)
    for name in sealed.privileged:
        yield Stage.PRIVILEGES, actions.setpriv(name, True), f"privilege of {name}", {}
    for proxy in sealed.proxies:
        yield Stage.ELECTION, actions.regproxy(proxy, True), f"proxy {proxy}", {}
    for vote in sealed.votes:
        cast = actions.voteproducer(vote.voter, vote.proxy, vote.producers)
        yield Stage.ELECTION, cast, f"vote of {vote.voter}", {}
    yield from _canary(blueprint)
    yield from _resignation(blueprint)


def _limits(blueprint: Blueprint) -> Iterator[_Derived]:
    """The actions that raise the block limits for the accounts and restore them. Interrupted boots may repeat both."""
    for label, data in limits(blueprint).items():
        setting = Action("eosio", "setparams", (PermissionLevel("eosio"),), data)
        yield Stage.ACCOUNTS, setting, label, {"needed": False, "ordered": False}


def limits(blueprint: Blueprint) -> dict[str, bytes]:
    """The packed values that `setparams` may set; none if the sealed network keeps the limits of the genesis."""
    sealed = blueprint.sealed
    if sealed.load is None:
        return {}
    genesis = sealed.genesis["initial_configuration"]
    raised = {"max_block_net_usage": sealed.load.block_net, "max_block_cpu_usage": sealed.load.block_cpu}
    return {RAISED: packed_limits(genesis | raised), RESTORED: packed_limits(genesis)}


def governed(blueprint: Blueprint) -> tuple[str, ...]:
    """The accounts whose only key is eosio's until it resigns."""
    contracts = (contract.account for contract in blueprint.sealed.contracts if contract.account != "eosio")
    return tuple(dict.fromkeys((*blueprint.sealed.system_accounts, *contracts)))


def _deployed(blueprint: Blueprint, contract: SealedContract, stage: Stage, what: str) -> Iterator[_Derived]:
    yield stage, actions.setcode(contract.account, blueprint.verified(contract.wasm)), f"code of {what}", {}
    packed = Abi.parse(blueprint.verified(contract.abi)).packed()
    yield stage, actions.setabi(contract.account, packed), f"ABI of {what}", {"ordered": False}


def _canary(blueprint: Blueprint) -> Iterator[_Derived]:
    """The canary's actions. It may have been tried several times, and some producers may not have approved it."""
    elected = sorted(blueprint.sealed.elected)
    start = datetime.fromisoformat(str(blueprint.sealed.genesis["initial_timestamp"]))
    start = start.replace(tzinfo=UTC) if start.tzinfo is None else start
    opening = actions.open("eosio.prods", blueprint.symbol, "eosio.prods")
    proposed = Transaction(int(start.timestamp()) + TEN_YEARS, 0, 0, (opening,))
    levels = [PermissionLevel(producer) for producer in elected]
    yield Stage.CANARY, actions.propose("eosio", "canary", levels, proposed), "proposal of the canary", {}
    digest, optional = hashlib.sha256(proposed.packed).digest(), {"needed": False}
    for level in levels:
        approval = actions.approve("eosio", "canary", level, digest)
        yield Stage.CANARY, approval, f"approval of the canary by {level.actor}", optional
    yield Stage.CANARY, actions.exec("eosio", "canary", "eosio"), "execution of the canary", {}
    yield Stage.CANARY, actions.cancel("eosio", "canary", "eosio"), "withdrawal of the canary", optional


def _resignation(blueprint: Blueprint) -> Iterator[_Derived]:
    for name in (*governed(blueprint), "eosio"):
        authority = Authority.account("eosio.prods" if name == "eosio" else "eosio", "active")
        for permission, parent in (("active", "owner"), ("owner", "")):
            handed = actions.updateauth(name, permission, parent, authority)
            yield Stage.RESIGNATION, handed, f"{name}'s {permission} handed over", {}


def resignation(blueprint: Blueprint) -> frozenset[Key]:
    """The two actions after which no key controls eosio."""
    authority = Authority.account("eosio.prods", "active")
    pairs = (("active", "owner"), ("owner", ""))
    return frozenset(key_of(actions.updateauth("eosio", name, parent, authority)) for name, parent in pairs)
