"""Whether contracts, features and nodeos fit is decided before the seal, from code, ABI and features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from antelope.features import DIGESTS, described
from antelope.intrinsics import GENESIS, OPENED_BY
from antelope.layouts import LAYOUTS
from inventory import features, versions
from inventory.compare import compare
from inventory.contract_files import Files
from inventory.errors import InventoryError, Problems
from inventory.fitness import Fit, fit
from inventory.network import Network
from inventory.seal import seal
from inventory.sealed import Sealed
from tests.unit.inventory.material import (
    ABI,
    BOOT_ABI,
    MAGIC,
    MSIG_ABI,
    SUPPORTED,
    SYSTEM_ABI,
    TOKEN_ABI,
    TRX_ABI,
    Collect,
    Load,
    contracts,
    feature,
    wasm,
)

SMALL = "[users]\ncount = 12\n[producers]\ncount = 3\nelected = 2\n"
TWO = '[[hosts]]\nname = "a"\nlocal = true\n[[hosts]]\nname = "b"\naddress = "b.example"\n'
INLINE = (wasm("send_inline"), MSIG_ABI)
SPRING = described(DIGESTS)
UPDATEAUTH = LAYOUTS["eosio"]["updateauth"]


def judged(network: Network, supported: Any = None, **replaced: Files) -> tuple[Fit, str]:
    """What follows, and every problem on a line. supported: of the genesis node's host, the usual ones by default."""
    problems = Problems()
    if not isinstance(supported, dict):
        supported = {network.genesis_node.host: supported or SUPPORTED}
    found = fit(network, contracts(network, None, **replaced), supported, problems)
    return found, "\n".join(map(str, problems.found))


def test_a_deferring_msig(network: Load) -> None:
    """If eosio.msig sends deferred transactions, features that disable these are left out."""
    found, wrong = judged(network(SMALL))
    assert not wrong
    assert [feature.name for feature in found.features] == [
        "PREACTIVATE_FEATURE",
        "REPLACE_DEFERRED",
        "NO_DUPLICATE_DEFERRED_ID",
        "GET_SENDER",
    ]
    assert [note.split()[0] for note in found.notes] == list(STAGES)


STAGES = ("DISABLE_DEFERRED_TRXS_STAGE_1", "DISABLE_DEFERRED_TRXS_STAGE_2")


def test_a_deferring_msig_on_a_nodeos_that_never_defers(network: Load) -> None:
    """A boot that would fail at the canary is refused before the seal, with host, file and remedy."""
    _, wrong = judged(network(TWO + SMALL), {"a": SUPPORTED, "b": SPRING})
    assert wrong == (
        "nodeos: that of host b supports SAVANNA, so it never executes a deferred transaction; eosio.msig (bundled) "
        "executes proposals through them; set contracts.directory to a folder with an eosio.msig that executes inline, "
        "as that of the system contracts from 3.5 on does (docs/contracts.md)"
    )
    assert judged(network(TWO + SMALL), {"a": SPRING, "b": SPRING}, eosio_msig=INLINE)[1] == ""


def test_a_full_node_may_be_one_that_never_defers(network: Load) -> None:
    """It makes no blocks, and takes those of others, deferred transactions and all."""
    text = '[[nodes]]\nname = "full"\nhost = "b"\n[[nodes]]\naccount = "{}"\nhost = "a"\n'
    nodes = text.format("defproducera") + "".join(
        f'[[nodes]]\naccount = "defproducer{letter}"\nhost = "a"\n' for letter in "bc"
    )
    assert judged(network(TWO + SMALL + nodes), {"a": SUPPORTED, "b": SPRING})[1] == ""


def test_an_inline_msig(network: Load) -> None:
    """If eosio.msig executes inline, only SAVANNA is left out, with its reason."""
    found, wrong = judged(network(SMALL), [*SUPPORTED, feature("SAVANNA", STAGES[1])], eosio_msig=INLINE)
    assert not wrong
    assert [feature.name for feature in found.features][-2:] == list(STAGES)
    assert found.notes == ("SAVANNA is left out: it needs finalizer keys to be set up, which this version does not do",)


def test_a_feature_that_depends_on_one_left_out(network: Load) -> None:
    """It is left out as well."""
    supported = [*SUPPORTED, feature("BLS_PRIMITIVES2", STAGES[0])]
    found, _ = judged(network(SMALL), supported)
    assert "BLS_PRIMITIVES2" not in {one.name for one in found.features}
    assert f"BLS_PRIMITIVES2 is left out: it depends on {STAGES[0]}" in found.notes


