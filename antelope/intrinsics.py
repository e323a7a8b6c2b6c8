"""The host functions (intrinsics) that a contract can import, and which protocol feature opens each.

nodeos refuses a setcode whose code imports one that is not open yet.
Source: libraries/chain/genesis_intrinsics.cpp and controller.cpp (`add_intrinsic_to_whitelist`) of AntelopeIO/leap
v5.0.3 and AntelopeIO/spring v1.2.2.
"""

from __future__ import annotations

from collections.abc import Iterable

_GENESIS = """
__addtf3 __ashlti3 __ashrti3 __cmptf2 __divtf3 __divti3 __eqtf2 __extenddftf2 __extendsftf2 __fixdfti __fixsfti
__fixtfdi __fixtfsi __fixtfti __fixunsdfti __fixunssfti __fixunstfdi __fixunstfsi __fixunstfti __floatditf __floatsidf
__floatsitf __floattidf __floatunditf __floatunsitf __floatuntidf __getf2 __gttf2 __letf2 __lshlti3 __lshrti3 __lttf2
__modti3 __multf3 __multi3 __negtf2 __netf2 __subtf3 __trunctfdf2 __trunctfsf2 __udivti3 __umodti3 __unordtf2 abort
action_data_size activate_feature assert_recover_key assert_ripemd160 assert_sha1 assert_sha256 assert_sha512
cancel_deferred check_permission_authorization check_transaction_authorization current_receiver current_time
db_end_i64 db_find_i64 db_get_i64 db_idx128_end db_idx128_find_primary db_idx128_find_secondary db_idx128_lowerbound
db_idx128_next db_idx128_previous db_idx128_remove db_idx128_store db_idx128_update db_idx128_upperbound db_idx256_end
db_idx256_find_primary db_idx256_find_secondary db_idx256_lowerbound db_idx256_next db_idx256_previous
db_idx256_remove db_idx256_store db_idx256_update db_idx256_upperbound db_idx64_end db_idx64_find_primary
db_idx64_find_secondary db_idx64_lowerbound db_idx64_next db_idx64_previous db_idx64_remove db_idx64_store
db_idx64_update db_idx64_upperbound db_idx_double_end db_idx_double_find_primary db_idx_double_find_secondary
db_idx_double_lowerbound db_idx_double_next db_idx_double_previous db_idx_double_remove db_idx_double_store
db_idx_double_update db_idx_double_upperbound db_idx_long_double_end db_idx_long_double_find_primary
db_idx_long_double_find_secondary db_idx_long_double_lowerbound db_idx_long_double_next db_idx_long_double_previous
db_idx_long_double_remove db_idx_long_double_store db_idx_long_double_update db_idx_long_double_upperbound
db_lowerbound_i64 db_next_i64 db_previous_i64 db_remove_i64 db_store_i64 db_update_i64 db_upperbound_i64 eosio_assert
eosio_assert_code eosio_assert_message eosio_exit expiration get_account_creation_time get_action get_active_producers
get_blockchain_parameters_packed get_context_free_data get_permission_last_used get_resource_limits has_auth
is_account is_feature_active is_privileged memcmp memcpy memmove memset printdf printhex printi printi128 printn
printqf prints prints_l printsf printui printui128 publication_time read_action_data read_transaction recover_key
require_auth require_auth2 require_recipient ripemd160 send_context_free_inline send_deferred send_inline
set_blockchain_parameters_packed set_privileged set_proposed_producers set_resource_limits sha1 sha256 sha512
tapos_block_num tapos_block_prefix transaction_size
"""
GENESIS = frozenset(_GENESIS.split())
"""Open from the first block on."""

_OPENED = {
    "PREACTIVATE_FEATURE": "preactivate_feature is_feature_activated",
    "GET_SENDER": "get_sender",
    "WTMSIG_BLOCK_SIGNATURES": "set_proposed_producers_ex",
    "ACTION_RETURN_VALUE": "set_action_return_value",
    "CONFIGURABLE_WASM_LIMITS2": "set_wasm_parameters_packed get_wasm_parameters_packed",
    "BLOCKCHAIN_PARAMETERS": "get_parameters_packed set_parameters_packed",
    "GET_CODE_HASH": "get_code_hash",
    "GET_BLOCK_NUM": "get_block_num",
    "CRYPTO_PRIMITIVES": "alt_bn128_add alt_bn128_mul alt_bn128_pair mod_exp blake2_f sha3 k1_recover",
    "BLS_PRIMITIVES2": "bls_g1_add bls_g2_add bls_g1_weighted_sum bls_g2_weighted_sum bls_pairing bls_g1_map "
    "bls_g2_map bls_fp_mod bls_fp_mul bls_fp_exp",
    "SAVANNA": "set_finalizers",
}

OPENED_BY = {name: feature for feature, names in _OPENED.items() for name in names.split()}
"""The feature that opens an intrinsic, by the intrinsic."""


def closed(imported: Iterable[str], active: Iterable[str]) -> dict[str, str]:
    """The imports that are not open while these features are active, each with the feature that opens it ("" if none is
    known). Sorted by name.
    """
    open_now = GENESIS | {name for feature in active for name in _OPENED.get(feature, "").split()}
    return {name: OPENED_BY.get(name, "") for name in sorted(set(imported) - open_now)}
