"""A party's word on the chain: the audit of it on the party's own node, signed with its account's key.

`ok` is about what nobody alone can change after the boot: genesis, features, limits, contracts, that the planned
accounts exist, who governs. What lawfully moves on (balances, votes, the schedule, accounts of later parties) is told
apart as `later`, so that an attestation means the same right after the boot and a year on.
"""

from __future__ import annotations

import hashlib
import json

from antelope.http import NodeClient
from antelope.keys import PrivateKey
from boot.audit import Observed, Report, audit
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


async def document(node: NodeClient, blueprint: Blueprint) -> str:
    """Audits the chain, and says what was found: JSON, sorted keys, no spaces. Raises AuditError, NodeError.

    Whoever registered as a producer beyond the plan counts as a party: nobody told this agent of others.
    """
    planned = {producer.account for producer in blueprint.sealed.producers}
    registered = {str(row["owner"]) async for row in node.iter_table_rows("eosio", "eosio", "producers")}
    return compose(blueprint, await audit(node, blueprint, observed=Observed(frozenset(registered - planned))))


def compose(blueprint: Blueprint, report: Report) -> str:
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
        "later": [f"{check.name}: {check.detail}" for check in failed if check.name in MOVING],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(account: str, key: PrivateKey, text: str) -> pb.Attestation:
    """The document with the signature over its sha256."""
    digest = hashlib.sha256(text.encode()).digest()
    return pb.Attestation(account=account, document=text, signature=str(key.sign(digest)))


def verdict(text: str) -> str:
    """One line about a document."""
    content = json.loads(text)
    if content["ok"]:
        return f"block {content['block']['num']} is as sealed"
    return f"block {content['block']['num']} differs from what was sealed: {'; '.join(content['differences'])}"


def as_json(attestation: pb.Attestation) -> bytes:
    """As it is kept and passed on."""
    values = {name: getattr(attestation, name) for name in ("account", "document", "signature")}
    return json.dumps(values, indent=1).encode() + b"\n"