def test_a_host_whose_nodeos_supports_less(network: Load) -> None:
    """Its node would stop at the activation of what it does not know: that is left out, or refused where written."""
    answers = {"a": SUPPORTED, "b": [one for one in SUPPORTED if one != feature("GET_SENDER")]}
    found, wrong = judged(network(TWO + SMALL), answers)
    assert not wrong
    assert "GET_SENDER" not in {one.name for one in found.features}
    assert "GET_SENDER is left out: the nodeos of host b does not support it" in found.notes
    wanted = '[system]\nfeatures = ["PREACTIVATE_FEATURE", "GET_SENDER"]\n'
    assert judged(network(TWO + SMALL + wanted), answers)[1] == (
        "system.features[1]: GET_SENDER cannot be activated: the nodeos of host b does not support it; remove it"
    )


@pytest.mark.parametrize("deferred", [False, True])
def test_inline_size(deferred: bool, network: Load) -> None:
    """A small max_inline_action_size is an error only with an msig that executes inline."""
    small = network(SMALL + "[genesis.configuration]\nmax_inline_action_size = 4096")
    least = network(SMALL + f"[genesis.configuration]\nmax_inline_action_size = {versions.INLINE_MSIG_LEAST}")
    msig = (wasm("send_deferred"), MSIG_ABI) if deferred else INLINE
    wrong = judged(small, SUPPORTED, eosio_msig=msig)[1]
    assert ("max_inline_action_size: 4096 is too small for eosio.msig (bundled)" in wrong) is not deferred
    assert judged(least, SUPPORTED, eosio_msig=msig)[1] == ""


@pytest.mark.parametrize(
    ("imported", "text", "supported", "expected"),
    [
        (
            ("set_proposed_producers_ex", "db_store_i64"),
            '[system]\nfeatures = ["PREACTIVATE_FEATURE"]',
            [feature("WTMSIG_BLOCK_SIGNATURES"), *SUPPORTED],
            (
                "system.features: lacks WTMSIG_BLOCK_SIGNATURES: eosio (bundled) imports set_proposed_producers_ex, "
                "which it opens; add WTMSIG_BLOCK_SIGNATURES"
            ),
        ),
        (
            ("bls_fp_mod", "bls_pairing"),
            "",
            SUPPORTED,
            (
                "contracts: eosio (bundled) imports bls_fp_mod, bls_pairing, and this nodeos lacks BLS_PRIMITIVES2, "
                "which opens that; use another"
            ),
        ),
        (
            ("set_finalizers",),
            "",
            SPRING,
            "contracts: eosio (bundled) imports set_finalizers, and SAVANNA, which opens that, cannot be: it needs",
        ),
        (
            ("call",),
            "",
            SPRING,
            "contracts: eosio (bundled) imports call, which no feature known here opens; use an older version of it",
        ),
    ],
)
def test_imports_that_no_feature_opens(
    imported: tuple[str, ...], text: str, supported: Any, expected: str, network: Load
) -> None:
    """Code that nodeos would refuse is reported before the seal, with the missing feature."""
    _, wrong = judged(network(SMALL + text), supported, eosio=(wasm(*imported), SYSTEM_ABI), eosio_msig=INLINE)
    assert wrong.startswith(expected)
    assert "\n" not in wrong


def test_imports_that_an_unknown_feature_may_open(network: Load) -> None:
    """A nodeos newer than the table is trusted with them: it has features that are not known here."""
    newer = {
        "feature_digest": "ab" * 32,
        "dependencies": [],
        "specification": [{"name": "builtin_feature_codename", "value": "SYNC_CALL"}],
    }
    code = (wasm("call"), SYSTEM_ABI)
    assert "which no feature known here opens" in judged(network(SMALL), eosio=code)[1]
    assert judged(network(SMALL), [*SUPPORTED, newer], eosio=code)[1] == ""


def test_imports_that_a_feature_opens(network: Load) -> None:
    """Code of the same kind is fine where the feature is activated."""
    supported = [feature("WTMSIG_BLOCK_SIGNATURES"), *SUPPORTED]
    assert judged(network(SMALL), supported, eosio=(wasm("set_proposed_producers_ex"), SYSTEM_ABI))[1] == ""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((b"", BOOT_ABI), "contracts: eosio (bundled): these bytes are not a WebAssembly module of version 1"),
        ((MAGIC, b"{"), "contracts: eosio (bundled): the ABI is not JSON"),
        ((MAGIC, b"[]"), "contracts: eosio (bundled): the ABI is not a JSON object"),
        ((MAGIC, b"[" * 100_000), "contracts: eosio (bundled): the ABI is not JSON"),
        ((MAGIC, b'{"version": "x"}'), "contracts: eosio (bundled): abi.version: 'x' is not eosio::abi/1.x"),
        (
            (wasm("preactivate_feature"), ABI),
            "contracts.boot: the bundled one has no action activate; name another, or none",
        ),
        (
            (wasm("preactivate_feature", "set_proposed_producers_ex"), BOOT_ABI),
            (
                "contracts.boot: the bundled one imports set_proposed_producers_ex, which WTMSIG_BLOCK_SIGNATURES "
                "opens: it cannot be on eosio before the features are active; name another, or none"
            ),
        ),
        (
            (wasm(), BOOT_ABI),
            "contracts.boot: the bundled one does not import preactivate_feature: its activate activates nothing",
        ),
    ],
)
def test_a_boot_contract_that_cannot_be(files: Files, expected: str, network: Load) -> None:
    """A file that is not a contract, lacks `activate` or has imports that need a feature is refused."""
    wrong = judged(network(SMALL), boot=files)[1]
    assert wrong.startswith(expected)
    assert "\n" not in wrong


