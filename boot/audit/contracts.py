"""Code, ABIs and privileges: the planned ones where they belong, and none elsewhere."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from antelope.abi import Abi
from boot.audit.report import Check, judged
from boot.audit.seen import Observed, Seen
from boot.blueprint import Blueprint
from inventory.sealed import SealedContract


def checks(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[Check]:
    """contract code, contract ABIs, no other code, privileges."""
    count = len(blueprint.sealed.contracts)
    replaced = _replaced(seen, observed)
    since = f", or as the producers replaced them: {', '.join(sorted(replaced))}" if replaced else ""
    yield judged("contract code", _code(blueprint, seen, replaced), f"sha256 of {count} contracts as sealed{since}")
    yield judged("contract ABIs", _abis(blueprint, seen, replaced), f"{count} ABIs, byte for byte as sealed{since}")
    yield judged("no other code", seen.survey.coded, f"none on the {seen.survey.total - count} others")
    privileged = frozenset({"eosio", *blueprint.sealed.privileged})
    yield judged("privileges", _privileges(privileged, seen), f"{' and '.join(sorted(privileged))} only")


def _replaced(seen: Seen, observed: Observed) -> frozenset[str]:
    """Accounts with exactly the code and the ABI of a replacement that the producers approved."""
    shown = {(name, str(one["code_hash"]), str(one["abi_hash"])) for name, one in seen.contracts.items()}
    return frozenset(account for account, _, _ in shown & observed.upgrades)


def _unreplaced(blueprint: Blueprint, replaced: frozenset[str]) -> Iterator[SealedContract]:
    return (contract for contract in blueprint.sealed.contracts if contract.account not in replaced)


def _code(blueprint: Blueprint, seen: Seen, replaced: frozenset[str]) -> Iterator[str]:
    for contract in _unreplaced(blueprint, replaced):
        answer = seen.contracts.get(contract.account)
        if answer is None:
            yield f"{contract.account} does not exist"
        elif answer["code_hash"] != contract.wasm:
            yield f"{contract.account} has code {answer['code_hash']}, sealed {contract.wasm}"


def _abis(blueprint: Blueprint, seen: Seen, replaced: frozenset[str]) -> Iterator[str]:
    for contract in _unreplaced(blueprint, replaced):
        answer = seen.contracts.get(contract.account)
        planned = Abi.parse(blueprint.verified(contract.abi)).packed()
        if answer is None:
            yield f"{contract.account} does not exist"
        elif _decoded(str(answer["abi"])) != planned:
            yield f"{contract.account} has an ABI other than the sealed one (its sha256 is {answer['abi_hash']})"


def _decoded(text: str) -> bytes | None:
    """Decodes base64. Some versions of nodeos leave out the padding."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        return None


def _privileges(planned: frozenset[str], seen: Seen) -> Iterator[str]:
    for name in sorted(planned):
        if name in seen.accounts and not seen.accounts[name]["privileged"]:
            yield f"{name} is not privileged"
        elif name not in seen.accounts:
            yield f"{name} does not exist"
    yield from (f"{name} is privileged" for name in sorted(seen.survey.privileged - planned))
