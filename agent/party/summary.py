"""A summary of the sealed network for a party's operator, who decides whether to take part. Pure."""

from __future__ import annotations

from collections import Counter

from antelope.asset import Asset, Symbol
from inventory.sealed import Sealed, SealedContract

KNOWN = {
    "cdc81e73bb59ef0c172d9daa768bfc55d733a1f82c931b03055153342d979fd3": "eosio.bios",
    "1040fbe8e491ab6038b64b4675310ebcf9218dc1e69ec2712ef0b11db687c8ff": "eosio.msig",
    "1936e7f9a77bd2d9c2235ad976f9e1b65df48799c7e1e43a03054aceb9bfdc13": "eosio.system",
    "f6a2939074d69fc194d4b7b5a4d2c24e2766046ddeaa58b63ddfd579a0193623": "eosio.token",
    "d9c8f99e57f0b73ba2f64710374e2606c62cbf10e4df226fe44c1954ab8de391": "eosio.wrap",
}
"""sha256 of the wasm files in the bundled runtime (support.bundled)."""


def summary(sealed: Sealed) -> tuple[str, ...]:
    """A line for each thing that matters."""
    symbol = Symbol.parse(sealed.symbol)
    elected = ", ".join(sealed.elected) or "nobody"
    lines = [
        f"network {sealed.network} is sealed, and every file of it is verified:",
        f"  chain id {sealed.chain_id}, which follows from the genesis",
        f"  manifest {sealed.manifest}; another one is never taken in this data folder",
        f"  token: {Asset(sealed.issue, symbol)} issued of at most {Asset(sealed.max_supply, symbol)}",
        f"  {sealed.accounts} accounts are funded, {len(sealed.producers)} producers register, elected: {elected}",
        f"  {len(sealed.features)} protocol features; system accounts: {', '.join(sealed.system_accounts)}",
        f"  at first on eosio: {_contract(sealed.boot_contract)}",
    ]
    powerful = {"eosio", *sealed.privileged}
    for contract in sealed.contracts:
        power = ", privileged: it may act in anybody's name" if contract.account in powerful else ""
        lines.append(f"  contract on {contract.account}: {_contract(contract)}{power}")
    voters = Counter(vote.voter for vote in sealed.votes)
    lines.append(f"  {len(voters)} accounts vote; eosio resigns to the elected producers")
    if sealed.sponsor:
        each = Asset(sum((sealed.sponsor.ram, sealed.sponsor.net, sealed.sponsor.cpu, sealed.sponsor.liquid)), symbol)
        lines.append(f"  {sealed.sponsor.account} pays for {sealed.sponsor.parties} parties' accounts, {each} each")
    return tuple(lines)


def _contract(contract: SealedContract) -> str:
    known = KNOWN.get(contract.wasm)
    return f"{contract.wasm} ({f'the known {known}' if known else 'NOT one that this release knows'})"