def test_privileges(network: Load) -> None:
    """Contracts of eosio.* whose actions take whole transactions get them, others if the inventory says so."""
    text = (
        '[[contracts.list]]\naccount = "eosio.wrap"\n[[contracts.list]]\naccount = "eosio.token"\nprivileged = true\n'
    )
    assert judged(network(SMALL))[0].privileged == ("eosio.msig",)
    wrapped = {"eosio_wrap": (wasm("send_deferred"), TRX_ABI), "eosio_token": (wasm(), TOKEN_ABI)}
    found, wrong = judged(network(SMALL + text), SUPPORTED, **wrapped)
    assert (found.privileged, wrong) == (("eosio.msig", "eosio.token", "eosio.wrap"), "")
    without = network(SMALL + '[[contracts.list]]\naccount = "eosio.wrap"\nprivileged = false\n')
    assert judged(without, SUPPORTED, eosio_wrap=(wasm(), TRX_ABI))[0].privileged == ("eosio.msig",)


def test_no_stranger_is_privileged_by_default(network: Load) -> None:
    """An account outside eosio.* gets no privileges from its ABI alone."""
    plain = replace(network(SMALL).contracts[0], account="alice")
    found = network(SMALL)
    found = replace(found, contracts=(*found.contracts, plain))
    assert judged(found, SUPPORTED, alice=(wasm(), TRX_ABI))[0].privileged == ("eosio.msig",)
    given = replace(found, contracts=(*found.contracts[:-1], replace(plain, privileged=True)))
    assert judged(given, SUPPORTED, alice=(wasm(), TRX_ABI))[0].privileged == ("alice", "eosio.msig")


def test_privileges_are_sealed(network: Load, collect: Collect) -> None:
    """They are part of the manifest where they are not the usual one, and documents without them are read as before."""
    usual = seal(network(SMALL), collect(network(SMALL))).sealed
    assert b"privileged" not in usual.canonical()
    assert Sealed.parse(usual.canonical()).privileged == ("eosio.msig",)
    text = SMALL + '[[contracts.list]]\naccount = "eosio.token"\nprivileged = true\n'
    sealed = seal(network(text), collect(network(text))).sealed
    assert sealed.privileged == ("eosio.msig", "eosio.token")
    assert Sealed.parse(sealed.canonical()) == sealed
    assert compare(sealed, network(text.replace("privileged = true\n", ""))) == ["contracts"]


def test_the_seal_refuses_what_does_not_fit(network: Load, collect: Collect) -> None:
    """The last line of defence: nothing is sealed."""
    found = network(SMALL)
    with pytest.raises(InventoryError, match="supports SAVANNA, so it never executes a deferred transaction"):
        seal(found, collect(found, features={found.genesis_node.host: SPRING}))


def test_nothing_is_said_of_a_nodeos_that_is_not_known(network: Load) -> None:
    """A plan knows no remote host's nodeos: the contracts alone are judged."""
    found, wrong = judged(network(SMALL), {})
    assert (found.features, found.privileged, wrong) == ((), ("eosio.msig",), "")


def test_claims_through_another_contract(network: Load) -> None:
    """An eosio.system that takes claims from core.vaulta alone is told by its own words."""
    code = wasm(data=b"EOS has been rebranded to Vaulta. This action must now be called from")
    found, wrong = judged(network(SMALL), SUPPORTED, eosio=(code, SYSTEM_ABI))
    assert not wrong
    assert any("from core.vaulta alone" in note for note in found.notes)
    assert not any("core.vaulta" in note for note in judged(network(SMALL))[0].notes)


def test_the_table_of_features() -> None:
    """The known digests, dependencies and order of features are those of nodeos' answer."""
    assert [one["feature_digest"] for one in described(["GET_SENDER"])] == [DIGESTS["GET_SENDER"]]
    problems = Problems()
    chosen, notes = features.choose(None, SPRING, {}, problems)
    assert ([one.name for one in chosen], notes, problems.found) == (list(DIGESTS), (), ())
    assert len(versions.BUNDLED_FEATURES) == 19
    assert set(OPENED_BY.values()) <= DIGESTS.keys()
    assert not GENESIS & OPENED_BY.keys()


def test_a_boot_contract_that_is_the_system_contract(network: Load) -> None:
    """Some can be both, but then nothing tells whether the second was set: it is refused."""
    code = wasm("preactivate_feature")
    _, wrong = judged(network(SMALL), eosio=(code, SYSTEM_ABI), boot=(code, SYSTEM_ABI))
    assert wrong == ("contracts.boot: the bundled one is the system contract itself, which comes later; name another")
