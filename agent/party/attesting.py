"""A party's attestation: an audit of the chain on the party's own node, signed with its account's key.

`ok` covers what no single party can change after the boot: genesis, features, limits, contracts, the planned accounts,
and who governs. What changes lawfully (balances, votes, the schedule, accounts of later parties) is listed under
`later`, so that an attestation means the same right after the boot and a year later. `replaced` lists replaced
contracts with the code on the chain. The coordinator says that the producers replaced them. The audit checks that
nobody else could have done so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence

from antelope.keys import SigningKey
from antelope.reads import ChainReader
from boot.audit import AuditReport, Observed, TakeSnapshot, audit
from boot.blueprint import Blueprint
from protos import coordination_pb2 as pb

MOVING = frozenset(
    {
        "planned accounts",
        "no other accounts",
        "balances",
        "token supply",
        "producers",
        "proxies",
        "votes",
        "schedule",
        "signing keys",
    }
)
"""Checks that compare with the moment right after the boot."""


Upgrade = tuple[str, str, str]
"""Account, sha256 (hex) of the code and of the packed ABI."""


async def document(
    node: ChainReader, blueprint: Blueprint, told: Collection[Upgrade] = (), snapshot: TakeSnapshot | None = None
) -> str:
    """Audits the chain. Returns the findings as JSON (sorted keys, no spaces). Raises AuditError, NodeError.

    Any producer beyond the plan counts as a party, since this agent knows of no others. told: the contracts that the
    producers replaced, according to the coordinator. Entries that differ from the chain are ignored.
    """
    planned = {producer.account for producer in blueprint.sealed.producers}
    registered = {str(row["owner"]) async for row in node.iter_table_rows("eosio", "eosio", "producers")}
    contracts = {contract.account for contract in blueprint.sealed.contracts}
    shown = [await _contract(node, name) for name in sorted({upgrade[0] for upgrade in told} & contracts)]
    replaced = [upgrade for upgrade in shown if upgrade in told]
    observed = Observed(frozenset(registered - planned), frozenset(replaced))
    return compose(blueprint, await audit(node, blueprint, observed=observed, snapshot=snapshot), replaced)


async def _contract(node: ChainReader, account: str) -> Upgrade:
    answer = await node.call("/v1/chain/get_raw_abi", {"account_name": account})
    return account, str(answer["code_hash"]), str(answer["abi_hash"])


def compose(blueprint: Blueprint, report: AuditReport, replaced: Sequence[Upgrade] = ()) -> str:
    """The document of an audit's report."""
    failed = [check for check in report.checks if not check.ok]
    differences = [f"{check.name}: {check.detail}" for check in failed if check.name not in MOVING]
    differences += [f"planned account {name} is missing" for name in report.accounts.missing]
    content = {
        "network": blueprint.sealed.network,
        "chain_id": report.chain_id,
        "manifest": blueprint.sealed.manifest,
        "block": {"num": report.block_num, "id": report.block_id},
        "ok": not differences,
        "differences": differences,
        "replaced": [{"account": account, "code": code, "abi": abi} for account, code, abi in replaced],
        "later": [f"{check.name}: {check.detail}" for check in failed if check.name in MOVING],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(account: str, key: SigningKey, text: str) -> pb.Attestation:
    """The document with a signature over its sha256. It may block if a keosd holds the key."""
    digest = hashlib.sha256(text.encode()).digest()
    return pb.Attestation(account=account, document=text, signature=str(key.sign(digest)))


def verdict(text: str) -> str:
    """One line about a document."""
    content = json.loads(text)
    if content["ok"]:
        replaced = ", ".join(f"{one['account']} (now {one['code']})" for one in content["replaced"])
        since = f", or as the producers replaced it: {replaced}" if replaced else ""
        return f"block {content['block']['num']} is as sealed{since}"
    return f"block {content['block']['num']} differs from what was sealed: {'; '.join(content['differences'])}"


def as_json(attestation: pb.Attestation) -> bytes:
    """The JSON that is stored and passed on."""
    values = {name: getattr(attestation, name) for name in ("account", "document", "signature")}
    return json.dumps(values, indent=1).encode() + b"\n"
