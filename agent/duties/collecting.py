"""Collects a host's part of the seal: public keys with proofs of possession, and its nodeos' features."""

from __future__ import annotations

import asyncio

from agent.duties.tools import Tools
from agent.errors import DutyError
from agent.nodeos.spec import NodeSpec
from antelope.keys import PublicKey
from protos import coordination_pb2 as pb
from support.possession import Challenge


async def collect(tools: Tools, wanted: pb.Collect) -> pb.Result:
    """Tries the host's nodes; makes and imports the keys that are asked for.

    Raises DutyError, NodeosError, NodeFault, SpecError, KeyStoreError.
    """
    if wanted.network != tools.config.network:
        raise DutyError(f"this agent is of network {tools.config.network}, not {wanted.network[:80]!r}")
    found = await tools.nodes.capabilities(wanted.nodeos)
    await tools.nodes.rehearse([NodeSpec.of(spec) for spec in wanted.nodes])
    collected = pb.Collected(features_json=found.features_json)
    await asyncio.to_thread(_collect_keys, tools, wanted, collected)
    return pb.Result(collected=collected)


def _collect_keys(tools: Tools, wanted: pb.Collect, collected: pb.Collected) -> None:
    keys, challenge = tools.keys, Challenge(wanted.network, "", wanted.nonce)

    def proved(name: str, key: PublicKey) -> pb.Key:
        return pb.Key(account=name, public_key=str(key), proof=keys.prove(key, name, challenge))

    if wanted.import_file:
        users, producers = keys.import_accounts(wanted.import_file)
        collected.imported_users.extend(proved(name, key) for name, key in users.items())
        collected.imported_producers.extend(proved(name, key) for name, key in producers.items())
    keys.make(wanted.accounts, wanted.signers)
    collected.accounts.extend(proved(name, keys.account_key(name)) for name in wanted.accounts)
    collected.signers.extend(proved(name, keys.signer_key(name)) for name in wanted.signers)
