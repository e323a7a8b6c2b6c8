"""Protocol features: their names, digests, and the order in which they can be activated.

A digest covers the feature's description, dependencies and so on, so it is the same on every Antelope chain.
Source: libraries/chain/protocol_feature_manager.cpp of AntelopeIO/leap and AntelopeIO/spring.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from antelope.errors import AntelopeError

DIGESTS: dict[str, str] = {
    "PREACTIVATE_FEATURE": "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd",
    "ONLY_LINK_TO_EXISTING_PERMISSION": "1a99a59d87e06e09ec5b028a9cbb7749b4a5ad8819004365d02dc4379a8b7241",
    "REPLACE_DEFERRED": "ef43112c6543b88db2283a2e077278c315ae2c84719a8b25f25cc88565fbea99",
    "NO_DUPLICATE_DEFERRED_ID": "4a90c00d55454dc5b059055ca213579c6ea856967712a56017487886a4d4cc0f",
    "FIX_LINKAUTH_RESTRICTION": "e0fb64b1085cc5538970158d05a009c24e276fb94e1a0bf6a528b48fbc4ff526",
    "DISALLOW_EMPTY_PRODUCER_SCHEDULE": "68dcaa34c0517d19666e6b33add67351d8c5f69e999ca1e37931bc410a297428",
    "RESTRICT_ACTION_TO_SELF": "ad9e3d8f650687709fd68f4b90b41f7d825a365b02c23a636cef88ac2ac00c43",
    "ONLY_BILL_FIRST_AUTHORIZER": "8ba52fe7a3956c5cd3a656a3174b931d3bb2abb45578befc59f283ecd816a405",
    "FORWARD_SETCODE": "2652f5f96006294109b3dd0bbde63693f55324af452b799ee137a81a905eed25",
    "GET_SENDER": "f0af56d2c5a48d60a4a5b5c903edfb7db3a736a94ed589d0b797df33ff9d3e1d",
    "RAM_RESTRICTIONS": "4e7bf348da00a945489b2a681749eb56f5de00b900014e137ddae39f48f69d67",
    "WEBAUTHN_KEY": "4fca8bd82bbd181e714e283f83e1b45d95ca5af40fb89ad3977b653c448f78c2",
    "WTMSIG_BLOCK_SIGNATURES": "299dcb6af692324b899b39f16d5a530a33062804e41f09dc97e9f156b4476707",
    "ACTION_RETURN_VALUE": "c3a6138c5061cf291310887c0b5c71fcaffeab90d5deb50d3b9e687cead45071",
    "BLOCKCHAIN_PARAMETERS": "5443fcf88330c586bc0e5f3dee10e7f63c76c00249c87fe4fbf7f38c082006b4",
    "GET_CODE_HASH": "bcd2a26394b36614fd4894241d3c451ab0f6fd110958c3423073621a70826e99",
    "CONFIGURABLE_WASM_LIMITS2": "d528b9f6e9693f45ed277af93474fd473ce7d831dae2180cca35d907bd10cb40",
    "CRYPTO_PRIMITIVES": "6bcb40a24e49c26d0a60513b6aeb8551d264e4717f306b81a37a5afb3b47cedc",
    "GET_BLOCK_NUM": "35c2186cc36f7bb4aeaf4487b36e57039ccf45a9136aa856a5d569ecca55ef2b",
    "BLS_PRIMITIVES2": "63320dd4a58212e4d32d1f58926b73ca33a247326c2a5e9fd39268d2384e011a",
    "DISABLE_DEFERRED_TRXS_STAGE_1": "fce57d2331667353a0eac6b4209b67b843a7262a848af0a49a6e2fa9f6584eb4",
    "DISABLE_DEFERRED_TRXS_STAGE_2": "09e86cb0accf8d81c9e85d34bea4b925ae936626d00c984e4691186891f5bc16",
    "SAVANNA": "cbe0fafc8fcc6cc998395e9b6de6ebd94644467b1b4a97ec126005df07013c52",
}

DEPENDENCIES: dict[str, tuple[str, ...]] = {
    "NO_DUPLICATE_DEFERRED_ID": ("REPLACE_DEFERRED",),
    "DISABLE_DEFERRED_TRXS_STAGE_2": ("DISABLE_DEFERRED_TRXS_STAGE_1",),
    "SAVANNA": tuple(name for name in DIGESTS if name not in ("PREACTIVATE_FEATURE", "SAVANNA")),
}
"""What must be active before each feature; features not listed need nothing."""

PREACTIVATE_FEATURE = "PREACTIVATE_FEATURE"
"""The only one that is activated through the producer API; all others need `activate` on `eosio`."""


def order(supported: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(name, digest) of every feature in get_supported_protocol_features' answer, each after its dependencies.

    Otherwise they are in this module's order; features that it does not know come last, by name. Raises AntelopeError
    when the answer is malformed or circular, or lacks a dependency.
    """
    try:
        by_digest = {one["feature_digest"]: (codename(one), list(one["dependencies"])) for one in supported}
    except (KeyError, TypeError, IndexError) as error:
        raise AntelopeError(f"the node's list of protocol features is malformed: {error!r}") from error
    rank = {name: index for index, name in enumerate(DIGESTS)}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for digest, (name, dependencies) in by_digest.items():
        lacking = [one for one in dependencies if one not in by_digest]
        if lacking:
            raise AntelopeError(f"feature {name} depends on {lacking[0]}, which the node does not support")
        sorter.add(digest, *dependencies)
    try:
        sorter.prepare()
    except CycleError as error:
        raise AntelopeError(f"the node's protocol features depend on each other: {error.args[1]}") from error
    ordered: list[tuple[str, str]] = []
    ready: list[str] = []
    while sorter.is_active():
        ready += sorter.get_ready()
        ready.sort(key=lambda digest: (rank.get(by_digest[digest][0], len(rank)), by_digest[digest][0], digest))
        following = ready.pop(0)
        ordered.append((by_digest[following][0], following))
        sorter.done(following)
    return ordered


def described(names: Iterable[str]) -> list[dict[str, Any]]:
    """get_supported_protocol_features' answer of a nodeos with exactly these features of DIGESTS. Raises KeyError."""
    return [
        {
            "feature_digest": DIGESTS[name],
            "dependencies": [DIGESTS[needed] for needed in DEPENDENCIES.get(name, ())],
            "specification": [{"name": "builtin_feature_codename", "value": name}],
        }
        for name in names
    ]


def codename(feature: Mapping[str, Any]) -> str:
    """The name of an entry of get_supported_protocol_features' answer; its digest where it has none."""
    for entry in feature["specification"]:
        if entry["name"] == "builtin_feature_codename":
            return str(entry["value"])
    return str(feature["feature_digest"])
